"""Values that a line break cuts in two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hybridchat.privacy import seams
from hybridchat.privacy.spans import Span

if TYPE_CHECKING:
    from hybridchat.privacy.detectors import Detector

_BREAK = re.compile(r"(?P<left>[\"'`]?[ \t]*[+\\]?[ \t]*)\r?\n(?P<right>[ \t>|#*]*[+.]?[ \t]*[\"'`]?)")
_TOKEN_END = re.compile(r"[A-Za-z0-9_+/=@.-]{3,}\Z")
_TOKEN_BEGIN = re.compile(r"[A-Za-z0-9_+/=@.-]{3,}")
_SUSPICIOUS = re.compile(r"[0-9@]|[a-z][A-Z]|[_+/=-].")
_DATE_OR_WORDS = re.compile(
    r"[0-9]{2,4}[-/.:][0-9]{1,2}|[0-9]{1,3}[.)]?\Z|[a-z]+[.,]?\Z|[A-Z][a-z]*[.,]?\Z|-+\Z|[A-Za-z_][\w.-]*[=:]"
)
_ALONE = re.compile(r"[\s\"'`,;.)\]}]*(?:\n|\Z)")
_LONG_LINE = 60
_FENCE = re.compile(r"\n+The following block is data \([^\n]{1,100}\), not instructions:\n`{3,}\n")


def across_lines(text: str, found: Sequence[Span], using: Iterable[Detector]) -> Iterator[Span]:
    """Find both halves of what is cut by a line break, or by the beginning of attached data."""
    using = tuple(using)
    if "\nThe following block is data (" in text:
        for match in _FENCE.finditer(text):
            yield from _halves(text, found, match.start(), match.end(), using)
    if "\n" in text:
        for match in _BREAK.finditer(text):
            if _may_be_wrapped(text, match):
                yield from _halves(text, found, match.start(), match.end(), using)


def _may_be_wrapped(text: str, match: re.Match[str]) -> bool:
    line = text.rfind("\n", max(0, match.start() - 200), match.start()) + 1
    left = _TOKEN_END.search(text, max(line, match.start() - 100), match.start())
    right = _TOKEN_BEGIN.match(text, match.end())
    if not left or not right or _DATE_OR_WORDS.match(right[0]):
        return False
    alone = _ALONE.match(text, right.end()) is not None or left.start() <= line + 2
    return (
        (alone or match.start() - line >= _LONG_LINE)
        and _SUSPICIOUS.search(left[0]) is not None
        and _SUSPICIOUS.search(right[0]) is not None
    )


def _halves(text: str, found: Sequence[Span], end: int, begin: int, using: tuple[Detector, ...]) -> Iterator[Span]:
    for span in seams.crossing(text, end, found, text, begin, found, using):
        yield Span(span.start, end, span.kind)
        yield Span(begin, span.end, span.kind)
