"""Drops the ledger's oldest rows, once they were kept long enough, so that the chain still holds and says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeAlias

from hybridchat.store import chain, rows
from hybridchat.store.chain import Event, Row, Seal

Rewriting: TypeAlias = Callable[[sqlite3.Connection, Seal], Row]

_NOT_DELETED = "ledger_is_not_deleted"


def last_before(connection: sqlite3.Connection, time: str) -> int | None:
    """Return the last row to drop so that none younger than ``time`` goes and no outcome loses its other half.

    Rows that tell of an event stay with what follows them. None where nothing is old enough.
    """
    number = connection.execute(
        """
        SELECT coalesce((SELECT min(number) FROM ledger WHERE json_extract(entry, '$.time') >= ?1), max(number) + 1) - 1
        FROM ledger
        """,
        (time,),
    ).fetchone()[0]
    if number is None:
        return None
    while True:  # an outcome may stand far behind what it belongs to
        cut = connection.execute(
            "SELECT min(sent_number) - 1 FROM ledger WHERE number > ?1 AND sent_number <= ?1", (number,)
        ).fetchone()[0]
        if cut is None:
            break
        number = cut
    old = connection.execute(
        "SELECT 1 FROM ledger WHERE number <= ? AND json_extract(entry, '$.event') IS NULL LIMIT 1", (number,)
    ).fetchone()
    return number if old else None


def dropping(last: int) -> Rewriting:
    """Return what drops all rows up to ``last`` and appends one that says so."""

    def drop(connection: sqlite3.Connection, seal: Seal) -> Row:
        count, mac = connection.execute(
            "SELECT count(*), max(mac) FILTER (WHERE number = ?1) FROM ledger WHERE number <= ?1", (last,)
        ).fetchone()
        note = f"{count} rows up to row {last} were dropped, because they had been kept as long as they should be"
        content = {"time": rows.now(), "event": Event.DROPPED, "note": note, "rows": count, "last": last}
        row = chain.following(connection, seal, None, rows.as_json({**content, "mac": mac.hex()}))
        chain.append(connection, row)
        trigger = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (_NOT_DELETED,)).fetchone()
        connection.execute(f"DROP TRIGGER {_NOT_DELETED}")
        connection.execute("DELETE FROM ledger WHERE number <= ?", (last,))
        connection.execute(trigger[0])
        return row

    return drop
