"""Opens the connections to a database, whatever it takes: private files, the key, migrations, recovery."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hybridchat.errors import BadConfiguration, CannotWrite, InputError
from hybridchat.store import conversion, encryption, erasing, journal, migrations
from hybridchat.store.connection import connect
from hybridchat.store.encryption import FileKey, Unlock
from hybridchat.store.failures import explained
from hybridchat.store.private import make_private
from hybridchat.store.schema import MIGRATIONS
from hybridchat.store.sessions import Session

_OLDEST_SQLITE = (3, 37)  # the first one with STRICT tables


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections to a database: one to write, one to read (the same one, where it is kept in memory)."""

    writing: sqlite3.Connection
    reading: sqlite3.Connection
    key: FileKey | None = None


def open_connections(path: Path | None, patience: float, unlock: Unlock | None, session: Session) -> Connections:
    """Open the database at ``path``, as ``Store.open`` explains."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise BadConfiguration(
            f"SQLite {sqlite3.sqlite_version} is too old.", hint="Use a Python with SQLite 3.37 or newer."
        )
    while True:
        with explained("memory" if path is None else str(path)):
            if path is not None:
                make_private(path)
                conversion.clear_away_leftovers(path)
        before = _inode(path)
        try:
            opened = _opened(path, patience, unlock, session)
        except InputError:
            if _inode(path) == before:
                raise
            continue  # it was encrypted or decrypted at this very moment, so that another file stands there now
        if _inode(path) == before:
            return opened
        opened.writing.close()
        opened.reading.close()


def open_for_reading(path: Path, patience: float, unlock: Unlock | None) -> Connections:
    """Open a database that cannot be written, such as one on a read-only disk.

    Raises ``CannotWrite`` where it would have to be migrated first or cannot be read, and what ``Store.open`` raises.
    """
    place = str(path)
    with explained(place):
        if not path.is_file():
            raise CannotWrite(f"{place} does not exist and cannot be made.", hint="Set store.path to another place.")
        key = encryption.find_key(path, unlock, read_only=True)
        connection = connect(path, patience, key, read_only=True)
        try:
            migrations.refuse_foreign(connection, path, len(MIGRATIONS))
            _refuse_older(connection, place)
        except BaseException:
            connection.close()
            raise
    return Connections(connection, connection, key)


def _refuse_older(connection: sqlite3.Connection, place: str) -> None:
    if migrations.version(connection) != len(MIGRATIONS):
        raise CannotWrite(
            f"{place} was written by an older hybridchat and cannot be changed.",
            hint="Make the file and its folder writable once.",
        )


def _opened(path: Path | None, patience: float, unlock: Unlock | None, session: Session) -> Connections:
    with explained("memory" if path is None else str(path)):
        key = encryption.find_key(path, unlock)
        connection = connect(path, patience, key)
        try:
            migrations.migrate(connection, path, patience, key=key)
            journal.recover(connection, session.is_gone)
            with suppress(CannotWrite):  # others read: it is tried again at the next start
                erasing.resume(connection, path)
            reading = connection if path is None else connect(path, patience, key)
        except BaseException:
            connection.close()
            raise
        return Connections(connection, reading, key)


def _inode(path: Path | None) -> int | None:
    try:
        return None if path is None else path.stat().st_ino
    except OSError:
        return None
