"""Secrets of the program's own in the OS keyring: the ledger's key and head, and the keys of encrypted stores."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, TypeVar

from hybridchat.credentials.os_keyring import SERVICE, with_keyring, write
from hybridchat.errors import KeyMissing, KeyUnusable

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyring.backend import KeyringBackend

_T = TypeVar("_T")
_HINT = "Unlock or install a keyring (GNOME Keyring, KWallet, KeePassXC, macOS Keychain, Windows Credential Manager)."


class OwnSecrets:
    """Bytes under names, in the keyring's service ``hybridchat`` as ``secret:NAME``.

    Every method raises ``KeyMissing`` where there is no safe keyring, or it is locked, fails, does not answer within
    ``timeout`` seconds, or does not keep what it takes; and ``KeyUnusable`` where it holds something else under the
    name, which is left alone: what was sealed with the secret would otherwise be lost.
    """

    def __init__(self, timeout: float, *, allow_unsafe: bool) -> None:
        self._timeout = timeout
        self._allow_unsafe = allow_unsafe

    async def get(self, name: str) -> bytes | None:
        """Return a secret, None where there is none."""
        user = _user(name)
        kept = await self._with_keyring(lambda keyring: keyring.get_password(SERVICE, user))
        return None if kept is None else _decoded(kept, user)

    async def get_or_make(self, name: str, create: Callable[[], bytes]) -> bytes:
        """Return a secret, made by ``create`` and kept where there is none yet."""
        user = _user(name)

        def read_or_make(keyring: KeyringBackend) -> str | None:
            known = keyring.get_password(SERVICE, user)
            return known or write(keyring, user, base64.b64encode(create()).decode())

        kept = await self._with_keyring(read_or_make)
        if not kept:
            raise _does_not_keep()
        return _decoded(kept, user)

    async def keep(self, name: str, secret: bytes) -> None:
        """Keep a secret in place of an older one."""
        user, text = _user(name), base64.b64encode(secret).decode()
        if await self._with_keyring(lambda keyring: write(keyring, user, text)) != text:
            raise _does_not_keep()

    async def forget(self, name: str) -> bool:
        """Remove a secret; return whether there was one."""
        user = _user(name)

        def delete(keyring: KeyringBackend) -> bool:
            if keyring.get_password(SERVICE, user) is None:
                return False
            keyring.delete_password(SERVICE, user)
            return True

        return await self._with_keyring(delete)

    async def _with_keyring(self, use: Callable[[KeyringBackend], _T]) -> _T:
        return await with_keyring(use, self._timeout, _HINT, allow_unsafe=self._allow_unsafe)


def _user(name: str) -> str:
    return f"secret:{name}"


def _decoded(kept: str, user: str) -> bytes:
    try:
        return base64.b64decode(kept, validate=True)
    except ValueError as error:
        raise KeyUnusable(
            f"the keyring's entry {user} is damaged", hint=f"Remove it: service {SERVICE}, user {user}."
        ) from error


def _does_not_keep() -> KeyMissing:
    return KeyMissing("the keyring took a secret but did not keep it", hint=_HINT)
