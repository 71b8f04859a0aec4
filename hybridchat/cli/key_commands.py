"""What the commands of ``hybridchat keys`` do."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from hybridchat.backends.loopback import is_loopback
from hybridchat.backends.presets import PRESETS, preset, remote_endpoint
from hybridchat.cli import wiring
from hybridchat.cli.listing import show_records, show_text, tell
from hybridchat.config.loading import load
from hybridchat.config.settings import Auth, Endpoint, Settings
from hybridchat.errors import Blocked, InputError, InputMissing, UsageError
from hybridchat.messages import DataPolicy


def store(name: str, host: str | None) -> None:
    """Keep a key for the host that it will be sent to."""
    settings = load().settings
    where = _host(name, settings) if host is None else host
    key = _read_key(name)
    asyncio.run(wiring.new_credentials(settings).store(name, key, where))
    tell(f"the key {name} for {where or 'any host'} is stored in the OS keyring")


def show_all(*, as_json: bool) -> None:
    """Print where each known key would come from."""
    settings = load().settings
    hosted = [row for row in PRESETS.values() if row.url and not is_loopback(row.url)]
    wanted = {row.key_name: row.key_env for row in hosted if row.key_name}
    if own := _configured(settings):
        wanted.setdefault(own, ())
    credentials = wiring.new_credentials(settings)
    found = asyncio.run(credentials.list([(name, _host(name, settings), names) for name, names in wanted.items()]))
    records = [{"name": one.name, "host": one.host, "source": one.source} for one in found]
    show_records(records, ("name", "host", "source"), as_json=as_json, empty="")
    problem = next((one.problem for one in found if one.problem), None)
    if problem is not None:
        tell(f"the keyring could not be asked: {problem.message}")
        tell(f"  {problem.hint}")


def test() -> None:
    """Ask the remote server for its models with the key."""
    settings = load().settings
    if settings.privacy.offline or settings.privacy.data_policy is DataPolicy.LOCAL_ONLY:
        what = "offline mode is on" if settings.privacy.offline else "the data policy is local-only"
        raise Blocked(f"{what}: nothing may be sent, not even a key", hint="See `hybridchat config show`.")
    if settings.remote.preset == wiring.NO_REMOTE:
        raise UsageError("no remote model is configured", hint="Set remote.preset.")
    endpoint = remote_endpoint(settings.remote, trusted_hosts=settings.local.trusted_hosts)
    if endpoint.auth is Auth.NONE or endpoint.key_name is None:
        show_text(f"{endpoint.name} needs no key")
        return
    answer = asyncio.run(ask_server(settings))
    show_text(f"{endpoint.name} answers, and lists {len(answer.models)} models; the key comes from {answer.key_source}")


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """Which models the remote server lists; ``key_source`` is where the key came from, None where none is needed."""

    endpoint: Endpoint
    key_source: str | None
    models: tuple[str, ...]


async def ask_server(settings: Settings) -> ServerAnswer:
    """Show the key to the remote server and ask it for its models.

    Raises ``BadConfiguration``, ``KeyUnusable`` and its kin, and whatever the server's failures are translated to.
    """
    from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend  # noqa: PLC0415 -- httpx is dear

    endpoint = remote_endpoint(settings.remote, trusted_hosts=settings.local.trusted_hosts)
    key = None
    if endpoint.auth is not Auth.NONE and endpoint.key_name is not None:
        key = await wiring.new_credentials(settings).find(endpoint.key_name, *key_place(endpoint, settings))
    backend = OpenAICompatibleBackend(endpoint, key.reveal() if key else None)
    try:
        served = await backend.served_models()
    finally:
        await backend.aclose()
    return ServerAnswer(endpoint, key.source if key else None, tuple(model.id for model in served))


def key_place(endpoint: Endpoint, settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Return the host that the remote key belongs to, and the provider's own variables, if it is the provider's."""
    host, row = wiring.key_host(endpoint.url), preset(settings.remote.preset)
    return host, row.key_env if host == wiring.key_host(row.url) else ()


def remove(name: str, host: str | None) -> None:
    """Remove a key."""
    settings = load().settings
    where = _host(name, settings) if host is None else host
    if not asyncio.run(wiring.new_credentials(settings).remove(name, where)):
        raise InputMissing(f"no key {name} is stored for {where or 'any host'}", hint="See `hybridchat keys list`.")
    tell(f"the key {name} for {where or 'any host'} is removed from the OS keyring")


def _configured(settings: Settings) -> str | None:
    """Return the name of the key that the configured remote server takes, where it takes one."""
    remote = settings.remote
    if remote.key_name or remote.preset == wiring.NO_REMOTE:
        return remote.key_name
    row = preset(remote.preset)
    return row.key_name if row.auth is not Auth.NONE and (remote.url or row.url) else None


def _host(name: str, settings: Settings) -> str:
    """Return the host that a key of this name is sent to: the configured server's, or the provider's own."""
    remote = settings.remote
    if remote.preset != wiring.NO_REMOTE:
        row = preset(remote.preset)
        if name == (remote.key_name or row.key_name) and (remote.url or row.url):
            return wiring.key_host(remote.url or row.url)
    own = next((row.url for row in PRESETS.values() if row.key_name == name and row.url), None)
    if own is None:
        raise UsageError(
            f"no server is known that takes a key called {name}",
            hint="Give the host that it is for with --host, or configure remote.preset and remote.url first.",
        )
    return wiring.key_host(own)


def _read_key(name: str) -> str:
    if sys.stdin is None:
        raise InputError("standard input is closed", hint="Pipe the key in, or run the command in a terminal.")
    if sys.stdin.isatty():
        from getpass import getpass  # noqa: PLC0415 -- only a terminal needs it

        try:
            key = getpass(f"Key {name} (not shown): ")
        except EOFError:
            key = ""
    else:
        key = sys.stdin.readline()
    if not key.strip():
        raise InputError("no key was given", hint="Type it or pipe it in.")
    return key.strip()
