"""A program in a real pseudo-terminal: when its first frame is there, and what it uses while nothing happens.

Run as a module, it is a bare Textual app: one TextArea.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PATIENCE = 60.0
BARE_TEXT = "text area"


class Terminal:
    """A program behind a pseudo-terminal of 80 x 24 cells that answers no questions, as the plainest ones do."""

    def __init__(self, process: int, master: int, started: float) -> None:
        self.process = process
        self._master = master
        self._started = started
        self.written = b""

    def until(self, shown: str) -> float:
        """Return the seconds from the start until ``shown`` was written to the terminal."""
        while shown.encode() not in self.written:
            if not self._read(_PATIENCE):
                raise SystemExit(f"{shown!r} was not shown, but:\n{self.written[-2000:].decode(errors='replace')}")
        return time.monotonic() - self._started

    def idle(self, seconds: float) -> float:
        """Return the CPU seconds that all threads of the program use in ``seconds`` without any input."""
        before, end = _cpu(self.process), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)
        return _cpu(self.process) - before

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # the program has ended
            return False
        self.written += piece
        return bool(piece)


@contextmanager
def terminal(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Terminal]:
    """Run ``command`` in a terminal of its own, and end it afterwards."""
    started = time.monotonic()
    process, master = pty.fork()
    if process == 0:
        os.execvpe(command[0], list(command), {**environ, "TERM": "xterm-256color", "LINES": "24", "COLUMNS": "80"})
    try:
        yield Terminal(process, master, started)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(master)


def _cpu(process: int) -> float:
    """Return the CPU seconds of a process so far; Linux tells them in nanoseconds for each thread."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def bare_command() -> list[str]:
    """Return what starts the bare app."""
    return [sys.executable, "-m", "benchmarks.screen_terminal"]


def _bare() -> None:
    from textual.app import App, ComposeResult  # noqa: PLC0415 -- the benchmark itself needs no screen
    from textual.widgets import TextArea  # noqa: PLC0415 -- the same

    class Bare(App[None]):
        def compose(self) -> ComposeResult:
            yield TextArea(f"one {BARE_TEXT}")  # the cursor stands on the first letter, in another style

    Bare().run()


if __name__ == "__main__":
    _bare()
