"""Brings a database to the shape that this program knows: forward only, and never without a backup."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hybridchat.errors import BadConfiguration, InputError
from hybridchat.store.connection import connect, transaction
from hybridchat.store.encryption import FileKey
from hybridchat.store.schema import MIGRATIONS, Migration

_UNFINISHED = ".unfinished"

APPLICATION_ID = 0x68796368  # "hych" in ASCII: tells our files from other programs' SQLite databases


def migrate(
    connection: sqlite3.Connection,
    path: Path | None,
    patience: float,
    migrations: Sequence[Migration] = MIGRATIONS,
    key: FileKey | None = None,
) -> None:
    """Apply the migrations that the database at ``path`` lacks.

    Each one is applied in a transaction together with its number (``PRAGMA user_version``). A database that holds
    something is first copied to ``PATH.version-N.backup``, where N is the version it had; the copy is encrypted with
    ``key`` if the database is.

    Raises ``BadConfiguration`` for a database that a newer program wrote and ``InputError`` for one of another
    program; both are left untouched.
    """
    refuse_foreign(connection, path, len(migrations))
    if path is not None:
        _keep_write_ahead_log(connection, patience)
    first = version(connection)
    while version(connection) < len(migrations):
        with transaction(connection, durable=True):
            current = version(connection)  # another process may have been quicker
            if current >= len(migrations):
                break
            if path is not None and current == first > 0:
                _back_up(path, patience, backup_path(path, current), key)
            migrations[current](connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {current + 1}")


def version(connection: sqlite3.Connection) -> int:
    """Return how many migrations the database has seen."""
    return _number(connection, "PRAGMA user_version")


def backup_path(path: Path, version: int) -> Path:
    """Return where the copy of the database at ``path`` is kept that was made before it left ``version``."""
    return path.with_name(f"{path.name}.version-{version}.backup")


def backups(path: Path) -> list[Path]:
    """Return all copies of the database at ``path`` that migrations made, finished or not."""
    made = path.parent.glob(f"{path.name}.version-*.backup")
    return sorted([*made, *path.parent.glob(f"{path.name}.version-*.backup{_UNFINISHED}")])


def refuse_foreign(connection: sqlite3.Connection, path: Path | None, newest: int) -> None:
    """Raise ``InputError`` for another program's database, ``BadConfiguration`` for one newer than ``newest``."""
    connection.execute("BEGIN")  # one view of the file, which another process may just be filling
    application = _number(connection, "PRAGMA application_id")
    tables = _number(connection, "SELECT count(*) FROM sqlite_schema")
    current = version(connection)
    connection.execute("ROLLBACK")
    if tables and application != APPLICATION_ID:
        raise InputError(
            f"{path} is another program's database. It was left as it is.", hint="Set store.path to another place."
        )
    if current > newest:
        raise BadConfiguration(
            f"{path} was written by a newer hybridchat. It was left as it is.",
            hint="Update hybridchat, or set store.path to another place.",
        )


def _keep_write_ahead_log(connection: sqlite3.Connection, patience: float) -> None:
    """Switch to WAL mode, which the file then keeps; some network file systems refuse, and work without.

    SQLite does not wait by itself when two processes switch a new file at the same time.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except Exception as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _back_up(path: Path, patience: float, target: Path, key: FileKey | None) -> None:
    unfinished = target.with_name(target.name + _UNFINISHED)
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(connect(path, patience, key)) as source, closing(connect(unfinished, patience, key)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # a backup is one file
    unfinished.replace(target)


def _number(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])
