"""Display lines: text cut to a width, that still knows what it was before it was cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from textual.content import Content

NARROWEST = 12
"""The least width, in cells, that anything is laid out for; a narrower terminal crops."""
_NARROWEST_INSIDE = 4
MUTED = "dim"
"""The style of what stands back: the one that every theme, a terminal's own colours and no colours at all know."""


@dataclass(frozen=True, slots=True)
class Line:
    r"""One line on the screen, no wider than the width it was made for.

    ``skip`` leading characters are decoration (a hanging indent, the bar of a quote) and no part of the text.
    ``glue`` is what the text has between this line and the next: a line break, or what the wrap swallowed.
    """

    content: Content
    skip: int = 0
    glue: str = "\n"

    def same(self, other: Line) -> bool:
        """Whether both look the same and copy the same."""
        return self is other or (
            self.skip == other.skip and self.glue == other.glue and self.content.is_same(other.content)
        )


BLANK = Line(Content())


def decoration(text: str, style: str) -> Line:
    """Return a line of its own that is drawn and never copied."""
    return Line(Content.styled(text, style), len(text), "")


def wrap(content: Content, width: int) -> Iterator[Line]:
    """Cut at spaces, so that every line fits into ``width`` cells; a longer word is cut where it must be."""
    for logical in content.split(allow_blank=True):
        pieces = logical.wrap(width)
        text, end = logical.plain, 0
        for piece, following in pairwise(pieces):
            end += len(piece)
            start = end
            while not text.startswith(following.plain, start) and text[start : start + 1].isspace():
                start += 1
            yield Line(piece, glue=text[end:start])
            end = start
        yield Line(pieces[-1])


def fold(content: Content, width: int) -> Iterator[Line]:
    """Cut every ``width`` cells and nowhere else, as code wants it."""
    for logical in content.split(allow_blank=True):
        pieces = logical.fold(width)
        for piece in pieces[:-1]:
            yield Line(piece, glue="")
        yield Line(pieces[-1])


def hang(lines: Iterable[Line], first: Content, rest: Content) -> Iterator[Line]:
    """Put ``first`` before the first line and ``rest``, as wide, before the others; only what wraps skips it."""
    prefix, wrapped = first, False
    for number, line in enumerate(lines):
        skip = len(prefix) + line.skip if wrapped or line.skip else 0
        yield Line(prefix + line.content if line.content or not number else line.content, skip, line.glue)
        prefix, wrapped = rest, line.glue != "\n" and line.skip < len(line.content)


def bar(lines: Iterable[Line], prefix: Content) -> Iterator[Line]:
    """Put ``prefix`` before every line, as decoration."""
    for line in lines:
        yield Line(prefix + line.content, len(prefix) + line.skip, line.glue)


def narrower(width: int, by: int) -> int:
    """Return what is left of ``width`` after an indent of ``by``, never so little that text would vanish."""
    return max(_NARROWEST_INSIDE, width - by)
