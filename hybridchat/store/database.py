"""Opens the database and holds together what is kept in it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from hybridchat.store import dump, kept_local, search
from hybridchat.store.connection import Worker
from hybridchat.store.contexts import Contexts
from hybridchat.store.conversations import Conversations
from hybridchat.store.drafts import Drafts
from hybridchat.store.encryption import Unlock, note_closed, note_open
from hybridchat.store.erasing import Erasing
from hybridchat.store.guard import Guard
from hybridchat.store.judgements import Judgements
from hybridchat.store.ledger import Ledger
from hybridchat.store.opening import open_connections, open_for_reading
from hybridchat.store.records import Hit, KeptLocal
from hybridchat.store.sessions import Session
from hybridchat.store.spending import Spending
from hybridchat.store.turns import Turns

_PATIENCE = 10.0  # seconds to wait for another process's transaction


class Store:
    """Everything that is kept, in one SQLite database; made by ``open``.

    Writes run one after the other on one thread, reads on another, so that the event loop never waits for the disk.
    """

    def __init__(
        self, writer: Worker, reader: Worker, session: Session, guard: Guard | None = None, path: Path | None = None
    ) -> None:
        self.conversations = Conversations(writer, reader, session)
        self.ledger = Ledger(
            writer, reader, guard, None if path is None else path.with_name(path.name + ".ledger.lock")
        )
        self.spending = Spending(writer, reader)
        self.judgements = Judgements(writer, reader)
        self.contexts = Contexts(writer, reader)
        self.drafts = Drafts(writer, reader)
        self.turns = Turns(writer, session)
        self.erasing = Erasing(writer, reader, path)
        self.read_only = False
        self._writer = writer
        self._reader = reader
        self._session = session
        self._path = path
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Path | None,
        *,
        guard: Guard | None = None,
        unlock: Unlock | None = None,
        patience: float = _PATIENCE,
        read_only: bool = False,
    ) -> Self:
        """Open the database at ``path``, made if need be and readable by its owner alone; None keeps it in memory.

        An older database is migrated, with a backup beside it. Answers that a process left unfinished when it died
        become partial ones. ``guard`` keeps the ledger's key and head; ``unlock`` finds the key of an encrypted
        database; ``patience`` is how many seconds to wait for another process's lock. ``read_only`` reads a database
        where nothing can be written; what would change it then raises ``CannotWrite``.

        Raises ``CannotWrite`` where the file cannot be written, ``BadConfiguration`` where a newer program made it
        or it is encrypted and SQLCipher is missing, ``KeyMissing`` where no key opens it, and ``InputError`` where it
        is damaged or another program's; it is then left as it is.
        """
        place = "memory" if path is None else str(path)
        session = Session(None if path is None or read_only else path.with_name(path.name + ".sessions"))
        if read_only and path is not None:
            opened = open_for_reading(path, patience, unlock)
        else:
            opened = open_connections(path, patience, unlock, session)
        writer = Worker(opened.writing, place)
        reader = writer
        if opened.reading is not opened.writing:
            opened.reading.execute("PRAGMA query_only = ON")
            reader = Worker(opened.reading, place)
        if path is not None:
            note_open(path, opened.key)
        store = cls(writer, reader, session, guard, path)
        store.read_only = read_only
        return store

    async def search(self, text: str, limit: int = 20) -> list[Hit]:
        """Return at most ``limit`` places where all words of ``text`` occur, best first, as ``search`` explains."""
        return await self._reader.run(lambda connection: search.search(connection, text, limit))

    async def everything(self) -> dict[str, dump.Table]:
        """Return everything in the database as plain values, by table."""
        return await self._reader.run(dump.dump)

    async def kept_local(self) -> KeptLocal:
        """Return what was answered without anything leaving the machine."""
        return await self._reader.run(kept_local.kept_local)

    async def aclose(self) -> None:
        """Finish what is queued, leave unfinished answers as partial ones, and close."""
        if self._closed:
            return
        self._closed = True
        try:
            if not self.read_only:
                await self.conversations.stop_writing()
        finally:
            if self._reader is not self._writer:
                await self._reader.aclose()
            await self._writer.aclose()
            self._session.close()
            if self._path is not None:
                note_closed(self._path)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
