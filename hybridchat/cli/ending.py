"""How a command ends: every error becomes a line for the user and an exit code, never a traceback."""

from __future__ import annotations

import errno
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from hybridchat.errors import CannotWrite, HybridChatError, Interrupted

_NO_ROOM = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS") if hasattr(errno, name)}


def run_to_exit_code(work: Callable[[], int], tell: Callable[[HybridChatError], None]) -> int:
    """Do ``work`` and return its exit code; an error is told to the user by ``tell`` and gives its own."""
    from hybridchat.plain.streams import ReaderGone  # noqa: PLC0415 -- `--help` and `--version` need no streams

    try:
        try:
            with _ended_in_order():
                return work()
        except (HybridChatError, ReaderGone):
            raise
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None
        except _Terminated as end:
            raise Interrupted("stopped", exit_code=128 + end.number) from None
        except Exception as error:  # the last line of defence: a user sees no traceback
            raise _no_room(error) or our_fault(error) from error
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


def tell_on_stderr(error: HybridChatError) -> None:
    """Tell ``error`` on standard error."""
    from hybridchat.plain.streams import Narration, tell_error  # noqa: PLC0415 -- only an error needs it

    tell_error(Narration(sys.stderr), error)


class _Terminated(BaseException):
    """The system asked this process to end, by the signal ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind what is being done, as Ctrl-C does, instead of cutting it off.

    A signal that whoever started this process has other plans for (``nohup``) is left to them.
    """
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    if threading.current_thread() is not threading.main_thread():
        numbers = []

    def end(number: int, _frame: FrameType | None) -> None:
        raise _Terminated(number)

    before = {number: signal.signal(number, end) for number in numbers if signal.getsignal(number) is signal.SIG_DFL}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _no_room(error: Exception) -> CannotWrite | None:
    """Return what to tell where a disk took nothing more: the help of a command may meet one, too."""
    if not isinstance(error, OSError) or error.errno not in _NO_ROOM:
        return None
    where = f" {error.filename}" if error.filename else ""
    return CannotWrite(f"cannot write{where}: {error.strerror}", hint="Free some space or write to another place.")


def our_fault(error: Exception) -> HybridChatError:
    """Return what to tell about an error that nobody foresaw, after writing the details to a file."""
    from hybridchat.cli import fault_log  # noqa: PLC0415 -- only a fault of our own needs it

    message = f"something went wrong inside hybridchat ({type(error).__name__})"
    try:
        path = fault_log.write(error)
    except OSError:
        return HybridChatError(message, hint="Please report it with what you did; the details could not be written.")
    return HybridChatError(message, hint=f"Please report it with the details in {path}, which hold no prompt or key.")
