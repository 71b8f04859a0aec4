r"""Where a private value may be cut out of a text so that what is left is still valid JSON, code or markup."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hybridchat.privacy.spans import Kind, Span, merged

_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_LONGEST_ESCAPE = 10
_ASCII_DIGITS = frozenset("0123456789")
_QUOTES = "\"'`’"
_WITH_QUOTES = {Kind.PASSWORD, Kind.PRIVATE_KEY, Kind.WORD, Kind.PLACEHOLDER}  # may well end with a quote
_PATHS = {Kind.NAME, Kind.HOME, Kind.HOST, Kind.WORD}

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z")
_BEFORE_NUMBER = re.compile(
    r"(?:\A|[=(\[,<>+*/]|[\"'`]\s{0,8}:|\{[^\n{}]{0,400}:|\b(?:return|in|case|and|or|not))\s{0,300}\Z"
)
_AFTER_NUMBER = re.compile(r"\s{0,8}(?:[,;)\]}:=<>+*/]|$|#|//|--|\b(?:AND|OR|and|or|else|if)\b)", re.MULTILINE)
_WINDOW = 420


def fitted(text: str, spans: Iterable[Span]) -> list[Span]:
    r"""Return ``spans`` in order, disjoint, none of them beginning or ending inside an escape or before a digit.

    The letter of an escape such as ``\n`` is left to it; of ``\u00e9`` the whole is taken. Digits right after a span
    join it, for a placeholder ends with a number.
    """
    escapes = "\\" in text
    return merged(_fitted(text, span, escapes=escapes) for span in spans)


def _fitted(text: str, span: Span, *, escapes: bool) -> Span:
    start, end = span.start, span.end
    if escapes:
        start, end = _start(text, span), _end(text, end)
    if span.kind not in _WITH_QUOTES:
        while end - 1 > start and text[end - 1] in _QUOTES:
            end -= 1
    while end < len(text) and text[end] in _ASCII_DIGITS:
        end += 1
    return span if (start, end) == (span.start, span.end) else Span(start, end, span.kind)


def _start(text: str, span: Span) -> int:
    escape = _escape_around(text, span.start)
    if escape is None:
        return span.start
    if escape.end() - escape.start() > 2:
        return escape.start()
    if span.kind in _PATHS and text[span.start] != "n":  # C:\Users\bob
        return span.start
    return escape.end() if escape.end() < span.end else escape.start()


def _end(text: str, end: int) -> int:
    escape = _escape_around(text, end)
    return escape.end() if escape else end


def _escape_around(text: str, edge: int) -> re.Match[str] | None:
    """Return the escape that ``edge`` stands inside of."""
    backslash = text.rfind("\\", max(0, edge - _LONGEST_ESCAPE), edge)
    if backslash < 0:
        return None
    run = backslash
    while run > 0 and text[run - 1] == "\\":
        run -= 1
    if (backslash - run) % 2:
        return None  # an escaped backslash
    escape = _ESCAPE.match(text, backslash)
    return escape if escape is not None and escape.end() > edge else None


def is_bare_number(text: str, span: Span) -> bool:
    """Whether the value is a number where JSON or code has room for nothing else."""
    return (
        _NUMBER.match(text[span.start : span.end]) is not None
        and _BEFORE_NUMBER.search(text, max(0, span.start - _WINDOW), span.start) is not None
        and _AFTER_NUMBER.match(text, span.end) is not None
    )
