"""The chain that the ledger's rows form, so that tampering shows.

Each row's MAC covers its own content and the MAC before it: HMAC-SHA256 under a key that is kept elsewhere, or plain
SHA-256 where there is no key. A row that was changed, dropped from the middle or moved no longer fits. Without a key,
whoever can write the file can also forge the whole chain. A tail that was cut off leaves a shorter but whole chain:
that shows only against a head that was kept elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from typing import TypeAlias

import msgspec

from hybridchat.store.records import Verification

Head: TypeAlias = tuple[int, bytes]

_GENESIS = bytes(32)
_UNKEYED = "sha256"


class Seal:
    """Computes MACs with ``key``, or plain hashes where it is None; ``algorithm`` names which.

    The name of a keyed one ends with a fingerprint, so that another key is not taken for tampering.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self.algorithm = _UNKEYED
        if key is not None:
            self.algorithm = f"hmac-sha256/{hmac.digest(key, b'hybridchat ledger', 'sha256')[:4].hex()}"

    def of(self, content: bytes) -> bytes:
        """Return the MAC of ``content``."""
        return hashlib.sha256(content).digest() if self._key is None else hmac.digest(self._key, content, "sha256")


def append(connection: sqlite3.Connection, seal: Seal, sent_number: int | None, entry: str) -> int:
    """Add a row at the ledger's end, inside a write transaction, and return its number."""
    number, previous = head(connection) or (0, _GENESIS)
    number += 1
    mac = seal.of(_sealed(previous, number, sent_number, entry, seal.algorithm))
    connection.execute(
        "INSERT INTO ledger (number, sent_number, entry, algorithm, mac) VALUES (?, ?, ?, ?, ?)",
        (number, sent_number, entry, seal.algorithm, mac),
    )
    return number


def head(connection: sqlite3.Connection) -> Head | None:
    """Return the last row's number and MAC, None for an empty ledger."""
    row = connection.execute("SELECT number, mac FROM ledger ORDER BY number DESC LIMIT 1").fetchone()
    return None if row is None else (row[0], row[1])


def verify(connection: sqlite3.Connection, seal: Seal, kept_head: Head | None) -> Verification:
    """Walk along the chain up to its first broken row, or its end.

    ``kept_head`` is a former ``head``, which must still be part of the chain.
    """
    rows = keyed = unverifiable = 0
    previous = _GENESIS
    for number, sent_number, entry, algorithm, mac in connection.execute(
        "SELECT number, sent_number, entry, algorithm, mac FROM ledger ORDER BY number"
    ):
        problem = ""
        if number != rows + 1:
            problem = f"Row {rows + 1} is missing."
        elif algorithm not in {_UNKEYED, seal.algorithm}:
            unverifiable += 1
        elif not hmac.compare_digest(
            (seal if algorithm == seal.algorithm else Seal(None)).of(
                _sealed(previous, number, sent_number, entry, algorithm)
            ),
            mac,
        ):
            problem = f"Row {number} was changed, or a row before it was changed or moved."
        elif kept_head is not None and kept_head[0] == number and kept_head[1] != mac:
            problem = f"Row {number} was rewritten: it is not the row that was noted elsewhere."
        if problem:
            return Verification(rows, keyed, unverifiable, broken_at=rows + 1, problem=problem)
        rows += 1
        keyed += algorithm != _UNKEYED
        previous = mac
    if kept_head is not None and kept_head[0] > rows:
        problem = f"Rows {rows + 1} to {kept_head[0]} were cut off."
        return Verification(rows, keyed, unverifiable, broken_at=rows + 1, problem=problem)
    return Verification(rows, keyed, unverifiable)


def _sealed(previous: bytes, number: int, sent_number: int | None, entry: str, algorithm: str) -> bytes:
    return previous + msgspec.json.encode([number, sent_number, algorithm, entry])
