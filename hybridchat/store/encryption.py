"""The whole database encrypted at rest, by SQLCipher: page by page, each with its MAC (AES-256, HMAC-SHA512).

Whether a file is encrypted stands in the file itself: an unencrypted database begins with SQLite's own words, an
encrypted one with the random salt that SQLCipher gave it. The salt also names the key in the OS keyring and flavours a
passphrase, so that the file alone, and its key, are all that is needed. Without SQLCipher's package nothing of this is
imported. https://www.zetetic.net/sqlcipher/sqlcipher-api/
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, cast

from hybridchat.errors import BadConfiguration, HybridChatError, KeyMissing
from hybridchat.store.header import PAGE, SALT_LENGTH, read_salt

_SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 2**26, "dklen": 32}  # 32 MiB and about a tenth of a second a guess

_open: dict[Path, tuple[int, bytes | None]] = {}
"""How often this process has a database open, and its salt. Reading the file would let go of SQLite's locks on it."""


class FileKey:
    """The key of one file, which shows itself to nobody; ``salt`` are the file's first 16 bytes."""

    __slots__ = ("_key", "salt")

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._key = key
        self.salt = salt

    def __repr__(self) -> str:
        return "<key of an encrypted database>"

    @classmethod
    def from_passphrase(cls, passphrase: str, salt: bytes) -> FileKey:
        """Return the key that a passphrase makes (scrypt, RFC 7914); how its letters are composed does not matter."""
        typed = unicodedata.normalize("NFKC", passphrase).encode()
        return cls(hashlib.scrypt(typed, salt=salt, **_SCRYPT), salt)

    @property
    def as_sql(self) -> str:
        """The key as SQLCipher takes it: key and salt in hexadecimal, with no derivation of its own."""
        return f"x'{self._key.hex()}{self.salt.hex()}'"


Unlock: TypeAlias = Callable[[bytes], Iterator[FileKey]]
"""Is given a file's salt and tries one key after the other; raises ``KeyUnusable`` where there is none to try."""


def new_salt() -> bytes:
    """Return a salt that no other file has."""
    return os.urandom(SALT_LENGTH)


def salt_of(path: Path | None) -> bytes | None:
    """Return the salt of an encrypted database; None where there is no file, or one that is not encrypted."""
    if path is None:
        return None
    if path in _open:
        return _open[path][1]
    return read_salt(path)


def note_open(path: Path, key: FileKey | None) -> None:
    """Note that this process has the database open."""
    _open[path] = (_open.get(path, (0, None))[0] + 1, None if key is None else key.salt)


def note_closed(path: Path) -> None:
    """Note that this process has closed the database."""
    count, salt = _open.pop(path)
    if count > 1:
        _open[path] = (count - 1, salt)


def location(path: Path, *, read_only: bool) -> str:
    """Return the database's name for SQLite: its path, or a URI where nothing can be written."""
    if not read_only:
        return str(path)
    log = path.with_name(path.name + "-wal")  # without one SQLite would have to make it, or be told not to
    return f"{path.absolute().as_uri()}?{'mode=ro' if log.exists() else 'immutable=1'}"


def find_key(path: Path | None, unlock: Unlock | None, *, read_only: bool = False) -> FileKey | None:
    """Return the key that opens the database at ``path``, None where it needs none.

    Raises ``KeyMissing`` where no key fits, what ``unlock`` raises where there is none, and ``BadConfiguration`` where
    SQLCipher's package is missing.
    """
    salt = salt_of(path)
    if path is None or salt is None:
        return None
    driver()
    if unlock is None:
        raise KeyMissing(
            f"{path} is encrypted (or damaged), and no key was given", hint="See `hybridchat store status`."
        )
    for key in unlock(salt):
        if opens(path, key, read_only=read_only):
            return key
    raise KeyMissing(
        f"the key or passphrase does not open {path}",
        hint="Try again; nothing was changed. If it must be right, the file may be damaged: put a backup in its place.",
    )


def opens(path: Path, key: FileKey | None, *, read_only: bool = False) -> bool:
    """Return whether ``key`` opens the database."""
    connection = connect(location(path, read_only=read_only), 10.0, key, uri=read_only)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except Exception as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            return False
        raise
    finally:
        connection.close()
    return True


def connect(database: str, patience: float, key: FileKey | None, *, uri: bool = False) -> sqlite3.Connection:
    """Return a connection of SQLCipher's, in autocommit mode, that can be used like one of ``sqlite3``.

    Without a key it opens an unencrypted database. Raises ``BadConfiguration`` where the package is missing.
    """
    connection = driver().connect(database, timeout=patience, isolation_level=None, check_same_thread=False, uri=uri)
    connection.execute("PRAGMA cipher_log_level = NONE")  # else it writes to stderr, onto the screen
    if key is not None:
        connection.execute(f'PRAGMA key = "{key.as_sql}"')
        connection.execute(f"PRAGMA cipher_page_size = {PAGE}")
    return cast(sqlite3.Connection, connection)


def driver() -> Any:
    """Return SQLCipher's module. Raises ``BadConfiguration`` where it is missing or cannot be loaded."""
    try:
        from sqlcipher3 import dbapi2  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise BadConfiguration(
            "an encrypted store needs SQLCipher, which is not installed",
            hint="Install it with `pip install 'hybridchat[encryption]'`; nothing was changed.",
        ) from error
    return dbapi2


def is_database_error(error: Exception) -> bool:
    """Return whether SQLite or SQLCipher raised ``error``: the two have trees of their own."""
    return isinstance(error, sqlite3.Error) or (
        not isinstance(error, HybridChatError) and type(error).__module__.startswith("sqlcipher3")
    )
