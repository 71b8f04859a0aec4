"""Code with its colours, as far as they can be afforded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from hybridchat.tui.kept import kept
from hybridchat.tui.lines import MUTED, Line, decoration, fold

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN_LIMIT = 60
"""Lines up to which code is highlighted while it still grows: each update has to read all of it again."""
CLOSED_LIMIT = 600
"""Lines up to which code is highlighted at all: about a quarter of a second."""
_LONGEST = 30_000
"""Characters up to which code is highlighted: one line can be as long as many."""
_TAB = 4


@kept(256)
def highlighted(code: str, language: str) -> Content:
    """Return ``code`` in the colours of ``language``; one that is unknown, or none, leaves it plain.

    A language is always named: without one, each update would load every lexer there is and let it guess.
    """
    from textual.highlight import highlight  # noqa: PLC0415 -- the first frame has no code

    return highlight(code, language=language or "text", tab_size=_TAB)


def code_lines(code: str, info: str, width: int, *, growing: bool) -> Iterator[Line]:
    """Lay out a code block; its language (the first word of ``info``) stands above and is not copied."""
    language = info.split(maxsplit=1)[0] if info.strip() else ""
    if language:
        yield decoration(language[:width], f"{MUTED} italic")
    code = code.rstrip("\n").expandtabs(_TAB)
    limit = OPEN_LIMIT if growing else CLOSED_LIMIT
    coloured = code.count("\n") < limit and len(code) <= _LONGEST
    yield from fold(highlighted(code, language) if coloured else Content(code), width)
