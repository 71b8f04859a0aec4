"""Erases conversations so that no byte of them is left in any file of the database.

Deleted rows are overwritten (``secure_delete``), but the search index only marks words as deleted, the write-ahead log
holds old pages, and backups hold everything. So after the rows are gone the index is merged, the file rewritten, the
log emptied, and the backups are overwritten. What is to go is written down first, in a file beside the database: an
erasure that was killed is brought to its end when the database is opened next.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from hybridchat.errors import CannotWrite
from hybridchat.store import rows
from hybridchat.store.connection import Worker, transaction
from hybridchat.store.migrations import backups
from hybridchat.store.private import wipe

INDEXES = ("title_index", "content_index")


@dataclass(frozen=True, slots=True)
class Extent:
    """What an erasure would take away: the conversations' ids, how many messages they have, and backups.

    ``drafts`` are the conversations whose unsent drafts go, empty for the conversation to come.
    """

    conversations: tuple[str, ...]
    messages: int
    backups: tuple[Path, ...]
    drafts: tuple[str, ...] = ()


class _Doomed(msgspec.Struct):
    """What is written down before it goes, as in ``Extent``."""

    conversations: list[str]
    drafts: list[str]


class Erasing:
    """Erases conversations of the database at ``path`` (None: kept in memory), each whole, with all its branches.

    The ledger keeps its rows, which hold no text of a conversation.
    """

    def __init__(self, writer: Worker, reader: Worker, path: Path | None) -> None:
        self._writer = writer
        self._reader = reader
        self._path = path

    async def extent(self, conversations: Iterable[str], drafts: Iterable[str] = ()) -> Extent:
        """Return what erasing these conversations and drafts would take away."""
        ids = tuple(conversations)

        def count(connection: sqlite3.Connection) -> int:
            statement = "SELECT count(*) FROM message WHERE conversation_id = ?"
            return sum(int(connection.execute(statement, (one,)).fetchone()[0]) for one in ids)

        copies = tuple(backups(self._path)) if self._path else ()
        return Extent(ids, await self._reader.run(count), copies, tuple(drafts))

    async def in_period(self, since: datetime | None, until: datetime | None) -> tuple[str, ...]:
        """Return the conversations in which something was said from ``since`` on and before ``until``."""
        statement = """
            SELECT id FROM conversation WHERE EXISTS (SELECT 1 FROM message WHERE conversation_id = conversation.id
                AND message.created_at >= ?1 AND message.created_at < ?2)
            OR (created_at >= ?1 AND created_at < ?2) ORDER BY number
        """
        return await self._ids(statement, _bounds(since, until))

    async def drafts_in_period(self, since: datetime | None, until: datetime | None) -> tuple[str, ...]:
        """Return the conversations whose unsent draft was last changed then; empty for the conversation to come."""
        statement = "SELECT coalesce(conversation_id, '') FROM draft WHERE kept_at >= ?1 AND kept_at < ?2"
        return await self._ids(statement, _bounds(since, until))

    async def unused_since(self, time: datetime) -> tuple[str, ...]:
        """Return the conversations that were last written to before then; not those that are being answered."""
        statement = """
            SELECT id FROM conversation WHERE updated_at < ?1
                AND NOT EXISTS
                    (SELECT 1 FROM message WHERE conversation_id = conversation.id AND status = 'streaming')
                AND NOT EXISTS (SELECT 1 FROM draft WHERE conversation_id = conversation.id AND kept_at >= ?1)
            ORDER BY number
        """
        return await self._ids(statement, (rows.written(time),))

    async def erase(self, conversations: Iterable[str], drafts: Iterable[str] = ()) -> None:
        """Erase these conversations, the drafts of those, and all backups; one that is gone already is no error.

        Raises ``CannotWrite`` where another process keeps the old pages from being overwritten: the rows are gone
        then, and the rest follows when the database is opened next.
        """
        doomed = _Doomed(list(conversations), list(drafts))
        await self._writer.run(lambda connection: _erase(connection, self._path, doomed))

    async def _ids(self, statement: str, values: Sequence[str]) -> tuple[str, ...]:
        found = await self._reader.run(lambda connection: connection.execute(statement, values).fetchall())
        return tuple(row[0] for row in found)


def resume(connection: sqlite3.Connection, path: Path | None) -> None:
    """Bring an erasure that was interrupted to its end; another process's reading may put it off once more."""
    if path is None or not (note := _note(path)).exists():
        return
    try:
        doomed = _written_down(note)
    except msgspec.MsgspecError:  # it was killed while it wrote down what to do, before it began
        note.unlink(missing_ok=True)
        return
    _erase(connection, path, doomed)


def overwrite_deleted(connection: sqlite3.Connection) -> None:
    """Leave nothing in the file and its log of what was deleted. Raises ``CannotWrite`` while others read old pages."""
    with transaction(connection, durable=True):
        for index in INDEXES:
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")  # noqa: S608 - our own names
    connection.execute("PRAGMA temp_store = MEMORY")  # a rewritten database is copied over a temporary one
    connection.execute("VACUUM")
    if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] != 0:
        raise CannotWrite(
            "What was erased still stands in the database's log, since another hybridchat is reading it.",
            hint="Close other chat screens; it goes when hybridchat is started next.",
        )


def _erase(connection: sqlite3.Connection, path: Path | None, doomed: _Doomed) -> None:
    if path is not None:
        _write_down(_note(path), doomed)
    with transaction(connection, durable=True):
        connection.executemany("DELETE FROM conversation WHERE id = ?", [(one,) for one in doomed.conversations])
        statement = "DELETE FROM draft WHERE coalesce(conversation_id, '') = ?"
        connection.executemany(statement, [(one,) for one in doomed.drafts])
    if path is not None:
        for backup in backups(path):
            wipe(backup)
    overwrite_deleted(connection)
    if path is not None:
        _note(path).unlink(missing_ok=True)


def _bounds(since: datetime | None, until: datetime | None) -> tuple[str, str]:
    return "" if since is None else rows.written(since), "~" if until is None else rows.written(until)


def _written_down(note: Path) -> _Doomed:
    return msgspec.json.decode(note.read_bytes(), type=_Doomed)


def _write_down(note: Path, doomed: _Doomed) -> None:
    """Add ``doomed`` to what is to go: another process may be in the middle of an erasure."""
    with suppress(OSError, msgspec.MsgspecError):
        before = _written_down(note)
        doomed = _Doomed(before.conversations + doomed.conversations, before.drafts + doomed.drafts)
    with open(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - a mode is set
        file.write(msgspec.json.encode(doomed))
        file.flush()
        os.fsync(file.fileno())


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".erasing")
