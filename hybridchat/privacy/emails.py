"""E-mail addresses, international ones included (RFC 6531, RFC 5890)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridchat.privacy.spans import Kind, Span

_LOCAL_LIMIT = 64  # octets of a local part, RFC 5321 4.5.3.1.1
_AT = re.compile(r"(?<=[\w.%+-])@(?=[^\W_][\w-]{0,62}+\.)")
_LOCAL_ASCII = re.compile(r"[A-Za-z0-9._%+-]+\Z")
_LOCAL = re.compile(r"[\w.%+-]+\Z")
_DOMAIN_ASCII = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}(?P<top>xn--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,24})"
    r"(?![A-Za-z0-9_]|-[A-Za-z0-9])"
)
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?P<top>[^\W\d_]{2,24})")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NO_TOP_LEVEL_DOMAIN = re.compile(
    r"(?:png|jpe?g|gif|svg|webp|pdf|html?|css|js|json|xml|ya?ml|txt|service|socket|timer|target|slice|mount)\Z",
    re.IGNORECASE,
)
_NOBODY = frozenset({"git", "hg"})  # git@github.com: names a protocol's account, not a person
_CREDENTIALS = re.compile(r"://[^\s/?#:@]*:[^\s/?]*\Z")  # user:password@host of a URL
_HIDDEN_AT = re.compile(
    r"[\[({<]{1,2}[ ]?(?i:at|@|a|ät|arroba|chez)[ ]?[\])}>]{1,2}[ ]?|[ ](?:at|AT)[ ](?=[A-Za-z0-9-]{1,40}[ .\[({<])"
    r"|[_-](?:at|AT)[_-](?=[A-Za-z0-9-]{1,40}[_.-])|@(?=[ ]|[A-Za-z0-9-]{1,40}[ ]?[\[({<]|[A-Za-z0-9-]{1,40}[ ](?i:"
    r"dot)[ ])[ ]?"
)
_SIGNS_OF_HIDING = (" at ", " AT ", "_at_", "-at-", "_AT_", "@", "(a", "[a", "{a", "<a", "(A", "[A", "{A", "<A",
                    "( a", "[ a", "(@", "[@", "{@",
                    "(ä", "[ä", "(chez")  # fmt: skip
_DOT_IN_WORDS = (
    r"(?:[ ]?[\[({<]{1,2}[ ]?(?i:dot|punkt|point|punto|ponto|\.)[ ]?[\])}>]{1,2}[ ]?|[ _-](?i:dot|punkt)[ _-]|[ ]\.[ ])"
)
_DOT_WORD = re.compile(_DOT_IN_WORDS)
_HIDDEN_DOMAIN = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9-]{{0,40}}(?:(?:{_DOT_IN_WORDS}|\.)[A-Za-z][A-Za-z0-9-]{{1,30}}){{1,4}}(?![A-Za-z0-9(])"
)
_HIDDEN_LOCAL = re.compile(rf"[\w%+-]{{1,40}}(?:(?:{_DOT_IN_WORDS}|\.)[\w%+-]{{1,30}}){{0,3}}[ ]?\Z")
_ANNOUNCED = re.compile(r"(?:mail|reach|contact|schreib|kontakt|correo|courriel|addres+e?)[^\n]{0,30}\Z", re.IGNORECASE)


def emails(text: str) -> Iterator[Span]:
    """Find e-mail addresses, looking both ways from each ``@``, and those written so that machines do not see them."""
    for match in _AT.finditer(text):
        at = match.start()
        start = _local_start(text, at)
        domain = _DOMAIN_ASCII.match(text, at + 1) or _DOMAIN.match(text, at + 1)
        if (
            domain
            and start < at
            and not _NO_TOP_LEVEL_DOMAIN.match(domain["top"])
            and text[start:at] not in _NOBODY
            and not _CREDENTIALS.search(text, max(0, at - 2 * _LOCAL_LIMIT), at)
        ):
            yield Span(start, domain.end(), Kind.EMAIL)
    for literal in _SIGNS_OF_HIDING:
        at = text.find(literal)
        while at >= 0:
            hidden = _HIDDEN_AT.match(text, at)
            if hidden:
                yield from _disguised(text, hidden)
            at = text.find(literal, at + 1)


def _disguised(text: str, at: re.Match[str]) -> Iterator[Span]:
    """Find ``name [at] domain [dot] org`` and the like."""
    local = _HIDDEN_LOCAL.search(text, max(0, at.start() - _LOCAL_LIMIT), at.start())
    domain = _HIDDEN_DOMAIN.match(text, at.end())
    if not local or not domain:
        return
    is_bracketed, has_dot_word = at[0].strip()[:1] in "[({<", _DOT_WORD.search(domain[0]) is not None
    if is_bracketed or has_dot_word or _ANNOUNCED.search(text, max(0, local.start() - 40), local.start()):
        yield Span(local.start(), domain.end(), Kind.EMAIL)


def _local_start(text: str, at: int) -> int:
    first = max(0, at - _LOCAL_LIMIT)
    ascii_only, any_script = _LOCAL_ASCII.search(text, first, at), _LOCAL.search(text, first, at)
    start = any_script.start() if any_script else at
    if ascii_only is not None and ascii_only.start() > start and _UNSPACED.match(text, ascii_only.start() - 1):
        start = ascii_only.start()  # a script without spaces runs up to the address
    while start < at and text[start] in ".-":
        start += 1  # punctuation before the address
    return start
