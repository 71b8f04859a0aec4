"""What SQLite and the file system report, told so that a person knows what to do next."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from hybridchat.errors import BadConfiguration, CannotWrite, HybridChatError, InputError
from hybridchat.store.encryption import is_database_error

_PRIMARY_CODE = 0xFF  # the low byte of an extended result code, https://www.sqlite.org/rescode.html


class _Kind(NamedTuple):
    codes: frozenset[int]
    error: type[HybridChatError]
    message: str
    hint: str


_KINDS = (
    _Kind(
        frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}),
        CannotWrite,
        "The disk did not take a change to {place} ({reason}).",
        "Free some space, check the disk, or set store.path to another place.",
    ),
    _Kind(
        frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}),
        CannotWrite,
        "{place} cannot be opened for writing ({reason}).",
        "Make the file and its folder writable, or set store.path to another place.",
    ),
    _Kind(
        frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}),
        CannotWrite,
        "Another program holds {place} ({reason}).",
        "Close what else has the file open (a backup, a database browser) and try again.",
    ),
    _Kind(
        frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}),
        InputError,
        "{place} is damaged or is no hybridchat database ({reason}). It was left as it is.",
        "Move the file away to begin anew, or put a backup in its place.",
    ),
    _Kind(
        frozenset({sqlite3.SQLITE_TOOBIG}),
        InputError,
        "The text is too long to be kept ({reason}).",
        "Give a part of it.",
    ),
)
_NO_FULL_TEXT_SEARCH = "no such module: fts5"
_CHANGED_BY_OTHERS = ("no such table", "no such column", "malformed JSON")


@contextmanager
def explained(place: str) -> Generator[None]:
    """Turn whatever goes wrong inside with the database at ``place`` into a ``HybridChatError``."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(
            f"Conversations cannot be kept in {place}: {error.strerror or error}.",
            hint="Free some space or make the folder writable, or set store.path to another place.",
        ) from error
    except OverflowError as error:
        raise InputError("A number is too large.", hint="Give one below 2 to the power of 63.") from error
    except Exception as error:
        if not is_database_error(error):
            raise
        raise explanation(error, place) from error


def explanation(error: Exception, place: str) -> HybridChatError:
    """Return the error of our own that stands for ``error``."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
    for kind in _KINDS:
        if code in kind.codes:
            return kind.error(kind.message.format(place=place, reason=error), hint=kind.hint)
    if _NO_FULL_TEXT_SEARCH in str(error):
        return BadConfiguration(
            "This Python's SQLite has no full-text search.", hint="Use a Python whose SQLite was built with FTS5."
        )
    if any(sign in str(error) for sign in _CHANGED_BY_OTHERS):
        return InputError(
            f"{place} was changed outside of hybridchat ({error}).",
            hint="Put a backup in its place, or move the file away to begin anew.",
        )
    return HybridChatError(f"The database {place} reported: {error}.", hint="Please report this as a fault.")
