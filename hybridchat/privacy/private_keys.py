"""Private keys in blocks of text, whole or cut off at either end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridchat.privacy.spans import Kind, Span

_BEGIN = re.compile(r"-{4,5}[ ]?BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?[ ]?-{4,5}")
_END = re.compile(r"-{4,5}[ ]?END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?[ ]?-{4,5}")
_BODY = re.compile(r"""(?:(?:\s|\\[nr]|["'+,>])*[A-Za-z0-9+/=]{16,}+)*""")
_LONGEST = 6_000  # characters of a block: RSA keys of 8192 bits have fewer
_GAP = r"""(?:[\s\"'+,>]|[nr]\\)"""
_REVERSED_BODY = re.compile(
    rf"{_GAP}{{0,20}}+[A-Za-z0-9+/=]{{4,76}}+(?:{_GAP}{{1,20}}+[A-Za-z0-9+/=]{{40,76}}+){{0,120}}"
)
_PUTTY = re.compile(r"Private-Lines: [0-9]{1,3}\r?\n(?:[A-Za-z0-9+/=]{1,76}\r?\n?){1,100}")
_OPENSSH = re.compile(r"b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=\s]{20,}")


def private_keys(text: str) -> Iterator[Span]:
    """Find private key blocks (PEM, OpenSSH, PGP, PuTTY); of one that is cut off, whatever looks like its body."""
    begins = list(_BEGIN.finditer(text))
    limits = [*(begin.start() for begin in begins[1:]), len(text)]
    ends = list(_END.finditer(text))
    used = 0
    for begin, limit in zip(begins, limits, strict=False):
        while used < len(ends) and ends[used].start() < begin.end():
            yield from _cut_off(text, ends[used])
            used += 1
        if used < len(ends) and ends[used].end() <= limit:
            yield Span(begin.start(), ends[used].end(), Kind.PRIVATE_KEY)
            used += 1
        else:
            body = _BODY.match(text, begin.end(), limit)
            yield Span(begin.start(), body.end() if body else begin.end(), Kind.PRIVATE_KEY)
    for end in ends[used:]:
        yield from _cut_off(text, end)
    if "Private-Lines: " in text:
        yield from (Span(*match.span(), Kind.PRIVATE_KEY) for match in _PUTTY.finditer(text))
    if "b3BlbnNzaC1rZXktdjE" in text:
        yield from (Span(*match.span(), Kind.PRIVATE_KEY) for match in _OPENSSH.finditer(text))


def _cut_off(text: str, end: re.Match[str]) -> Iterator[Span]:
    """Find the lines before an end that has no beginning; read from behind, since only the last may be short."""
    before = text[max(0, end.start() - _LONGEST) : end.start()][::-1]
    body = _REVERSED_BODY.match(before)
    if body:
        yield Span(end.start() - body.end(), end.end(), Kind.PRIVATE_KEY)
