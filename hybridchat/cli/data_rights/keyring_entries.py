"""Which entries of the OS keyring are the program's: a keyring cannot be asked for all of one service."""

from __future__ import annotations

from collections.abc import Iterator

from hybridchat.backends.loopback import is_loopback
from hybridchat.backends.presets import PRESETS
from hybridchat.cli import wiring
from hybridchat.cli.keeping import LEDGER_KEY, head_name, store_key_name
from hybridchat.config import paths
from hybridchat.config.settings import Settings
from hybridchat.credentials import Credentials
from hybridchat.errors import KeyUnusable
from hybridchat.store import encryption
from hybridchat.store.migrations import backups


async def entries_there(settings: Settings, credentials: Credentials) -> dict[str, bool | str]:
    """Return for each entry that there may be whether it is there, or why that is not known."""
    there: dict[str, bool | str] = {}
    in_keyring = Credentials(environ={})  # what the environment holds says nothing of the keyring
    for name, host in _api_keys(settings):
        (listed,) = await in_keyring.list([(name, host, ())])
        there[f"{name}@{host}"] = listed.problem.message if listed.problem else listed.source == "the OS keyring"
    for name in own_secrets(settings):
        try:
            there[f"secret:{name}"] = await credentials.own_secrets.get(name) is not None
        except KeyUnusable as problem:
            there[f"secret:{name}"] = problem.message
    return there


async def forget_all(settings: Settings, credentials: Credentials, secrets: list[str]) -> list[str]:
    """Remove every entry; ``secrets`` are the names of the program's own. Return what could not be removed, and why."""
    problems: list[str] = []
    for name, host in _api_keys(settings):
        try:
            await credentials.remove(name, host)
        except KeyUnusable as problem:
            return [f"the OS keyring cannot be asked ({problem.message}): what it holds for hybridchat stays"]
    for name in secrets:
        try:
            await credentials.own_secrets.forget(name)
        except KeyUnusable as problem:
            problems.append(f"secret:{name} stays in the OS keyring: {problem.message}")
    return problems


def own_secrets(settings: Settings) -> list[str]:
    """Return the names of the program's own secrets, as they are while the database is still there."""
    path = paths.database_file(settings.store)
    salts = {salt for file in (path, *backups(path)) if (salt := encryption.salt_of(file)) is not None}
    return [LEDGER_KEY, head_name(path), *sorted(store_key_name(salt) for salt in salts)]


def _api_keys(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield name and host of every key that `keys set` can have stored, as far as the settings still tell."""
    rows = [row for row in PRESETS.values() if row.key_name and row.url and not is_loopback(row.url)]
    keys = {(row.key_name or "", wiring.key_host(row.url)) for row in rows}
    remote = settings.remote
    if remote.preset != wiring.NO_REMOTE and remote.preset in PRESETS:
        row = PRESETS[remote.preset]
        name, url = remote.key_name or row.key_name, remote.url or row.url
        if name and url:
            keys |= {(name, wiring.key_host(url)), (name, "")}
    yield from sorted(keys)
