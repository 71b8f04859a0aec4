"""Where faults of our own are written down: a file that only the user can read, without any prompt or key."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb

from hybridchat import __version__
from hybridchat.config.paths import cache_folder
from hybridchat.config.private_folders import make_private_folder


def path() -> Path:
    """Return the file; it need not exist."""
    return cache_folder() / "errors.log"


def write(error: BaseException) -> Path:
    """Append where ``error`` was raised, and by what; return the file. Raises ``OSError``.

    What the error says is left out, and so is what its causes say: it may quote a prompt or a key.
    """
    file = path()
    make_private_folder(file.parent)
    file.parent.chmod(0o700)  # it may have been made before, by a program that did not mind
    versions = f"hybridchat {__version__}, Python {sys.version.split()[0]}, {sys.platform}"
    lines = [f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {versions}", *_places(error)]
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
        file.chmod(0o600)
        stream.write("\n".join([*lines, "", ""]))
    return file


class FaultHandler(logging.Handler):
    """Writes logged exceptions to the file; without a handler, Python would print them with a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's exception, if it has one; nothing else is worth keeping."""
        if record.exc_info and record.exc_info[1]:
            with suppress(OSError):
                write(record.exc_info[1])


def _places(error: BaseException) -> list[str]:
    chain: list[BaseException] = []
    before: BaseException | None = error
    while before is not None and before not in chain:
        chain.append(before)
        before = before.__cause__ or (None if before.__suppress_context__ else before.__context__)
    lines = []
    for link in reversed(chain):
        frames = extract_tb(link.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames]
        lines.append(f"{type(link).__module__}.{type(link).__qualname__}")
    return lines
