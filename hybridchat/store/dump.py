"""Everything in the database as plain values, whatever tables it has."""

from __future__ import annotations

import sqlite3
from typing import Any

from hybridchat.store import journal
from hybridchat.store.erasing import INDEXES

Table = list[dict[str, Any]]


def dump(connection: sqlite3.Connection) -> dict[str, Table]:
    """Return all rows of all tables by the table's name; the search index, which is made of them, is left out.

    Tokens with their logprobs are given as pairs, other bytes in hexadecimal.
    """
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        )
        if not name.startswith(INDEXES)
    ]
    return {name: _rows(connection, name) for name in names}


def _rows(connection: sqlite3.Connection, table: str) -> Table:
    cursor = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own names
    columns = [column[0] for column in cursor.description]
    return [{name: _plain(name, value) for name, value in zip(columns, row, strict=True)} for row in cursor]


def _plain(column: str, value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    return [list(pair) for pair in journal.unpack(value)] if column == "logprobs" else value.hex()
