"""The chain that the ledger's rows form, so that tampering shows.

Each row's MAC covers its own content and the MAC before it: HMAC-SHA256 under a key that is kept elsewhere, or plain
SHA-256 where there is no key. A row that was changed, dropped from the middle or moved no longer fits. Without a key,
whoever can write the file can also forge the whole chain. A tail that was cut off leaves a shorter but whole chain:
that shows only against a head that is kept elsewhere, as ``guard`` does.

Besides what was sent and what became of it, a row may tell of an event: the chain was begun anew after it was found
broken (``restarted``) or after everything was erased (``erased``), or its oldest rows were dropped because they had
been kept long enough (``dropped``).
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec

from hybridchat.errors import CannotWrite

Head: TypeAlias = tuple[int, bytes]
"""A row's number and MAC."""

GENESIS: Head = (0, bytes(32))
UNKEYED = "sha256"


class Event(StrEnum):
    """What a row tells of that is neither something sent nor its outcome."""

    RESTARTED = "restarted"
    ERASED = "erased"
    DROPPED = "dropped"


class Seal:
    """Computes MACs with ``key``, or plain hashes where it is None; ``algorithm`` names which.

    The name of a keyed one ends with a fingerprint, so that another key is not taken for tampering.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self.algorithm = UNKEYED
        if key is not None:
            self.algorithm = f"hmac-sha256/{hmac.digest(key, b'hybridchat ledger', 'sha256')[:4].hex()}"

    @property
    def is_keyed(self) -> bool:
        """Whether a key stands behind it."""
        return self._key is not None

    def of(self, content: bytes) -> bytes:
        """Return the MAC of ``content``."""
        return hashlib.sha256(content).digest() if self._key is None else hmac.digest(self._key, content, "sha256")

    def of_row(self, previous: bytes, number: int, sent_number: int | None, entry: str) -> bytes:
        """Return the MAC of a row that follows the one with the MAC ``previous``."""
        return self.of(previous + msgspec.json.encode([number, sent_number, self.algorithm, entry]))


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is about to be written behind ``previous``."""

    previous: Head
    number: int
    sent_number: int | None
    entry: str
    algorithm: str
    mac: bytes

    @property
    def head(self) -> Head:
        """What the chain's head is, once the row is in it."""
        return self.number, self.mac


def head(connection: sqlite3.Connection) -> Head | None:
    """Return the last row's number and MAC, None for an empty ledger."""
    row = connection.execute("SELECT number, mac FROM ledger ORDER BY number DESC LIMIT 1").fetchone()
    return None if row is None else (row[0], row[1])


def last_algorithm(connection: sqlite3.Connection) -> str:
    """Return the algorithm of the last row, that of one without a key for an empty ledger."""
    row = connection.execute("SELECT algorithm FROM ledger ORDER BY number DESC LIMIT 1").fetchone()
    return UNKEYED if row is None else str(row[0])


def contains(connection: sqlite3.Connection, wanted: Head) -> bool:
    """Return whether the ledger has exactly this row; an empty chain is part of every other."""
    row = connection.execute("SELECT mac FROM ledger WHERE number = ?", (wanted[0],)).fetchone()
    return wanted == GENESIS or (row is not None and hmac.compare_digest(row[0], wanted[1]))


def following(connection: sqlite3.Connection, seal: Seal, sent_number: int | None, entry: str) -> Row:
    """Return the row that ``entry`` makes at the ledger's end; nothing is written."""
    previous = head(connection) or GENESIS
    number = previous[0] + 1
    return Row(
        previous, number, sent_number, entry, seal.algorithm, seal.of_row(previous[1], number, sent_number, entry)
    )


def append(connection: sqlite3.Connection, row: Row) -> None:
    """Write ``row``, inside a write transaction.

    Raises ``CannotWrite`` where the ledger does not end any more with the row that it follows.
    """
    if (head(connection) or GENESIS) != row.previous:
        raise CannotWrite(
            "Another program wrote to the ledger at the same time.", hint="Try again; update other hybridchats."
        )
    connection.execute(
        "INSERT INTO ledger (number, sent_number, entry, algorithm, mac) VALUES (?, ?, ?, ?, ?)",
        (row.number, row.sent_number, row.entry, row.algorithm, row.mac),
    )
