"""What the processes that share an embedded server know of each other: four files in a private folder.

The *state* names the server's process, port and key. The *lease* is touched by whoever uses the server, which ends
when nobody has for a while. The *lock* is held for starting a server, for taking out a lease on a running one, and by
the server itself while it decides to end: so nobody can be sent to a server that is about to go. The *log* holds what
llama.cpp says.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hybridchat.backends.private_files import private_folder, read_private, write_private

if TYPE_CHECKING:
    from filelock import FileLock

_CLOCK_STEP = 10.0  # seconds by which creation times may differ: the system's clock may have been set
_GRACE = 5.0  # seconds between asking a server to end and ending it
_LAST_WAIT = 5.0  # seconds for the system to take a process away


_WRONG = re.compile(r"error|fail|cannot|unable|out of memory|abort", re.IGNORECASE)
_PREFIX = re.compile(r"[\d.]+ [A-Z] [^:]*: +")  # of llama.cpp's log, as in "0.00.029 E llama_model_load: "


class ServerState(msgspec.Struct, frozen=True):
    """A server. ``created`` is its process's creation time, since process numbers are used again; 0 is no port yet."""

    pid: int
    created: float
    key: str
    model: str
    port: int = 0


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The files of one server: one for each model file and context window."""

    folder: Path
    name: str

    @classmethod
    def of(cls, runtime: Path, model: str, path: Path, num_ctx: int) -> ServerFiles:
        """Return the files of the server for ``path`` with ``num_ctx`` tokens; ``model`` makes them recognisable.

        Raises ``BadConfiguration`` where ``runtime`` is another user's, ``CannotWrite`` where it cannot be made.
        """
        identity = hashlib.sha256(f"{path.resolve()}\0{num_ctx}".encode()).hexdigest()[:12]
        word = re.sub(r"[^\w.-]+", "-", Path(model).stem if model.endswith(".gguf") else model)[-40:]
        return cls(private_folder(runtime), f"{word}-{identity}")

    @property
    def log(self) -> Path:
        """What the server writes to its standard streams."""
        return self._path("log")

    def lock(self) -> FileLock:
        """Return a lock of one's own on this server."""
        from filelock import FileLock  # noqa: PLC0415 - `import hybridchat.backends.embedded.backend` stays cheap

        return FileLock(self._path("lock"), mode=0o600)

    def read(self) -> ServerState | None:
        """Return the server if one is there and alive, loaded or not."""
        state = self._recorded()
        return state if state and is_alive(state) else None

    def write(self, state: ServerState) -> None:
        """Tell everybody about ``state``."""
        write_private(self._path("json"), msgspec.json.encode(state))

    def forget(self, pid: int | None = None) -> None:
        """Tell everybody that there is no server, or no longer that of process ``pid``."""
        if pid is None or ((state := self._recorded()) and state.pid == pid):
            self._path("json").unlink(missing_ok=True)

    def renew_lease(self) -> None:
        """Say that the server is in use now."""
        with contextlib.suppress(OSError):
            self._path("lease").touch(mode=0o600)
            os.utime(self._path("lease"))

    def idle_seconds(self) -> float:
        """Return for how long nobody has used the server; without end where the folder is gone."""
        try:
            return time.time() - self._path("lease").stat().st_mtime
        except OSError:
            return float("inf")

    def complaints(self) -> list[str]:
        """Return the lines of the log that say what went wrong, in order, without time, level and function."""
        try:
            lines = self.log.read_text("utf-8", "replace").splitlines()
        except OSError:
            return []
        return [_PREFIX.sub("", line).strip() for line in lines if _WRONG.search(line)]

    def _recorded(self) -> ServerState | None:
        data = read_private(self._path("json"))
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(data, type=ServerState) if data else None
        return None

    def _path(self, suffix: str) -> Path:
        return self.folder / f"{self.name}.{suffix}"


def is_alive(state: ServerState) -> bool:
    """Return whether the very process that ``state`` names still runs."""
    import psutil  # noqa: PLC0415 - part of the embedded extra

    try:
        process = psutil.Process(state.pid)
        return bool(
            abs(process.create_time() - state.created) < _CLOCK_STEP and process.status() != psutil.STATUS_ZOMBIE
        )
    except psutil.Error:
        return False


def stop_server(files: ServerFiles, only: ServerState | None = None) -> bool:
    """End the server, asking first; return whether there was one.

    With ``only``, a server that somebody has put in its place meanwhile is left alone.
    """
    import psutil  # noqa: PLC0415 - part of the embedded extra

    with files.lock():
        state = files.read()
        if state and only and state != only:
            return False
        if state is not None:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(state.pid)
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_GRACE)
                except psutil.TimeoutExpired:
                    process.kill()
                    process.wait(_LAST_WAIT)
        files.forget()
    return state is not None


def stop_servers(runtime: Path) -> int:
    """End all servers of this user that are kept in ``runtime``; return how many there were."""
    return sum(stop_server(files) for files in _all(runtime))


def _all(runtime: Path) -> Iterator[ServerFiles]:
    if runtime.is_dir():
        for path in private_folder(runtime).glob("*.json"):
            yield ServerFiles(runtime, path.stem)
