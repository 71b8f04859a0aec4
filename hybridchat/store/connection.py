"""Connections to SQLite, transactions on them, and the thread that each of them lives on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from hybridchat.store import encryption
from hybridchat.store.encryption import FileKey
from hybridchat.store.failures import explained

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]


def connect(
    path: Path | None, patience: float, key: FileKey | None = None, *, read_only: bool = False
) -> sqlite3.Connection:
    """Return a connection in autocommit mode; ``patience`` is how many seconds it waits for another's lock.

    ``key`` opens an encrypted database. ``read_only`` reads one where nothing can be written.
    """
    place = ":memory:" if path is None else encryption.location(path, read_only=read_only)
    if key is not None:
        connection = encryption.connect(place, patience, key, uri=read_only)
    else:
        connection = sqlite3.connect(
            place, timeout=patience, isolation_level=None, check_same_thread=False, uri=read_only
        )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA fullfsync = ON")  # on macOS, fsync alone does not reach the disk
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, *, durable: bool) -> Generator[None]:
    """Commit what happens inside as a whole, or not at all.

    ``durable``: the commit returns when the data are on the disk (``synchronous = FULL``) and outlive a power cut;
    else they outlive only the end of this process, however violent.
    """
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite rolls back by itself when the disk is full
            connection.execute("ROLLBACK")
        raise


async def to_its_end(work: Awaitable[Result]) -> Result:
    """Wait for ``work`` and return its result, even when the caller is cancelled meanwhile.

    The cancellation then comes with the next thing that the caller waits for. So nothing is ever written that nobody
    knows of.
    """
    caller, working = asyncio.current_task(), asyncio.ensure_future(work)
    assert caller is not None
    cancelled = False
    while not working.done():
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError:
            cancelled = True
            caller.uncancel()
    if cancelled:
        caller.cancel()
    return working.result()


class Worker:
    """A thread that does one thing after the other on its connection, so that the event loop never waits for a disk."""

    def __init__(self, connection: sqlite3.Connection, place: str) -> None:
        self._connection = connection
        self._place = place
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hybridchat-store")

    def submit(self, work: Work[Result]) -> Future[Result]:
        """Queue ``work``; its failure is its own, and what is queued behind it still runs."""

        def run() -> Result:
            with explained(self._place):
                return work(self._connection)

        return self._executor.submit(run)

    async def run(self, work: Work[Result]) -> Result:
        """Do ``work`` and return its result; once queued it is done, even when the caller is cancelled meanwhile."""
        return await to_its_end(asyncio.wrap_future(self.submit(work)))

    async def write(self, work: Work[Result]) -> Result:
        """Do ``work`` in a durable transaction."""

        def write(connection: sqlite3.Connection) -> Result:
            with transaction(connection, durable=True):
                return work(connection)

        return await self.run(write)

    async def aclose(self) -> None:
        """Wait for what is queued, then close the connection and end the thread."""
        try:
            await self.run(lambda connection: connection.close())
        finally:
            self._executor.shutdown()
