"""How a command ends: every error becomes a line for the user and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hybridchat.errors import HybridChatError, Interrupted

if TYPE_CHECKING:
    from traceback import TracebackException


def run_to_exit_code(work: Callable[[], int], tell: Callable[[HybridChatError], None]) -> int:
    """Do ``work`` and return its exit code; an error is told to the user by ``tell`` and gives its own."""
    from hybridchat.plain.streams import ReaderGone  # noqa: PLC0415 -- `--help` and `--version` need no streams

    try:
        try:
            return work()
        except (HybridChatError, ReaderGone):
            raise
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None
        except Exception as error:  # the last line of defence: a user sees no traceback
            raise our_fault(error) from error
    except ReaderGone as gone:
        return gone.exit_code
    except HybridChatError as error:
        try:
            tell(error)
        except ReaderGone as gone:
            return gone.exit_code
        except HybridChatError as refusal:  # the answer's stream takes nothing: that is what matters now
            return refusal.exit_code
        return error.exit_code


def our_fault(error: Exception) -> HybridChatError:
    """Return what to tell about an error that nobody foresaw, after writing the details to a file."""
    message = f"something went wrong inside hybridchat ({type(error).__name__})"
    try:
        path = _write_log(error)
    except OSError:
        return HybridChatError(message, hint="Please report it with what you did; the details could not be written.")
    return HybridChatError(message, hint=f"Please report it with the details in {path}, which hold no prompt or key.")


def _write_log(error: Exception) -> Path:
    from datetime import UTC, datetime  # noqa: PLC0415 -- only a fault of our own needs it
    from traceback import TracebackException  # noqa: PLC0415 -- the same

    from hybridchat import __version__  # noqa: PLC0415 -- the same
    from hybridchat.config.paths import cache_folder  # noqa: PLC0415 -- the same

    folder = cache_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "errors.log"
    versions = f"hybridchat {__version__}, Python {sys.version.split()[0]}, {sys.platform}"
    header = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {versions}"
    entry = "\n".join([header, *_places(TracebackException.from_exception(error)), "", ""])
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(entry)
    return path


def _places(error: TracebackException) -> list[str]:
    """Return the kinds of the errors and where they were raised: their messages may quote a prompt."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = _places(before) if before else []
    lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in error.stack]
    kind = error.exc_type
    return [*lines, f"{kind.__module__}.{kind.__qualname__}" if kind else "unknown"]
