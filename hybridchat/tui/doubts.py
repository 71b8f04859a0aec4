"""Where in an answer its model was unsure, found again in what is drawn of it. Pure."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate
from typing import TYPE_CHECKING

from textual.content import Content

from hybridchat.text import clean
from hybridchat.tui.lines import MUTED, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SHAKY = 0.5
"""A token whose probability is below this is underlined: the model would rather often have said something else."""
VERY_SHAKY = 0.2
"""Below this, in bold, too."""
STYLES = {False: "underline dim", True: "underline bold"}
"""By whether it is very shaky."""
GUTTER = 2
"""Cells at the left in which a line says that something in it is shaky: seen where no style is."""

_MARKS = {None: Content("  "), False: Content.styled("~ ", MUTED), True: Content.styled("? ", "bold")}
_WORD = re.compile(r"\w+|[^\w\s]")
_NEAR = 60  # characters in which a token is looked for that does not stand where the one before it ended


@dataclass(frozen=True, slots=True)
class Doubt:
    """Characters ``start`` to ``end`` of a text, whose token had less than an even chance; ``very``: much less."""

    start: int
    end: int
    very: bool


def doubts(text: str, tokens: Iterable[tuple[str, float]]) -> list[Doubt]:
    """Return the shaky tokens of ``text``, without the spaces around them; ``tokens`` have natural logarithms.

    A token that does not stand in the text as the model gave it (half a character, what was cleaned away) is left out.
    """
    found: list[Doubt] = []
    position = 0
    for token, logprob in tokens:
        piece = clean(token)
        start = text.find(piece, position, position + len(piece) + _NEAR)
        if start < 0 or not (piece == token or piece.strip()):
            continue
        position = start + len(piece)
        probability = math.exp(min(logprob, 0.0))
        if probability < SHAKY and piece.strip():
            start += len(piece) - len(piece.lstrip())
            found.append(Doubt(start, start + len(piece.strip()), probability < VERY_SHAKY))
    return found


def within(doubted: Iterable[Doubt], start: int, end: int) -> list[Doubt]:
    """Return what lies between ``start`` and ``end``, counted from ``start``."""
    return [
        replace(one, start=max(one.start, start) - start, end=min(one.end, end) - start)
        for one in doubted
        if one.start < end and one.end > start
    ]


def underlined(lines: Sequence[Line], source: str, doubted: Sequence[Doubt]) -> tuple[Line, ...]:
    """Return ``lines``, drawn from the Markdown ``source``, with what is doubted underlined and a mark before them.

    Words of the source are found again in the lines in their order; what Markdown writes and nobody sees is not there.
    """
    texts = [line.content.plain[line.skip :] + line.glue for line in lines]
    starts = [0, *accumulate(map(len, texts))]
    styled = [line.content for line in lines]
    marks: list[bool | None] = [None] * len(lines)
    for start, end, very in _drawn(source, "".join(texts), doubted):
        for row in range(bisect_right(starts, start) - 1, len(lines)):
            if starts[row] >= end:
                break
            shift = lines[row].skip - starts[row]
            styled[row] = styled[row].stylize(STYLES[very], max(start + shift, lines[row].skip), end + shift)
            marks[row] = bool(marks[row]) or very
    return tuple(
        replace(line, content=_MARKS[mark] + content, skip=line.skip + GUTTER)
        for line, content, mark in zip(lines, styled, marks, strict=True)
    )


def legend(doubted: Sequence[Doubt], tokens: int) -> str:
    """Return what the marks mean, and how many there are."""
    return (
        f"~ underlined: less than {SHAKY:.0%} likely; ? in bold: less than {VERY_SHAKY:.0%} "
        f"({len(doubted)} of {tokens} tokens)"
    )


def _drawn(source: str, drawn: str, doubted: Sequence[Doubt]) -> Iterator[tuple[int, int, bool]]:
    """Yield what of ``drawn`` is doubted, word by word: start, end, and whether it is very shaky."""
    words, drawn_words = list(_WORD.finditer(source)), list(_WORD.finditer(drawn))
    matcher = SequenceMatcher(None, [word[0] for word in words], [word[0] for word in drawn_words])
    ends = [word.end() for word in words]
    place = {
        first + offset: second + offset
        for first, second, length in matcher.get_matching_blocks()
        for offset in range(length)
    }
    for one in doubted:
        for number in range(bisect_right(ends, one.start), len(words)):
            word = words[number]
            if word.start() >= one.end:
                break
            if (there := place.get(number)) is not None:
                shift = drawn_words[there].start() - word.start()
                yield max(one.start, word.start()) + shift, min(one.end, word.end()) + shift, one.very
