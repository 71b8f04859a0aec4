"""Walks along the ledger's chain and says where it does not fit."""

from __future__ import annotations

import hmac
import sqlite3
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hybridchat.store.chain import GENESIS, UNKEYED, Event, Head, Seal
from hybridchat.store.guard import KeptHead
from hybridchat.store.records import Verification

_Row = tuple[int, int | None, str, str, bytes]


def verify(connection: sqlite3.Connection, seal: Seal, kept: KeptHead | None) -> Verification:
    """Walk along the chain up to its first broken row, or its end.

    What a ``restarted`` row left behind is not held against the chain, but told. ``kept`` is the head that was kept
    elsewhere: the chain must reach it.
    """
    walk = _Walk(connection, seal)
    for row in connection.execute("SELECT number, sent_number, entry, algorithm, mac FROM ledger ORDER BY number"):
        walk.take(row)
    broken = walk.broken
    if broken is None and kept is not None and not kept.fits(connection):
        broken = _misses(connection, kept.settled)
    return Verification(
        walk.rows,
        walk.keyed,
        walk.unverifiable,
        broken_at=broken[0] if broken else None,
        problem=broken[1] if broken else "",
        head_is_kept=kept is not None,
        notes=tuple(walk.notes),
    )


def _misses(connection: sqlite3.Connection, settled: Head) -> tuple[int, str]:
    last = connection.execute("SELECT coalesce(max(number), 0) FROM ledger").fetchone()[0]
    if last < settled[0]:
        return last + 1, f"Rows {last + 1} to {settled[0]} were cut off."
    return settled[0], f"Row {settled[0]} was rewritten: it is not the row that was noted in the keyring."


class _Dropped(msgspec.Struct):
    last: int
    mac: str


@dataclass
class _Walk:
    connection: sqlite3.Connection
    seal: Seal
    rows: int = 0
    keyed: int = 0
    unverifiable: int = 0
    broken: tuple[int, str] | None = None
    notes: list[str] = field(default_factory=list)
    previous: Head = GENESIS

    def __post_init__(self) -> None:
        self.previous = self._start()

    def take(self, row: _Row) -> None:
        """Look at the next row."""
        number, _, entry, algorithm, mac = row
        event = _event(entry)
        kind = event.get("event") if event is not None else None
        # Whoever has no key could otherwise cover up a change with a row that says that all begins anew.
        ours = algorithm == self.seal.algorithm
        if event is not None and kind == Event.RESTARTED and ours and self._fits(row, self._stored_before(number)):
            self._begin_anew(number, event)
        elif self.broken is None:
            self.broken = self._problem(row)
        if self.broken is not None:
            return
        self.rows += 1
        if algorithm != UNKEYED:
            self.keyed += 1
            self.unverifiable += algorithm != self.seal.algorithm
        if event is not None and not (kind == Event.RESTARTED and ours):
            self.notes.append(f"Row {number}: {event.get('note', '')}")
        self.previous = number, mac

    def _problem(self, row: _Row) -> tuple[int, str] | None:
        expected = self.previous[0] + 1
        if row[0] != expected:
            return expected, f"Row {expected} is missing."
        if not self._fits(row, self.previous[1]):
            return expected, f"Row {expected} was changed, or a row before it was changed or moved."
        return None

    def _fits(self, row: _Row, previous: bytes) -> bool:
        number, sent_number, entry, algorithm, mac = row
        if algorithm not in {UNKEYED, self.seal.algorithm}:
            return True  # counted as unverifiable
        seal = self.seal if algorithm == self.seal.algorithm else Seal(None)
        return hmac.compare_digest(seal.of_row(previous, number, sent_number, entry), mac)

    def _begin_anew(self, number: int, event: dict[str, Any]) -> None:
        self.rows = self.keyed = self.unverifiable = 0
        before = f" Before it, the chain did not fit at row {self.broken[0]}: {self.broken[1]}" if self.broken else ""
        self.notes.append(f"Row {number}: {event.get('note', '')}{before}")
        self.broken = None

    def _stored_before(self, number: int) -> bytes:
        row = self.connection.execute(
            "SELECT mac FROM ledger WHERE number < ? ORDER BY number DESC LIMIT 1", (number,)
        ).fetchone()
        return GENESIS[1] if row is None else bytes(row[0])

    def _start(self) -> Head:
        """Return the row before the first one: what the last ``dropped`` row says, whose own MAC is looked at later.

        One without a key counts only where no row before it has one.
        """
        found = self.connection.execute(
            """
            SELECT entry FROM ledger AS told
            WHERE CASE WHEN json_valid(entry) THEN json_extract(entry, '$.event') END = ?1 AND (algorithm = ?2
                OR NOT EXISTS (SELECT 1 FROM ledger WHERE number < told.number AND algorithm <> ?3))
            ORDER BY number DESC LIMIT 1
            """,
            (Event.DROPPED, self.seal.algorithm, UNKEYED),
        ).fetchone()
        if found is None:
            return GENESIS
        try:
            dropped = msgspec.json.decode(found[0], type=_Dropped)
            return dropped.last, bytes.fromhex(dropped.mac)
        except ValueError:
            return GENESIS  # it was changed; its MAC says so


def _event(entry: str) -> dict[str, Any] | None:
    try:
        content = msgspec.json.decode(entry)
    except msgspec.MsgspecError:
        return None  # it was changed; its MAC says so
    return content if isinstance(content, dict) and "event" in content else None
