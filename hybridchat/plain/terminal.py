"""The user's terminal itself, which is there also when standard input and output are pipes."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Terminal(ABC):
    """Writes questions to the terminal and reads a line in a thread, so that the turn goes on meanwhile."""

    @abstractmethod
    def write(self, text: str) -> None:
        """Write ``text`` as it is."""

    @abstractmethod
    def read_line(self) -> str | None:
        """Block until there is a line, without its end; None when no line will come."""

    @abstractmethod
    def close(self) -> None:
        """Close the terminal; whoever still reads from it gets None."""

    async def line(self) -> str | None:
        """Wait for a line, without its end; None when the user closed the input or the terminal is gone."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()

        def deliver(line: str | None) -> None:
            if not answer.done():
                answer.set_result(line)

        def read() -> None:
            line = self.read_line()
            if not loop.is_closed():
                loop.call_soon_threadsafe(deliver, line)

        # a daemon thread, because asyncio waits for its own at the end, and nobody may ever type
        self._reader = threading.Thread(target=read, name="terminal", daemon=True)
        self._reader.start()
        return await answer

    _reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_terminal() -> Terminal | None:
    """Open the terminal of this process; None where there is none, or where this process is in the background."""
    try:
        return _open()
    except OSError:
        return None


if sys.platform != "win32":
    import select
    import termios

    class _PosixTerminal(Terminal):
        def __init__(self, descriptor: int) -> None:
            self._descriptor = descriptor
            self._woken, self._wake = os.pipe()

        def write(self, text: str) -> None:
            data = text.encode(errors="replace")
            try:
                # what was typed before the question was seen is no answer to it
                termios.tcflush(self._descriptor, termios.TCIFLUSH)
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except (OSError, termios.error):
                return  # hung up, which reading will tell

        def read_line(self) -> str | None:
            try:
                ready, _, _ = select.select([self._descriptor, self._woken], [], [])
                data = b"" if self._woken in ready else os.read(self._descriptor, 4096)
            except OSError:
                return None
            return data.decode(errors="replace").rstrip("\r\n") if data else None

        def close(self) -> None:
            os.close(self._wake)
            if self._reader is not None:
                self._reader.join()
            os.close(self._woken)
            os.close(self._descriptor)

    def _open() -> Terminal | None:
        descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        # reading in the background would stop the whole process (SIGTTIN)
        if os.tcgetpgrp(descriptor) != os.getpgrp():
            os.close(descriptor)
            return None
        return _PosixTerminal(descriptor)

else:  # pragma: no cover

    class _Console(Terminal):
        def __init__(self) -> None:
            self._keyboard = open("CONIN$", encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115  # a device
            self._screen = open("CONOUT$", "w", encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115  # the same

        def write(self, text: str) -> None:
            self._screen.write(text)
            self._screen.flush()

        def read_line(self) -> str | None:
            try:
                return self._keyboard.readline().rstrip("\r\n") or None
            except (OSError, ValueError):
                return None

        def close(self) -> None:
            self._screen.close()  # the keyboard stays with the thread that may still read from it

    def _open() -> Terminal | None:
        return _Console()
