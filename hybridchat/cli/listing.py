"""Prints what a command found: a table for people, tab-separated lines for pipes, JSON Lines for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from hybridchat.plain.streams import Narration, Output
from hybridchat.text import one_line

Record = Mapping[str, object]

_WIDEST = 1000  # characters of one cell in a pipe


def show_records(records: Sequence[Record], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Print ``records``: their ``columns`` to people and pipes, all of them as JSON, one object a line.

    ``empty`` is what a person reads where there is nothing. Raises ``ReaderGone`` and ``CannotWrite``.
    """
    output = Output(sys.stdout, encoding="utf-8" if as_json else None)
    if as_json:
        for record in records:
            output.write(msgspec.json.encode(record).decode() + "\n")
    elif not records:
        Narration(sys.stderr).say(empty)
    elif output.is_terminal:
        output.write(_table(records, columns))
    else:
        for record in records:
            output.write("\t".join(_cell(record.get(column), _WIDEST) for column in columns) + "\n")


def show_text(text: str) -> None:
    """Print text, made safe for a terminal by the caller. Raises ``ReaderGone`` and ``CannotWrite``."""
    Output(sys.stdout).write(text if text.endswith("\n") else text + "\n")


def show_lines(lines: Iterable[str]) -> None:
    """Print JSON Lines as they come. Raises ``ReaderGone`` and ``CannotWrite``."""
    output = Output(sys.stdout, encoding="utf-8")
    for line in lines:
        output.write(line + "\n")


def tell(line: str) -> None:
    """Tell a person what was done."""
    Narration(sys.stderr).say(line)


def _table(records: Sequence[Record], columns: Sequence[str]) -> str:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 -- only a terminal needs it
    from rich.console import Console  # noqa: PLC0415 -- the same
    from rich.table import Table  # noqa: PLC0415 -- the same
    from rich.text import Text  # noqa: PLC0415 -- the same

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for record in records:
        table.add_row(*(Text(_cell(record.get(column), _WIDEST)) for column in columns))
    console = Console()
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _cell(value: object, limit: int) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone():%Y-%m-%d %H:%M}"
        case Mapping():
            return ", ".join(f"{count} {kind}" for kind, count in value.items())
        case tuple() | list():
            return ", ".join(str(item) for item in value)
        case _:
            return one_line(str(value), limit)
