"""Finds a key, and keeps one where the system keeps secrets."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from hybridchat.credentials.command import output, printed, program
from hybridchat.credentials.key import Key, checked, variable
from hybridchat.credentials.os_keyring import SERVICE, with_keyring, write
from hybridchat.credentials.own_secrets import OwnSecrets
from hybridchat.errors import KeyMissing, KeyUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from keyring.backend import KeyringBackend

_NO_COMMANDS: Mapping[str, str] = MappingProxyType({})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Listed:
    """Where a key would come from: ``source`` is None where there is none, ``problem`` says why nobody could look."""

    name: str
    host: str
    source: str | None
    problem: KeyUnusable | None = None


class Credentials:
    """Finds and keeps keys.

    ``commands`` maps a key's name to the command whose output it is; ``timeout`` is in seconds, for each call of the
    keyring and each command. ``allow_unsafe`` accepts keyrings that keep keys in a plain file.
    """

    def __init__(
        self,
        commands: Mapping[str, str] = _NO_COMMANDS,
        environ: Mapping[str, str] = os.environ,
        timeout: float = 10.0,
        *,
        allow_unsafe: bool = False,
    ) -> None:
        self._commands = commands
        self._environ = environ
        self._timeout = timeout
        self._allow_unsafe = allow_unsafe

    async def find(self, name: str, host: str = "", env_names: Sequence[str] = ()) -> Key:
        """Return the key called ``name`` for ``host`` (a host name, with its port where it is not the usual one).

        ``env_names`` are the provider's own variables, such as ``HF_TOKEN``; pass them only where ``host`` is the
        provider's own. A token that ``hf auth login`` saved is not looked for: nobody gave it to this program.

        Raises:
            KeyMissing: There is none, the command failed, or the keyring is not usable.
            KeyUnusable: What was found cannot be a key.
        """
        user = _user(name, host)
        if where := self._in_environment(name, env_names):
            return Key(checked(self._environ[where], f"the key in {where}"), f"environment variable {where}")
        if command := self._commands.get(name):
            return Key(await output(command, self._timeout, _without_command(name)), f"the command {program(command)}")
        value = await self._with_keyring(name, lambda keyring: keyring.get_password(SERVICE, user))
        if not value:
            raise KeyMissing(f"no key is stored for {user}", hint=_how_to_store(name))
        return Key(checked(value, "the key in the keyring"), "the OS keyring")

    async def store(self, name: str, value: str, host: str = "") -> None:
        """Keep a key in the OS keyring, in place of an older one for the same name and host.

        Raises:
            KeyMissing: The keyring is not usable, or did not keep it.
            KeyUnusable: ``value`` cannot be a key.
        """
        user, value = _user(name, host), checked(value, "the key")
        if await self._with_keyring(name, lambda keyring: write(keyring, user, value)) != value:
            raise KeyMissing("the keyring took the key but did not keep it", hint=_without_keyring(name))

    async def remove(self, name: str, host: str = "") -> bool:
        """Remove a key from the OS keyring; return whether there was one.

        Raises:
            KeyMissing: The keyring is not usable.
        """
        user = _user(name, host)

        def delete(keyring: KeyringBackend) -> bool:
            if keyring.get_password(SERVICE, user) is None:
                return False
            keyring.delete_password(SERVICE, user)
            return True

        return await self._with_keyring(name, delete)

    async def list(self, wanted: Iterable[tuple[str, str, Sequence[str]]]) -> tuple[Listed, ...]:
        """Return where each key would come from, for names, hosts and ``env_names`` as in ``find``.

        No command is run: it may ask the user something.
        """
        return tuple([await self._listed(*one) for one in wanted])

    async def keyring(self, name: str) -> str:
        """Return which keyring would keep the key called ``name``; nothing in it is looked at.

        Raises:
            KeyMissing: There is none that is safe and can be used.
        """
        return await self._with_keyring(
            name, lambda keyring: f"{type(keyring).__module__}.{type(keyring).__qualname__}"
        )

    async def passphrase(self, name: str, command: str = "") -> Key | None:
        """Return the passphrase ``name`` out of the environment, or what ``command`` prints; None without both.

        Raises:
            KeyMissing: The command failed.
        """
        if given := self._environ.get(variable(name)):
            return Key(given, f"environment variable {variable(name)}")
        if not command:
            return None
        said = await printed(command, self._timeout, f"Run the command by hand, or set {variable(name)}.")
        return Key(said.rstrip("\r\n"), f"the command {program(command)}")

    @property
    def own_secrets(self) -> OwnSecrets:
        """Secrets of the program's own, which are in the OS keyring alone."""
        return OwnSecrets(self._timeout, allow_unsafe=self._allow_unsafe)

    def _in_environment(self, name: str, env_names: Sequence[str]) -> str | None:
        return next((one for one in (variable(name), *env_names) if self._environ.get(one, "").strip()), None)

    async def _listed(self, name: str, host: str, env_names: Sequence[str]) -> Listed:
        user = _user(name, host)
        if where := self._in_environment(name, env_names):
            return Listed(name, host, f"environment variable {where}")
        if command := self._commands.get(name):
            return Listed(name, host, f"the command {program(command)}")
        try:
            stored = await self._with_keyring(name, lambda keyring: bool(keyring.get_password(SERVICE, user)))
        except KeyMissing as error:
            return Listed(name, host, None, error)
        return Listed(name, host, "the OS keyring" if stored else None)

    async def _with_keyring(self, name: str, use: Callable[[KeyringBackend], _T]) -> _T:
        return await with_keyring(use, self._timeout, _without_keyring(name), allow_unsafe=self._allow_unsafe)


def _user(name: str, host: str) -> str:
    """Return the keyring's user for a key."""
    if not _NAME.fullmatch(name):
        raise KeyUnusable(f"{name!r} cannot be a key's name", hint="Use letters, digits, '.', '-' and '_'.")
    if re.search(r"[\s@/]", host):
        raise KeyUnusable(f"{host!r} cannot be a key's host", hint="Give the host name alone, such as example.org.")
    return f"{name}@{host.lower()}" if host else name


def _without_keyring(name: str) -> str:
    return f"Set {variable(name)} in the environment, or name a command that prints the key in remote.key_command."


def _how_to_store(name: str) -> str:
    hint = f"Run `hybridchat keys set {name}`. Or: {_without_keyring(name)}"
    if name == "huggingface":
        hint += ' A token saved by `hf auth login` is used only if you say so: remote.key_command = "hf auth token".'
    return hint


def _without_command(name: str) -> str:
    return f"Run remote.key_command by hand to see what it says, or set {variable(name)} in the environment."
