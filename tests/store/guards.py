from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from hybridchat.errors import KeyMissing


class MemoryGuard:
    """A keyring for tests; ``key`` None is one that cannot be used."""

    def __init__(self, key: bytes | None) -> None:
        self.secret = key
        self.head: str | None = None
        self.calls: list[str] = []

    def key(self) -> bytes:
        self.calls.append("key")
        return self._usable()

    def read(self) -> str | None:
        self.calls.append("read")
        self._usable()
        return self.head

    def keep(self, text: str) -> None:
        self.calls.append("keep")
        self._usable()
        self.head = text

    def _usable(self) -> bytes:
        if self.secret is None:
            raise KeyMissing("there is no keyring here", hint="Unlock it.")
        return self.secret


class FileGuard:
    """A keyring of several processes: its content is a file, ``before`` and ``after`` run around each writing."""

    def __init__(
        self, path: Path, before: Callable[[str], None] = lambda _: None, after: Callable[[str], None] = lambda _: None
    ) -> None:
        self._path = path
        self._before = before
        self._after = after

    def key(self) -> bytes:
        return b"k" * 32

    def read(self) -> str | None:
        return msgspec.json.decode(self._path.read_bytes(), type=str) if self._path.exists() else None

    def keep(self, text: str) -> None:
        self._before(text)
        new = self._path.with_suffix(f".{os.getpid()}")
        new.write_bytes(msgspec.json.encode(text))
        new.replace(self._path)
        self._after(text)
