"""The OS keyring as the store needs it: for the ledger's key and head, and for the key of an encrypted database."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hybridchat.credentials import Credentials
from hybridchat.errors import KeyMissing

if TYPE_CHECKING:
    from hybridchat.store.encryption import FileKey

PASSPHRASE = "store"  # noqa: S105 -- a name
"""The name under which a passphrase is looked for: in HYBRIDCHAT_KEY_STORE."""

LEDGER_KEY = "ledger"

_unlocked: dict[bytes, FileKey] = {}
"""Keys of databases, by their salts, that were asked for before a screen covered the terminal."""
_T = TypeVar("_T")


class KeyringGuard:
    """Keeps the ledger's key, and the head of the database at ``path``; implements ``store.guard.Guard``."""

    def __init__(self, credentials: Credentials, path: Path) -> None:
        self._secrets = credentials.own_secrets
        self._head = head_name(path)

    def key(self) -> bytes:
        """Return the key, which is made when it is first asked for."""
        return asyncio.run(self._secrets.get_or_make(LEDGER_KEY, lambda: os.urandom(32)))

    def read(self) -> str | None:
        """Return the head that was kept last."""
        found = asyncio.run(self._secrets.get(self._head))
        return None if found is None else found.decode("utf-8", "replace")

    def keep(self, text: str) -> None:
        """Keep a head."""
        asyncio.run(self._secrets.keep(self._head, text.encode()))


def head_name(path: Path) -> str:
    """Return the keyring's name for the head of the ledger in this database: each file has its own."""
    return f"ledger-head-{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]}"


def store_key_name(salt: bytes) -> str:
    """Return the keyring's name for the key of the encrypted database that begins with ``salt``."""
    return f"store-{salt.hex()}"


class Unlocking:
    """Finds the key of an encrypted database; implements ``store.encryption.Unlock``.

    It is looked for where it costs least first: a passphrase in the environment or printed by the user's command, the
    key in the OS keyring, a passphrase that is asked for on the terminal.
    """

    def __init__(self, credentials: Credentials, command: str = "") -> None:
        self._credentials = credentials
        self._command = command
        self.source = ""

    def __call__(self, salt: bytes) -> Iterator[FileKey]:
        """Yield one key after the other. Raises ``KeyMissing`` where there is none."""
        from hybridchat.store.encryption import FileKey  # noqa: PLC0415 -- only an encrypted store needs it

        if salt in _unlocked:
            self.source = "a passphrase"
            yield _unlocked[salt]
        found = False
        given = without_loop(self._credentials.passphrase(PASSPHRASE, self._command))
        if given is not None:
            found, self.source = True, given.source
            yield FileKey.from_passphrase(given.reveal(), salt)
        problem = None
        try:
            key = without_loop(self._credentials.own_secrets.get(store_key_name(salt)))
        except KeyMissing as error:
            key, problem = None, error
        if key is not None:
            found, self.source = True, "the OS keyring"
            yield FileKey(key, salt)
        if sys.stdin is not None and sys.stdin.isatty():
            found, self.source = True, "a passphrase"
            yield FileKey.from_passphrase(ask_passphrase("Passphrase of the encrypted store (not shown): "), salt)
        if not found:
            because = f", and the keyring cannot be asked: {problem.message}" if problem else " in the OS keyring"
            raise KeyMissing(
                f"the store is encrypted, and there is no key for it{because}",
                hint="Unlock the keyring, or give the passphrase in HYBRIDCHAT_KEY_STORE, by store.key_command, or "
                "on a terminal.",
            )


def unlock_before_the_screen(path: Path, credentials: Credentials, command: str) -> None:
    """Find the key of the encrypted database at ``path`` now, while a passphrase can still be asked for.

    Raises what opening the database raises.
    """
    from hybridchat.store.encryption import find_key  # noqa: PLC0415 -- only an encrypted store needs it

    if (key := find_key(path, Unlocking(credentials, command))) is not None:
        _unlocked[key.salt] = key


def ask_passphrase(prompt: str) -> str:
    """Ask for a passphrase on the terminal, without showing it. Raises ``KeyMissing`` where none is given."""
    from getpass import getpass  # noqa: PLC0415 -- only a terminal needs it

    try:
        typed = getpass(prompt)
    except EOFError:
        typed = ""
    if not typed:
        raise KeyMissing("no passphrase was given", hint="Type it, or set HYBRIDCHAT_KEY_STORE.")
    return typed


def without_loop(work: Coroutine[Any, Any, _T]) -> _T:
    """Do ``work`` to its end, whether or not an event loop runs in this thread."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, work).result()
