"""The two streams of a command: the answer goes to one, everything else to the other."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from hybridchat.errors import CannotWrite, HybridChatError
from hybridchat.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hybridchat.events import Failed

_PEER_CLOSED = {errno.EPIPE, errno.ESHUTDOWN, errno.ECONNRESET}
if sys.platform == "win32":  # pragma: no cover  # Windows reports a closed pipe as an invalid argument
    _PEER_CLOSED.add(errno.EINVAL)


class ReaderGone(Exception):
    """Whoever read our output has closed it (``| head -1``): nothing is wrong, and nobody is left to tell."""

    exit_code = 141  # 128 + SIGPIPE, as shells report it


class OutputRefused(CannotWrite):
    """Standard output is closed, or its disk is full: not even an error can be written there."""


class Output:
    """Standard output: the answer and nothing else, visible at once.

    ``encoding`` forces one (JSON is UTF-8 by definition). Otherwise an encoding that the user named in
    ``PYTHONIOENCODING`` is kept, any other that cannot say everything gives way to UTF-8, and what cannot be encoded
    becomes a question mark: an answer never fails for a character.
    """

    def __init__(
        self, stream: TextIO | None, *, encoding: str | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._stream = stream
        self.is_terminal = is_terminal(stream)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding=encoding or _complete_encoding(stream.encoding, environ), errors="replace", write_through=False
            )

    def write(self, text: str) -> None:
        """Write ``text`` and flush it.

        Raises ``ReaderGone`` when the reader has closed the pipe, ``OutputRefused`` when the system refuses.
        """
        if self._stream is None:
            raise OutputRefused("standard output is closed", hint="Run the command with an open standard output.")
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            self.abandon()
            if error.errno in _PEER_CLOSED:
                raise ReaderGone from error
            raise OutputRefused(
                f"standard output cannot be written: {error.strerror or error}",
                hint="Free some space or write to another place.",
            ) from error

    def fileno(self) -> int | None:
        """Return the file descriptor, None where there is none."""
        return file_descriptor(self._stream)

    def abandon(self) -> None:
        """Let what is still buffered vanish, so that the interpreter does not complain about it at its exit."""
        descriptor = self.fileno()
        if descriptor is None:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


class Narration:
    """Standard error: short lines about what happens. It may be closed or full; that never stops a turn."""

    def __init__(
        self,
        stream: TextIO | None,
        *,
        quiet: bool = False,
        verbose: bool = False,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._stream = stream
        self.is_terminal = is_terminal(stream)
        self.quiet = quiet
        self.verbose = verbose and not quiet
        self.styled = self.is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

    def say(self, line: str) -> None:
        """Write a line, unless the user wants quiet."""
        if not self.quiet:
            self.insist(line)

    def insist(self, line: str) -> None:
        """Write a line even to a user who wants quiet: an error."""
        self.write(f"{clean(line)}\n")  # it may quote a server or a file name

    def aside(self, text: str) -> None:
        """Write text of a reasoning channel, dim where the terminal can show it."""
        self.write(f"\x1b[2m{text}\x1b[22m" if self.styled else text)

    def write(self, text: str) -> None:
        """Write ``text`` as it is; a stream that does not take it is left alone."""
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._stream = None


def tell_error(narration: Narration, error: HybridChatError | Failed) -> None:
    """Write what happened and what to do next."""
    narration.insist(f"hybridchat: {error.message}")
    if error.hint:
        narration.insist(f"  {error.hint}")


def is_terminal(stream: TextIO | None) -> bool:
    """Say whether a person looks at ``stream``."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def file_descriptor(stream: TextIO | None) -> int | None:
    """Return the stream's file descriptor, None where it has none (closed, or a stream in memory)."""
    try:
        return None if stream is None else stream.fileno()
    except (ValueError, OSError):
        return None


def _complete_encoding(encoding: str, environ: Mapping[str, str]) -> str:
    named = environ.get("PYTHONIOENCODING", "").partition(":")[0]
    if named or codecs.lookup(encoding).name.startswith("utf"):
        return encoding
    return "utf-8"
