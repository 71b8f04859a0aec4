"""Encrypts, decrypts or gives another key to a whole database, so that being killed at any moment loses nothing.

The database is copied into a new file beside it, compared with it table by table, brought to the disk, and put in its
place in one step; only then is the old file overwritten and removed. Before that step the database opens with the old
key, after it with the new one. What a process that died left beside it is cleared away at the next start. All other
processes must have closed the database: those that open it meanwhile wait, and find the new one.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from hybridchat.errors import CannotWrite, HybridChatError
from hybridchat.store import encryption
from hybridchat.store.encryption import FileKey
from hybridchat.store.failures import explained
from hybridchat.store.migrations import backups
from hybridchat.store.private import wipe

_PATIENCE = 5.0  # seconds to wait for another process's transaction


def convert(path: Path, old: FileKey | None, new: FileKey | None) -> None:
    """Give the database at ``path`` the key ``new`` (None: no encryption) in place of ``old``.

    Raises ``CannotWrite`` where another process has it open or the disk does not take the copy; the database is then
    as it was.
    """
    with explained(str(path)), _conversion_lock(path):
        _clear_away(path)
        fresh, former = _fresh(path), _former(path)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        try:
            with closing(encryption.connect(str(path), _PATIENCE, old)) as connection:
                take_alone(connection, path)
                _copy(connection, fresh, new)
                _synchronise(fresh)
                if sys.platform != "win32":  # else nothing can take the place of a file that is open
                    _swap(fresh, path, former)
            if sys.platform == "win32":
                _swap(fresh, path, former)
        except BaseException:
            wipe(fresh)
            raise
        wipe(former)


def clear_away_leftovers(path: Path) -> None:
    """Clear away what a conversion that died left beside the database and its backups; one that is running stays."""
    for one in (path, *backups(path)):
        if _fresh(one).exists() or _former(one).exists():
            with suppress(CannotWrite), _conversion_lock(one):
                _clear_away(one)


def _clear_away(path: Path) -> None:
    former = _former(path)
    if former.exists() and path.exists() and former.samefile(path):
        former.unlink()  # the swap had not come yet: this is a second name of the database
    else:
        wipe(former)
    wipe(_fresh(path))


def _swap(fresh: Path, path: Path, former: Path) -> None:
    """Put ``fresh`` in the place of ``path``, whose content keeps the name ``former`` so that it can be overwritten."""
    with suppress(OSError):  # a disk without hard links: the old content is then removed without being overwritten
        os.link(path, former)
    fresh.replace(path)
    _synchronise(path.parent)


def take_alone(connection: sqlite3.Connection, path: Path) -> None:
    """Hold the database so that no other process can use it until ``connection`` is closed; empties its log."""
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")  # fails while anybody else has it open
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except Exception as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise CannotWrite(
                f"Another hybridchat has {path} open.",
                hint="Close the chat screens and commands that use it, and try again.",
            ) from error
        raise


def _copy(connection: sqlite3.Connection, fresh: Path, key: FileKey | None) -> None:
    connection.execute("ATTACH DATABASE ? AS fresh KEY ?", (str(fresh), "" if key is None else key.as_sql))
    connection.execute("PRAGMA fresh.journal_mode = OFF")  # one that dies is thrown away
    connection.execute("SELECT sqlcipher_export('fresh')")
    for pragma in ("user_version", "application_id"):
        value = connection.execute(f"PRAGMA main.{pragma}").fetchone()[0]
        connection.execute(f"PRAGMA fresh.{pragma} = {value}")
    if not _equal(connection):
        raise HybridChatError("the copy of the database differs from it", hint="Nothing was changed. Please report it.")
    connection.execute("DETACH DATABASE fresh")


def _equal(connection: sqlite3.Connection) -> bool:
    schema = "SELECT type, name, tbl_name, sql FROM {}.sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name"
    tables = connection.execute(schema.format("main")).fetchall()
    if tables != connection.execute(schema.format("fresh")).fetchall():
        return False
    if connection.execute("PRAGMA fresh.integrity_check(1)").fetchone()[0] != "ok":
        return False
    for kind, name, _, sql in tables:
        if kind != "table" or "VIRTUAL" in sql.upper()[:20]:
            continue  # what a virtual table holds stands in tables of its own
        counts = {
            connection.execute(f'SELECT count(*) FROM {database}."{name}"').fetchone()[0]  # noqa: S608 - our own names
            for database in ("main", "fresh")
        }
        missing = connection.execute(f'SELECT 1 FROM (SELECT * FROM main."{name}" EXCEPT SELECT * FROM fresh."{name}")')  # noqa: S608 - our own names
        if len(counts) != 1 or missing.fetchone() is not None:
            return False
    return True


def _synchronise(path: Path) -> None:
    if sys.platform == "win32" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _conversion_lock(path: Path) -> Generator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - dear to import, and few commands need it

    lock = FileLock(path.with_name(path.name + ".conversion.lock"), timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise CannotWrite(
            f"Another hybridchat is just encrypting or decrypting {path}.", hint="Wait until it has come to its end."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _fresh(path: Path) -> Path:
    return path.with_name(path.name + ".fresh")


def _former(path: Path) -> Path:
    return path.with_name(path.name + ".former")
