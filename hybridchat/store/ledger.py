"""The append-only record of everything that left the machine, written before it leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from hybridchat.errors import InputError, InputMissing, KeyMissing, KeyUnusable
from hybridchat.store import chain, dropping, rows
from hybridchat.store.chain import Event, Row, Seal
from hybridchat.store.connection import Worker
from hybridchat.store.guard import Guard, GuardedChain, KeptHead
from hybridchat.store.records import LedgerEntry, Outcome, Sent, Verification
from hybridchat.store.verification import verify

_Entries: TypeAlias = list[LedgerEntry]  # inside the class, `list` is one of its methods

_SENT = """
    SELECT sent.number, sent.entry, sent.algorithm, outcome.entry
    FROM ledger AS sent LEFT JOIN ledger AS outcome ON outcome.sent_number = sent.number
    WHERE sent.sent_number IS NULL
        AND CASE WHEN json_valid(sent.entry) THEN json_extract(sent.entry, '$.event') END IS NULL
"""


class Ledger:
    """What was sent, and what became of it; the rows are chained, as ``chain`` explains.

    ``guard`` keeps the chain's key and head, as ``guard`` explains; it is asked at the first write or verification,
    on a thread of its own (a keyring may wait for its user). Without one the chain stands unguarded. ``lock`` is a
    file that all who append take; None where nobody else can.
    """

    def __init__(self, writer: Worker, reader: Worker, guard: Guard | None = None, lock: Path | None = None) -> None:
        self._writer = writer
        self._reader = reader
        self._chain = GuardedChain(writer, guard, lock)

    async def sent(self, entry: Sent) -> int:
        """Record what is about to leave and return the row's number. It is on the disk when this returns.

        Raises ``KeyMissing`` where the ledger was guarded by a key that cannot be read now, ``KeyUnusable`` where the
        keyring holds something else, and ``Blocked`` where the ledger was tampered with: nothing may be sent then.
        """
        seal = await self._chain.seal_at_hand()
        content = {
            "time": rows.now(),
            "conversation_id": entry.conversation_id,
            "message_id": entry.message_id,
            "reason": entry.reason,
            "endpoint": entry.endpoint,
            "url": entry.url,
            "model": entry.model,
            "bytes": len(entry.payload),
            "payload_hash": f"{seal.algorithm}:{seal.of(entry.payload).hex()}",
            "placeholders": dict(entry.placeholders),
        }
        return (await self._chain.append_before_sending(seal, rows.as_json(content))).number

    async def outcome(self, sent_number: int, entry: Outcome) -> int:
        """Record what became of a ``Sent``, once, and return the new row's number."""
        seal = await self._chain.seal_at_hand()
        content = rows.as_json({"time": rows.now(), **msgspec.to_builtins(entry)})

        def refuse_another(connection: sqlite3.Connection) -> None:
            waiting = connection.execute(
                "SELECT 1 FROM ledger WHERE number = ?1 AND sent_number IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM ledger WHERE sent_number = ?1)",
                (sent_number,),
            )
            if waiting.fetchone() is None:
                raise InputMissing(
                    f"The ledger has no row {sent_number} that waits for its outcome.",
                    hint="An outcome is recorded once, for something that was sent.",
                )

        return (await self._chain.append_afterwards(seal, sent_number, content, refuse_another)).number

    async def list(self, limit: int = 50) -> _Entries:
        """Return what was sent, the last first. Raises ``InputError`` where a row was changed to something else."""
        return await self._entries(f"{_SENT} ORDER BY sent.number DESC LIMIT ?", (limit,))

    async def get(self, number: int) -> LedgerEntry:
        """Return what was sent under this number. Raises ``InputMissing``, and ``InputError`` as ``list``."""
        found = await self._entries(f"{_SENT} AND sent.number = ?", (number,))
        if not found:
            raise InputMissing(
                f"The ledger has no entry {number}.", hint="See their numbers with `hybridchat egress list`."
            )
        return found[0]

    async def raw(self) -> Sequence[tuple[int, int | None, str, str, str]]:
        """Return all rows as they are chained: number, number of what it is the outcome of, entry, algorithm, MAC."""
        statement = "SELECT number, sent_number, entry, algorithm, lower(hex(mac)) FROM ledger ORDER BY number"
        return await self._reader.run(lambda connection: connection.execute(statement).fetchall())

    async def spent(self, since: datetime) -> float:
        """Return the known costs of what ended since then, in US dollars."""
        statement = """
            SELECT total(json_extract(entry, '$.cost'))
            FROM (SELECT iif(json_valid(entry), entry, '{}') AS entry FROM ledger WHERE sent_number IS NOT NULL)
            WHERE json_extract(entry, '$.time') >= ?
        """
        row = await self._reader.run(
            lambda connection: connection.execute(statement, (rows.written(since),)).fetchone()
        )
        return float(row[0])

    async def verify(self) -> Verification:
        """Check every row, and with the head that the guard keeps also that nothing was cut off or rewritten.

        Where a key is at hand, rows that are not keyed deserve a word to the user (``Verification.keyed``): the key
        could not be read when they were written, or someone else wrote them.

        Raises ``KeyMissing`` where rows are keyed and the key cannot be read, ``KeyUnusable`` where the keyring holds
        something that is not ours.
        """
        kept: KeptHead | None = None
        try:
            seal = await self._chain.seal()
            kept = await self._chain.kept_head()
        except KeyMissing:
            if await self._reader.run(chain.last_algorithm) != chain.UNKEYED:
                raise
            seal = Seal(None)
        return await self._reader.run(lambda connection: verify(connection, seal, kept))

    async def restart(self, *, guarded: bool) -> int:
        """Begin a new chain behind the rows that are there, in a row that says so; return its number.

        ``guarded`` False leaves it without a key, for a machine that has no keyring. Raises ``KeyMissing`` and
        ``KeyUnusable`` where it is to be guarded and cannot be.
        """
        seal = await self._chain.seal() if guarded else Seal(None)
        note = "the user began a new chain" + ("" if seal.is_keyed else ", which no key guards")
        return (await self._chain.rewrite(_event(Event.RESTARTED, note), seal)).number

    async def tell_of_erasure(self) -> int:
        """Begin an empty ledger with a row that says that everything before was erased; return its number.

        Where the keyring fails, the row stands without a key or without a head that is kept.
        """
        event = _event(Event.ERASED, "everything before was erased by the user")
        try:
            seal = await self._chain.seal_at_hand()
        except KeyUnusable:
            seal = Seal(None)
        return (await self._chain.rewrite(event, seal, must_be_kept=False)).number

    async def drop_before(self, time: datetime) -> int:
        """Drop what was sent before then, leave a row that says so, and return how many rows went.

        Raises ``KeyMissing``, ``KeyUnusable`` and ``Blocked`` as ``sent`` does: only a whole chain is shortened.
        """
        last = await self._reader.run(lambda connection: dropping.last_before(connection, rows.written(time)))
        if last is None:
            return 0
        seal = await self._chain.seal_at_hand()
        await self._chain.refuse_tampered(seal)
        row = await self._chain.rewrite(dropping.dropping(last), seal)
        return int(msgspec.json.decode(row.entry)["rows"])

    async def _entries(self, statement: str, values: tuple[Any, ...]) -> _Entries:
        found = await self._reader.run(lambda connection: connection.execute(statement, values).fetchall())
        return [_entry(*row) for row in found]


def _event(event: Event, note: str) -> dropping.Rewriting:
    def append(connection: sqlite3.Connection, seal: Seal) -> Row:
        content = rows.as_json({"time": rows.now(), "event": event, "note": note})
        row = chain.following(connection, seal, None, content)
        chain.append(connection, row)
        return row

    return append


def _entry(number: int, sent: str, algorithm: str, outcome: str | None) -> LedgerEntry:
    try:
        content = msgspec.json.decode(sent, type=dict[str, Any])
        content |= {"number": number, "chained_with": algorithm}
        content["outcome"] = None if outcome is None else msgspec.json.decode(outcome)
        return msgspec.convert(content, type=LedgerEntry)
    except msgspec.MsgspecError as error:
        raise InputError(
            f"Row {number} of the ledger, or the one that tells its outcome, cannot be read: it was changed outside of "
            "hybridchat.",
            hint="See `hybridchat egress verify`; `hybridchat egress export` writes all rows as they are.",
        ) from error
