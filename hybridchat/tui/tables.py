"""Tables fitted into a width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.content import Content

from hybridchat.tui.inline import References, inline
from hybridchat.tui.kept import kept
from hybridchat.tui.lines import BLANK, MUTED, Line, decoration, hang, narrower, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridchat.tui.tree import Node

Align = Literal["left", "center", "right"]
_NARROWEST_COLUMN = 4
_BETWEEN = Content.styled(" │ ", MUTED)
_HEAD = "bold"


@dataclass(frozen=True, slots=True)
class _Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[Align, ...]


def table_lines(node: Node, width: int, references: References) -> Iterator[Line]:
    """Lay out a table in columns; where even narrow ones do not fit, row by row with the headings before the cells."""
    table = _read(node)
    widths = _fit([_natural(table, column, references) for column in range(len(table.head))], width)
    if widths is None:
        yield from _records(table, width, references)
        return
    yield from _row(table.head, widths, table.align, references, _HEAD)
    yield decoration("─┼─".join("─" * column for column in widths), MUTED)
    for row in table.rows:
        yield from _row(row, widths, table.align, references, "")


def _read(node: Node) -> _Table:
    rows = [
        [(cell.text(), str(cell.token.attrs.get("style", ""))) for cell in row.children]
        for part in node.children
        for row in part.children
    ]
    cells = [tuple(text for text, _ in row) for row in rows]
    return _Table(cells[0], tuple(cells[1:]), tuple(_alignment(style) for _, style in rows[0]))


def _alignment(style: str) -> Align:
    if style.endswith("center"):
        return "center"
    return "right" if style.endswith("right") else "left"


def _natural(table: _Table, column: int, references: References) -> int:
    return max(1, *(_cell_width(row[column], references) for row in (table.head, *table.rows)))


@kept(4096)
def _cell_width(text: str, references: References) -> int:
    return max(line.cell_length for line in inline(text, references).split(allow_blank=True))


def _fit(natural: list[int], width: int) -> tuple[int, ...] | None:
    """Return the columns' widths: the wide ones give way first and equally. None where they would be unreadable."""
    room = width - len(_BETWEEN) * (len(natural) - 1)
    if sum(min(column, _NARROWEST_COLUMN) for column in natural) > room:
        return None
    fitted = list(natural)
    left, pending = room, sorted(range(len(natural)), key=natural.__getitem__)
    for position, column in enumerate(pending):
        fitted[column] = min(natural[column], left // (len(pending) - position))
        left -= fitted[column]
    return tuple(fitted)


@kept(4096)
def _row(
    row: tuple[str, ...], widths: tuple[int, ...], align: tuple[Align, ...], references: References, style: str
) -> tuple[Line, ...]:
    columns = [
        [line.content for line in wrap(inline(text, references).stylize_before(style), cells)]
        for text, cells in zip(row, widths, strict=True)
    ]
    return tuple(
        Line(
            _BETWEEN.join(
                _aligned(column[y] if y < len(column) else Content(), cells, side)
                for column, cells, side in zip(columns, widths, align, strict=True)
            )
        )
        for y in range(max(map(len, columns)))
    )


def _aligned(content: Content, cells: int, side: Align) -> Content:
    room = max(0, cells - content.cell_length)
    left = {"left": 0, "center": room // 2, "right": room}[side]
    return content.pad(left, room - left)


def _records(table: _Table, width: int, references: References) -> Iterator[Line]:
    indent = Content("  ")
    for number, row in enumerate(table.rows or (("",) * len(table.head),)):
        if number:
            yield BLANK
        for name, text in zip(table.head, row, strict=True):
            cell = Content.assemble(inline(name, references).stylize_before(_HEAD), ": ", inline(text, references))
            yield from hang(wrap(cell, narrower(width, len(indent))), Content(), indent)
