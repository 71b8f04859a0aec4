"""What the first bytes of a database say. Imports nothing that is dear: the chat's first frame waits for it."""

from __future__ import annotations

import os
from pathlib import Path

SALT_LENGTH = 16
PAGE = 4096
"""Bytes of a page of SQLCipher's, and of ours."""

_PLAIN = b"SQLite format 3\0"


def read_salt(path: Path) -> bytes | None:
    """Return the salt with which an encrypted database begins; None for another file, or where there is none.

    Must not be called while this process has the database open: closing the file lets go of SQLite's locks on it.
    """
    try:
        with path.open("rb") as file:
            start, size = file.read(SALT_LENGTH), os.fstat(file.fileno()).st_size
    except OSError:
        return None
    return None if start == _PLAIN or size < PAGE or size % PAGE or not any(start) else start
