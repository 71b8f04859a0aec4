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


def emails(text: str) -> Iterator[Span]:
    """Find e-mail addresses, looking both ways from each ``@``."""
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


def _local_start(text: str, at: int) -> int:
    first = max(0, at - _LOCAL_LIMIT)
    ascii_only, any_script = _LOCAL_ASCII.search(text, first, at), _LOCAL.search(text, first, at)
    start = any_script.start() if any_script else at
    if ascii_only is not None and ascii_only.start() > start and _UNSPACED.match(text, ascii_only.start() - 1):
        start = ascii_only.start()  # a script without spaces runs up to the address
    while start < at and text[start] in ".-":
        start += 1  # punctuation before the address
    return start
