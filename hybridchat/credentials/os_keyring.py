"""The OS keyring, where it is safe.

It may show a prompt and wait for an answer that never comes, so each use runs in a daemon thread with a time limit: it
can keep neither the event loop nor the exit of the process waiting. ``keyring`` is imported in that thread too, which
takes longer than many a local answer's first token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hybridchat.credentials.daemon import in_daemon_thread
from hybridchat.errors import KeyMissing

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyring.backend import KeyringBackend

SERVICE = "hybridchat"
_T = TypeVar("_T")


async def with_keyring(use: Callable[[KeyringBackend], _T], limit: float, hint: str, *, allow_unsafe: bool) -> _T:
    """Return what ``use`` makes of the keyring within ``limit`` seconds.

    Raises:
        KeyMissing: There is no keyring, only an unsafe one, or it fails or does not answer; ``hint`` says what to do
            without it.
    """
    try:
        return await in_daemon_thread(lambda: _call(use, allow_unsafe, hint), limit)
    except TimeoutError as error:
        raise KeyMissing(
            f"the keyring did not answer within {limit:g} s",
            hint=f"Unlock it or answer its prompt, then try again. {hint}",
        ) from error


def write(keyring: KeyringBackend, user: str, value: str) -> str | None:
    """Store a value and return what the keyring then has: some forget, and another process may have been first."""
    keyring.set_password(SERVICE, user, value)
    return keyring.get_password(SERVICE, user)


def _call(use: Callable[[KeyringBackend], _T], allow_unsafe: bool, hint: str) -> _T:
    try:
        from keyring.core import get_keyring  # noqa: PLC0415 -- keyring is dear to import, and may be broken
        from keyring.errors import KeyringError  # noqa: PLC0415 -- the same
    except ImportError as error:
        raise KeyMissing(f"keyring cannot be loaded: {error}", hint=hint) from error
    try:
        backend = get_keyring()
    except Exception as error:  # a wrong name of a backend raises five kinds of them
        raise KeyMissing(
            f"the configured keyring cannot be loaded: {error}",
            hint=f"Correct or unset PYTHON_KEYRING_BACKEND, or keyring's own keyringrc.cfg. {hint}",
        ) from error
    try:
        return use(_safe(backend, allow_unsafe, hint))
    except KeyMissing:
        raise
    except (KeyringError, RuntimeError, ImportError) as error:
        raise KeyMissing(f"the keyring cannot be used: {error}", hint=hint) from error
    except Exception as error:  # noqa: BLE001 -- backends pass on whatever their libraries raise
        # not chained: what a library raises may hold the key
        raise KeyMissing(f"the keyring failed with {type(error).__name__}", hint=hint) from None


def _safe(backend: KeyringBackend, allow_unsafe: bool, hint: str) -> KeyringBackend:
    """Return ``backend``, or the first safe one of a chain.

    Priorities below 1 are keyring's own mark for what nobody should use unasked: plain files, and backends that forget
    what they are given.
    """
    from keyring.backends.chainer import ChainerBackend  # noqa: PLC0415 -- keyring is dear to import

    if allow_unsafe:
        return backend
    for candidate in backend.backends if isinstance(backend, ChainerBackend) else [backend]:
        if not candidate.__module__.startswith("keyrings.alt") and candidate.priority >= 1:
            return candidate
    kind = f"{type(backend).__module__}.{type(backend).__qualname__}"
    raise KeyMissing(f"there is no safe keyring here, only {kind}", hint=hint)
