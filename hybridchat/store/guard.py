"""Keeps the head of the ledger's chain where the database's files are not, so that a cut-off end shows.

Two places cannot be written in one step, so what is about to be appended is announced first::

    announce   the keyring holds (settled: the old head, announced: the new one)
    append     the row is committed to the database
    settle     the keyring holds (settled: the new head)

A process that dies in between leaves a database that ends with one of the two heads that the keyring holds: that is a
crash, and the next append goes on from there. Nothing is sent before its row is settled, so a row that is announced
but missing tells of nothing that left. A database that holds neither was tampered with. A lock lets one process at a
time do this.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from hybridchat.errors import Blocked, CannotWrite, KeyMissing, KeyUnusable
from hybridchat.store import chain
from hybridchat.store.chain import GENESIS, UNKEYED, Head, Row, Seal
from hybridchat.store.connection import Worker, to_its_end

_PATIENCE = 60.0  # seconds to wait for another process, whose keyring may wait for its user
_POLLING = 0.02  # seconds


class Guard(Protocol):
    """Where the chain's key and head are kept: the OS keyring. Its methods may block.

    All of them raise ``KeyMissing`` where there is no safe keyring, or it is locked, fails, or does not keep what it
    is given, and ``KeyUnusable`` where it holds something that is not ours.
    """

    def key(self) -> bytes:
        """Return the key of the MACs, made when it is first asked for."""

    def read(self) -> str | None:
        """Return what was kept last, None where nothing is."""

    def keep(self, text: str) -> None:
        """Keep ``text`` in place of what was kept; returns when it can be read again."""


class KeptHead(msgspec.Struct, frozen=True):
    """What the keyring holds: the last row whose write came to its end, and the one that may follow it."""

    settled: Head = GENESIS
    announced: Head | None = None

    def fits(self, connection: sqlite3.Connection) -> bool:
        """Return whether the database has all that it must have."""
        return chain.contains(connection, self.settled) or (
            self.announced is not None and chain.contains(connection, self.announced)
        )


def parse(text: str | None) -> KeptHead | None:
    """Return the head in ``text``.

    Raises ``KeyUnusable`` where it is something else.
    """
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=KeptHead)
    except msgspec.MsgspecError as error:
        raise KeyUnusable(
            "what the keyring holds as the ledger's head is damaged",
            hint="See `hybridchat egress verify`; `hybridchat egress restart` begins a new chain.",
        ) from error


class GuardedChain:
    """Appends to the ledger, the head following in ``guard``; without one the chain stands unguarded."""

    def __init__(self, writer: Worker, guard: Guard | None, lock: Path | None) -> None:
        self._writer = writer
        self._guard = guard
        self._lock = lock
        self._one_at_a_time = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._seal: Seal | None = None
        self._without_key: KeyMissing | None = None

    async def seal(self) -> Seal:
        """Return what MACs are made with, asking for the key once.

        Raises ``KeyUnusable`` or ``KeyMissing``; after the latter it is asked for again.
        """
        if self._guard is None:
            return Seal(None)
        async with self._asking:
            if self._seal is None:
                self._seal = Seal(await asyncio.to_thread(self._guard.key))
            return self._seal

    async def seal_at_hand(self) -> Seal:
        """Return what MACs are made with, without a key where there is none. Raises ``KeyUnusable``."""
        try:
            return await self.seal()
        except KeyMissing as problem:
            self._without_key = problem
            return Seal(None)

    async def kept_head(self) -> KeptHead | None:
        """Return the head that is kept, None where none is. Raises ``KeyMissing`` and ``KeyUnusable``."""
        return None if self._guard is None else parse(await asyncio.to_thread(self._guard.read))

    async def append_before_sending(self, seal: Seal, entry: str) -> Row:
        """Append what is about to leave; when this returns, it is on the disk and in the keyring.

        Raises ``KeyMissing``, ``KeyUnusable`` or ``Blocked`` where the chain should be guarded and cannot be, or does
        not fit to the head that is kept: then nothing may be sent.
        """

        async def append() -> Row:
            async with self._alone():
                await self.refuse_tampered(seal)
                row = await self._writer.run(lambda connection: chain.following(connection, seal, None, entry))
                await self._announce(row, seal)
                await self._writer.write(lambda connection: chain.append(connection, row))
                await self._settle(row, seal)
                return row

        return await to_its_end(append())

    async def append_afterwards(
        self, seal: Seal, sent_number: int | None, entry: str, check: Callable[[sqlite3.Connection], None]
    ) -> Row:
        """Append what has happened already: it is kept even where the keyring fails meanwhile, unguarded then.

        ``check`` may raise before anything is changed.
        """

        async def append() -> Row:
            async with self._alone():
                await self._writer.run(check)
                row = await self._writer.run(lambda connection: chain.following(connection, seal, sent_number, entry))
                guarded = await self._succeeds(lambda: self._announce(row, seal))
                await self._writer.write(lambda connection: chain.append(connection, row))
                if guarded:
                    await self._succeeds(lambda: self._settle(row, seal))
                return row

        return await to_its_end(append())

    async def rewrite(
        self, work: Callable[[sqlite3.Connection, Seal], Row], seal: Seal, *, must_be_kept: bool = True
    ) -> Row:
        """Change the chain by ``work`` in a transaction, and keep the head that it returns the row of.

        Raises ``KeyMissing`` where a keyed seal's head cannot be kept and ``must_be_kept``.
        """

        async def rewrite() -> Row:
            async with self._alone():
                row = await self._writer.write(lambda connection: work(connection, seal))
                if not await self._succeeds(lambda: self._settle(row, seal)) and must_be_kept:
                    await self._settle(row, seal)
                return row

        return await to_its_end(rewrite())

    async def refuse_tampered(self, seal: Seal) -> None:
        """Raise ``KeyMissing``, ``KeyUnusable`` or ``Blocked`` where the chain should be guarded and does not fit."""
        if self._guard is None:
            return
        last = await self._writer.run(chain.last_algorithm)
        if not seal.is_keyed:
            if last != UNKEYED:
                raise KeyMissing(
                    f"nothing was sent: the key that guards the ledger cannot be read ({self._without_key})",
                    hint="Unlock the OS keyring. Where there will be none, `hybridchat egress restart --unguarded` "
                    "goes on without it.",
                ) from self._without_key
            return
        kept = await self.kept_head()
        if last not in {UNKEYED, seal.algorithm} or (kept is not None and not await self._writer.run(kept.fits)):
            raise Blocked(
                "nothing was sent: the ledger of what left this machine was changed outside of hybridchat, "
                "or its key in the OS keyring was",
                hint="See `hybridchat egress verify`; `hybridchat egress restart` begins a new chain that says so.",
            )

    async def _announce(self, row: Row, seal: Seal) -> None:
        await self._keep(KeptHead(row.previous, row.head), seal)

    async def _settle(self, row: Row, seal: Seal) -> None:
        await self._keep(KeptHead(row.head), seal)

    async def _keep(self, kept: KeptHead, seal: Seal) -> None:
        if self._guard is not None and seal.is_keyed:
            await asyncio.to_thread(self._guard.keep, msgspec.json.encode(kept).decode())

    async def _succeeds(self, work: Callable[[], Awaitable[None]]) -> bool:
        try:
            await work()
        except KeyUnusable:
            return False
        return True

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        """Let no other append in this or another process come in between."""
        async with self._one_at_a_time:
            if self._lock is None:
                yield
                return
            from filelock import FileLock, Timeout  # noqa: PLC0415 -- dear to import, and few commands need it

            lock = FileLock(self._lock, timeout=0, mode=0o600, thread_local=False)
            deadline = asyncio.get_running_loop().time() + _PATIENCE
            while True:
                try:
                    lock.acquire()
                    break
                except Timeout:
                    if asyncio.get_running_loop().time() > deadline:
                        raise CannotWrite(
                            "Another hybridchat is writing to the ledger and does not come to an end.",
                            hint="Answer its keyring's prompt, or end it.",
                        ) from None
                except OSError as error:
                    raise CannotWrite(
                        f"The ledger's lock {self._lock} cannot be taken: {error.strerror or error}.",
                        hint="Make its folder writable.",
                    ) from error
                await asyncio.sleep(_POLLING)
            try:
                yield
            finally:
                lock.release()
