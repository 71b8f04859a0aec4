"""Opens the database and holds together what is kept in it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from hybridchat.errors import BadConfiguration
from hybridchat.store import journal, migrations, search
from hybridchat.store.connection import Worker, connect
from hybridchat.store.contexts import Contexts
from hybridchat.store.conversations import Conversations
from hybridchat.store.failures import explained
from hybridchat.store.judgements import Judgements
from hybridchat.store.ledger import ChainKey, Ledger
from hybridchat.store.records import Hit
from hybridchat.store.sessions import Session
from hybridchat.store.spending import Spending
from hybridchat.store.turns import Turns

_OLDEST_SQLITE = (3, 37)  # the first one with STRICT tables
_PATIENCE = 10.0  # seconds to wait for another process's transaction


class Store:
    """Everything that is kept, in one SQLite database; made by ``open``.

    Writes run one after the other on one thread, reads on another, so that the event loop never waits for the disk.
    """

    def __init__(self, writer: Worker, reader: Worker, session: Session, chain_key: ChainKey) -> None:
        self.conversations = Conversations(writer, reader, session)
        self.ledger = Ledger(writer, reader, chain_key)
        self.spending = Spending(writer, reader)
        self.judgements = Judgements(writer, reader)
        self.contexts = Contexts(writer, reader)
        self.turns = Turns(writer, session)
        self._writer = writer
        self._reader = reader
        self._session = session
        self._closed = False

    @classmethod
    def open(cls, path: Path | None, *, chain_key: ChainKey = lambda: None, patience: float = _PATIENCE) -> Self:
        """Open the database at ``path``, made if need be and readable by its owner alone; None keeps it in memory.

        An older database is migrated, with a backup beside it. Answers that a process left unfinished when it died
        become partial ones. ``chain_key`` gives the ledger's key; ``patience`` is how many seconds to wait for
        another process's lock.

        Raises ``CannotWrite`` where the file cannot be written, ``BadConfiguration`` where a newer program made it,
        and ``InputError`` where it is damaged or another program's; it is then left as it is.
        """
        place = "memory" if path is None else str(path)
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise BadConfiguration(
                f"SQLite {sqlite3.sqlite_version} is too old.", hint="Use a Python with SQLite 3.37 or newer."
            )
        session = Session(None if path is None else path.with_name(path.name + ".sessions"))
        with explained(place):
            if path is not None:
                _make_private(path)
            connection = connect(path, patience)
            try:
                migrations.migrate(connection, path, patience)
                journal.recover(connection, session.is_gone)
                reading = connection if path is None else connect(path, patience)
            except BaseException:
                connection.close()
                raise
        writer = Worker(connection, place)
        if path is None:
            return cls(writer, writer, session, chain_key)
        reading.execute("PRAGMA query_only = ON")
        return cls(writer, Worker(reading, place), session, chain_key)

    async def search(self, text: str, limit: int = 20) -> list[Hit]:
        """Return at most ``limit`` places where all words of ``text`` occur, best first, as ``search`` explains."""
        return await self._reader.run(lambda connection: search.search(connection, text, limit))

    async def aclose(self) -> None:
        """Finish what is queued, leave unfinished answers as partial ones, and close."""
        if self._closed:
            return
        self._closed = True
        try:
            await self.conversations.stop_writing()
        finally:
            if self._reader is not self._writer:
                await self._reader.aclose()
            await self._writer.aclose()
            self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _make_private(path: Path) -> None:
    """Make the file and its folder, where they do not exist, for their owner alone; SQLite's other files follow."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
