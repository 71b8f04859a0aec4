"""Everything that can go wrong, as one tree.

::

    HybridChatError                     70  our own fault, unless a subclass says otherwise
    ├── UsageError                       2  the command line asks for something that does not exist
    ├── InputError                      65  the data given cannot be used (empty, binary, too long)
    ├── InputMissing                    66  a file or conversation that was named is not there
    ├── CannotWrite                     74  a disk is full, a file or folder is not writable
    ├── BadConfiguration                78  a setting is unreadable or impossible
    ├── Blocked                         79  data policy, offline mode or budget forbids it
    ├── Interrupted                    130  the user stopped it; the partial answer is kept
    ├── KeyUnusable                     77
    │   ├── KeyMissing                      no key is stored, or the keyring is not usable
    │   ├── KeyRefused                      the server does not accept the key (401, 403)
    │   └── NoCredits                       the account behind the key is empty (402)
    └── BackendError                    69  names the endpoint it came from
        ├── Unreachable                     refused, no route, unknown host, TLS failure
        ├── TimedOut                        no connection, no first token, or a stall
        ├── ModelMissing                    the server does not have or serve this model
        ├── NotEnoughMemory                 the model does not fit into free memory
        ├── ServerFailed                    5xx, or the server reports a failure of its own
        ├── TryLater                    75  rate limit or overload, perhaps with a waiting time
        └── ProtocolError               76
            ├── RequestRejected             the server does not understand our request (400, 422)
            │   └── ContextOverflow     65  the prompt is longer than the context window
            ├── StreamBroken                the connection broke mid-stream
            └── StreamIncomplete            the stream ended without saying that it was done

Each error says what happened (``message``), what to do next (``hint``), and how the process ends
(``exit_code``). ``code`` is a stable name for programs that read JSON Lines.
"""

from __future__ import annotations

import re


class HybridChatError(Exception):
    """The base of all errors that are meant for a user's eyes."""

    exit_code: int = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def code(self) -> str:
        """The stable name of this kind of error, e.g. ``model_missing``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class UsageError(HybridChatError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class InputError(HybridChatError):
    """The data given cannot be used: empty, binary, too long."""

    exit_code = 65


class InputMissing(HybridChatError):
    """A file or conversation that was named is not there."""

    exit_code = 66


class CannotWrite(HybridChatError):
    """A disk is full, or a file or folder is not writable."""

    exit_code = 74


class BadConfiguration(HybridChatError):
    """A setting is unreadable or impossible."""

    exit_code = 78


class Blocked(HybridChatError):
    """Data policy, offline mode or budget forbids it."""

    exit_code = 79


class Interrupted(HybridChatError):
    """The user stopped it, or a signal whose ``exit_code`` says so; the partial answer is kept."""

    exit_code = 130

    def __init__(self, message: str, *, hint: str = "", exit_code: int = exit_code) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


class KeyUnusable(HybridChatError):
    """There is no way to authenticate."""

    exit_code = 77


class KeyMissing(KeyUnusable):
    """No key is stored, or the keyring is not usable."""


class KeyRefused(KeyUnusable):
    """The server does not accept the key (401, 403)."""


class NoCredits(KeyUnusable):
    """The account behind the key is empty (402)."""


class BackendError(HybridChatError):
    """A server could not answer; ``endpoint`` is the name of the configured instance."""

    exit_code = 69

    def __init__(self, message: str, *, endpoint: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.endpoint = endpoint


class Unreachable(BackendError):
    """Refused, no route, unknown host, TLS failure."""


class TimedOut(BackendError):
    """No connection, no first token, or a stall between two tokens."""


class ModelMissing(BackendError):
    """The server does not have or serve this model; ``alternatives`` are names that it does serve."""

    def __init__(self, message: str, *, endpoint: str, hint: str = "", alternatives: tuple[str, ...] = ()) -> None:
        super().__init__(message, endpoint=endpoint, hint=hint)
        self.alternatives = alternatives


class NotEnoughMemory(BackendError):
    """The model does not fit into free memory."""


class ServerFailed(BackendError):
    """The server answered 5xx or reported a failure of its own."""


class TryLater(BackendError):
    """Rate limit or overload; ``retry_after`` is the waiting time in seconds, where the server said one."""

    exit_code = 75

    def __init__(self, message: str, *, endpoint: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, endpoint=endpoint, hint=hint)
        self.retry_after = retry_after


class ProtocolError(BackendError):
    """The server does not keep to its protocol, or we do not."""

    exit_code = 76


class RequestRejected(ProtocolError):
    """The server does not understand our request (400, 422)."""


class ContextOverflow(RequestRejected):
    """The prompt is longer than the context window; ``prompt_tokens`` is its size, where the server said it."""

    exit_code = 65

    def __init__(self, message: str, *, endpoint: str, hint: str = "", prompt_tokens: int | None = None) -> None:
        super().__init__(message, endpoint=endpoint, hint=hint)
        self.prompt_tokens = prompt_tokens


class StreamBroken(ProtocolError):
    """The connection broke mid-stream, or a line of it could not be read."""


class StreamIncomplete(ProtocolError):
    """The stream ended without saying that it was done."""
