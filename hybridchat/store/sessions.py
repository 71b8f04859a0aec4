"""Tells whether the process that was writing an answer still lives.

Each process that writes answers holds a lock on a file of its own; the system lets go of it when the process ends,
however it ends. Process numbers are of no use here: they are given out again.

Lock files are made and examined only inside a write transaction of the database, of which there is one at a time, so
a file can never be seen between its making and its locking.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from hybridchat.store.identifiers import new_id

if TYPE_CHECKING:
    from filelock import FileLock


class Session:
    """This process's use of a database; ``folder`` holds the lock files, None where the database is in memory."""

    def __init__(self, folder: Path | None) -> None:
        self.id = new_id()
        self._folder = folder
        self._lock: FileLock | None = None

    def register(self) -> None:
        """Show others that this process lives, and clear away what dead ones left. Needs a write transaction."""
        if self._folder is None or self._lock is not None:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for file in list(self._folder.iterdir()):
            self.is_gone(file.name)
        lock = _lock(self._folder / self.id)
        lock.acquire()
        self._lock = lock

    def is_gone(self, session_id: str) -> bool:
        """Return whether the process behind ``session_id`` has ended. Needs a write transaction."""
        if self._folder is None or session_id == self.id:
            return False
        file = self._folder / session_id
        if not file.exists():
            return True

        from filelock import Timeout  # noqa: PLC0415 - costs as much as SQLite, and few commands need it

        lock = _lock(file)
        try:
            lock.acquire()
        except Timeout:
            return False
        lock.release()
        _remove(file)
        return True

    def close(self) -> None:
        """Let go of the lock."""
        if self._folder is not None and self._lock is not None:
            self._lock.release()
            self._lock = None
            _remove(self._folder / self.id)


def _lock(file: Path) -> FileLock:
    from filelock import FileLock  # noqa: PLC0415 - see above

    return FileLock(file, timeout=0, mode=0o600, thread_local=False)


def _remove(file: Path) -> None:
    with contextlib.suppress(OSError):  # Windows: another process is looking at it right now
        file.unlink(missing_ok=True)
