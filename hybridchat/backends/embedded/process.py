"""Starts the program that a model runs in, so that it outlives whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys

from hybridchat.backends.embedded.model import Served, threads
from hybridchat.backends.embedded.state import ServerFiles
from hybridchat.backends.private_files import cannot_write
from hybridchat.processes import without_secrets

if sys.platform == "win32":
    _WINDOWS_FLAGS = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _WINDOWS_FLAGS = 0


class Detached(subprocess.Popen[bytes]):
    """A process that is meant to outlive this one, so that leaving it behind is no leak to be warned of."""

    def __del__(self) -> None:
        if getattr(self, "_child_created", False):
            self.poll()


def spawn(files: ServerFiles, served: Served, idle_seconds: float) -> Detached:
    """Start a server for ``served`` that ends after ``idle_seconds`` without use. Raises ``CannotWrite``.

    It writes to ``files.log`` alone, survives this process and the terminal, and inherits no secrets.
    """
    arguments = {
        "--runtime": files.folder.resolve(),
        "--files": files.name,
        "--model": served.path.resolve(),
        "--alias": served.name,
        "--num-ctx": served.window,
        "--threads": threads(),
        "--idle-seconds": idle_seconds,
    }
    command = [sys.executable, "-m", "hybridchat.backends.embedded.server"]
    command += [f"{option}={value}" for option, value in arguments.items()]
    try:
        files.log.unlink(missing_ok=True)
        with open(os.open(files.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as log:  # noqa: PTH123 - a mode is set
            return Detached(
                command,
                # Python's -m looks for modules in the current folder first; this one is our own. The user's stays free.
                cwd=files.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=without_secrets(),
                start_new_session=True,
                creationflags=_WINDOWS_FLAGS,
            )
    except OSError as error:
        raise cannot_write(files.log, error) from error
