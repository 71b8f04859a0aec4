"""The append-only record of everything that left the machine, written before it leaves."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import msgspec

from hybridchat.errors import InputMissing
from hybridchat.store import chain, rows
from hybridchat.store.chain import Head, Seal
from hybridchat.store.connection import Worker
from hybridchat.store.records import LedgerEntry, Outcome, Sent, Verification

ChainKey: TypeAlias = Callable[[], bytes | None]

_Entries: TypeAlias = list[LedgerEntry]  # inside the class, `list` is one of its methods


class Ledger:
    """What was sent, and what became of it; the rows are chained, as ``chain`` explains.

    ``chain_key`` is asked once, at the first write or verification, on a thread of its own (a keyring may wait for
    its user). None from it means that there is no key; what it raises stops what was about to be sent.
    """

    def __init__(self, writer: Worker, reader: Worker, chain_key: ChainKey) -> None:
        self._writer = writer
        self._reader = reader
        self._chain_key = chain_key
        self._asking = asyncio.Lock()
        self._seal: Seal | None = None

    async def sent(self, entry: Sent) -> int:
        """Record what is about to leave and return the row's number. It is on the disk when this returns."""
        seal = await self._get_seal()
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
        return await self._writer.write(lambda connection: chain.append(connection, seal, None, rows.as_json(content)))

    async def outcome(self, sent_number: int, entry: Outcome) -> int:
        """Record what became of a ``Sent``, once, and return the new row's number."""
        seal = await self._get_seal()
        content = rows.as_json({"time": rows.now(), **msgspec.to_builtins(entry)})

        def append(connection: sqlite3.Connection) -> int:
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
            return chain.append(connection, seal, sent_number, content)

        return await self._writer.write(append)

    async def list(self, limit: int = 50) -> _Entries:
        """Return what was sent, the last first."""
        statement = """
            SELECT sent.number, sent.entry, sent.algorithm, outcome.entry
            FROM ledger AS sent LEFT JOIN ledger AS outcome ON outcome.sent_number = sent.number
            WHERE sent.sent_number IS NULL ORDER BY sent.number DESC LIMIT ?
        """
        found = await self._reader.run(lambda connection: connection.execute(statement, (limit,)).fetchall())
        return [_entry(*row) for row in found]

    async def spent(self, since: datetime) -> float:
        """Return the known costs of what ended since then, in US dollars."""
        statement = """
            SELECT total(json_extract(entry, '$.cost')) FROM ledger
            WHERE sent_number IS NOT NULL AND json_extract(entry, '$.time') >= ?
        """
        row = await self._reader.run(
            lambda connection: connection.execute(statement, (rows.written(since),)).fetchone()
        )
        return float(row[0])

    async def head(self) -> Head | None:
        """Return the last row's number and MAC, to be kept elsewhere; None for an empty ledger."""
        return await self._reader.run(chain.head)

    async def verify(self, kept_head: Head | None = None) -> Verification:
        """Check every row; with a former ``head``, also that nothing was cut off or rewritten up to there.

        Where a key is at hand, rows that are not keyed deserve a word to the user (``Verification.keyed``): the key
        could not be read when they were written, or someone else wrote them.
        """
        seal = await self._get_seal()
        return await self._reader.run(lambda connection: chain.verify(connection, seal, kept_head))

    async def _get_seal(self) -> Seal:
        async with self._asking:
            if self._seal is None:
                self._seal = Seal(await asyncio.to_thread(self._chain_key))
            return self._seal


def _entry(number: int, sent: str, algorithm: str, outcome: str | None) -> LedgerEntry:
    return msgspec.convert(
        {
            **msgspec.json.decode(sent),
            "number": number,
            "chained_with": algorithm,
            "outcome": None if outcome is None else msgspec.json.decode(outcome),
        },
        type=LedgerEntry,
    )
