"""A line of several parts that says less of each where there is little room. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridchat.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_BETWEEN = " · "


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a line: the same thing said in ever fewer words, the last of which may be none.

    Where something has to give way, it is the part of the lowest ``rank``, whose rank then rises by one.
    """

    forms: tuple[str, ...]
    rank: int = 0


def fitted(segments: Sequence[Segment], width: int) -> str:
    """Return the parts as a line of at most ``width`` characters, each said as fully as there is room."""
    chosen = [0] * len(segments)
    while len(line := _line(segments, chosen)) > width:
        shorter = [place for place, segment in enumerate(segments) if chosen[place] + 1 < len(segment.forms)]
        if not shorter:
            return one_line(line, max(width, 1))
        chosen[min(shorter, key=lambda place: segments[place].rank + chosen[place])] += 1
    return line


def _line(segments: Sequence[Segment], chosen: Sequence[int]) -> str:
    said = (segment.forms[form] for segment, form in zip(segments, chosen, strict=True))
    return _BETWEEN.join(filter(None, said))
