"""Values that a line break cuts in two."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hybridchat.privacy.seams import WINDOW, Seam, crossing
from hybridchat.privacy.spans import Span

if TYPE_CHECKING:
    from hybridchat.privacy.detectors import Detector

_JOINT = " \t\r\"'`+\\"  # what may stand between the end of a half and the end of its line
_LINE_BEGINNING = re.compile(r"[ \t>|#*]*[+.]?[ \t]*[\"'`]?")
_TOKEN = re.compile(r"[A-Za-z0-9_+/=@.-]{3,600}")
_IN_A_TOKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=@.-")
_LONGEST_TOKEN = 100
_SUSPICIOUS = re.compile(r"[0-9@]|[a-z][A-Z]|[_+/=-].")
_DATE_OR_WORDS = re.compile(
    r"[0-9]{2,4}[-/.:][0-9]{1,2}|[0-9]{1,3}[.)]?\Z|[a-z]+[.,]?\Z|[A-Z][a-z]*[.,]?\Z|-+\Z|[A-Za-z_][\w.-]*[=:]"
)
_ALONE = re.compile(r"[\s\"'`,;.)\]}]*(?:\n|\Z)")
_LONG_LINE = 60
_CONTEXT = 24  # characters on both sides of a line break, and the whole tokens
_FENCE = re.compile(r"\n+The following block is data \([^\n]{1,100}\), not instructions:\n`{3,}\n")


def across_lines(text: str, found: Sequence[Span], using: Iterable[Detector]) -> Iterator[Span]:
    """Find both halves of what is cut by a line break, or by the beginning of attached data."""
    seams = [
        Seam(text, end, _near(found, end), text, begin, _near(found, begin), before, after)
        for end, begin, before, after in (*_attachments(text), *_line_breaks(text))
    ]
    if seams:
        for halves in crossing(seams, using):
            yield from halves


def _attachments(text: str) -> Iterator[tuple[int, int, int, int]]:
    if "\nThe following block is data (" in text:
        yield from ((*match.span(), WINDOW, WINDOW) for match in _FENCE.finditer(text))


def _line_breaks(text: str) -> Iterator[tuple[int, int, int, int]]:
    newline = text.find("\n")
    while newline >= 0:
        end = newline
        while end > 0 and newline - end < 6 and text[end - 1] in _JOINT:
            end -= 1
        if end > 0 and text[end - 1] in _IN_A_TOKEN:
            begin = _end_of(_LINE_BEGINNING, text, newline + 1)
            left, right = _tokens(text, end, begin)
            if right:
                yield end, begin, max(_CONTEXT, len(left)), max(_CONTEXT, len(right))
        newline = text.find("\n", newline + 1)


def _tokens(text: str, end: int, begin: int) -> tuple[str, str]:
    """Return what may be the halves of a value before and after a line break; empty where they are none."""
    line = text.rfind("\n", max(0, end - 200), end) + 1
    left = text[max(line, end - _LONGEST_TOKEN) : end].rsplit(None, 1)[-1:]
    if not left or not _SUSPICIOUS.search(left[0]):
        return "", ""
    right = _TOKEN.match(text, begin)
    if not right or _DATE_OR_WORDS.match(right[0]) or not _SUSPICIOUS.search(right[0]):
        return "", ""
    is_alone = _ALONE.match(text, right.end()) is not None or end - len(left[0]) <= line + 2
    return (left[0], right[0]) if is_alone or end - line >= _LONG_LINE else ("", "")


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _near(found: Sequence[Span], at: int) -> Sequence[Span]:
    """Return the few of the spans, which are in order, that stand near an offset."""
    here = bisect_left(found, at, key=lambda span: span.start)
    return found[max(0, here - 3) : here + 3]
