"""Builds the concrete objects behind an assistant: the one place that knows them all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hybridchat.assistant import Assistant, Closes
from hybridchat.backends.embedded.backend import EmbeddedBackend
from hybridchat.backends.first_available import FirstAvailable
from hybridchat.backends.loopback import is_loopback
from hybridchat.backends.model_files.permission import LOCAL_ONLY, OFFLINE
from hybridchat.backends.presets import local_endpoint, preset, remote_endpoint
from hybridchat.backends.protocol import Backend
from hybridchat.cli.budget_store import budget_store
from hybridchat.cli.calibration_in_use import finds_calibration
from hybridchat.cli.keeping import KeyringGuard, Unlocking, without_loop
from hybridchat.cli.remote_connection import RemoteConnection
from hybridchat.config import paths
from hybridchat.config.settings import Auth, Endpoint, Kind, LocalSettings, PrivacySettings, Settings, StoreSettings
from hybridchat.credentials import Credentials, variable
from hybridchat.engine import Engine
from hybridchat.engine.resources import OpenRemote
from hybridchat.errors import BadConfiguration, Blocked, KeyMissing
from hybridchat.messages import DataPolicy, Place
from hybridchat.routing.gain import GainPolicy
from hybridchat.store.database import Store

if TYPE_CHECKING:
    from hybridchat.backends.local_models import LocalModels
    from hybridchat.engine.preview import DescribesRequests

ERASING_EVERYTHING = ".erasing-everything"
"""Ends the name of the file, beside the database, that tells of an erasure which has not come to its end."""

NO_REMOTE = "none"
"""The value of ``remote.preset`` that means: there is no remote model."""


def build(settings: Settings, environ: Mapping[str, str] = os.environ) -> Assistant:
    """Build everything that ``settings`` ask for; nothing is connected to yet.

    Raises ``BadConfiguration`` for impossible endpoints, ``Blocked`` for a trusted host under offline mode, and
    whatever opening the store raises.
    """
    credentials = new_credentials(settings)
    local = local_backend(settings, environ)
    connection = RemoteConnection(settings)
    closing: list[Closes] = [local, connection]
    has_remote = settings.remote.preset != NO_REMOTE
    open_remote = _remote_opener(settings, credentials, closing, connection) if has_remote else None
    policy = GainPolicy(bias=settings.routing.bias, calibrated=finds_calibration(settings))
    new_engine = _engine(settings)
    spending = budget_store(settings, lambda kept: open_store(kept, credentials))
    store = open_store(settings, credentials)  # last: whatever else fails leaves nothing open
    closing += [spending] if spending else []
    engine = new_engine(
        settings,
        store,
        local,
        policy,
        open_remote,
        connect_ahead=connection.open,
        spending=spending.spending if spending else None,
    )
    preview = None if open_remote is None else partial(_preview_backend, settings)
    return Assistant(engine, store, credentials, settings, closing, local_models(settings), preview, _tell)


def _tell(line: str) -> None:
    from hybridchat.cli.listing import tell  # noqa: PLC0415 -- seldom there is something to tell

    tell(line)


def _engine(settings: Settings) -> Callable[..., Engine]:
    """Return what builds the engine: one that records its turns where the user named a file for them."""
    if not settings.routing.record:
        return Engine
    from hybridchat.evaluation.turn_recording import RecordingEngine  # noqa: PLC0415 -- hardly anybody records

    return RecordingEngine.into(paths.expanded(settings.routing.record))


def local_models(settings: Settings) -> LocalModels:
    """Return what finds and gets models for the local backend."""
    from hybridchat.backends.local_models import LocalModels  # noqa: PLC0415 -- only a screen asks for models

    local = settings.local
    return LocalModels(
        local.model,
        paths.models_folder(settings.store),
        ollama=partial(ollama_endpoint, settings) if local.backend in {"auto", "ollama"} else None,
        embedded=local.backend in {"auto", "embedded"},
        forbidden_by=downloads_forbidden_by(settings),
    )


def downloads_forbidden_by(settings: Settings, *, allowed: bool = False) -> str:
    """Return what forbids to ask a registry for a model; empty where nothing does.

    ``allowed`` is the user's word for this one download.
    """
    if settings.privacy.offline:
        return OFFLINE
    return LOCAL_ONLY if settings.privacy.data_policy is DataPolicy.LOCAL_ONLY and not allowed else ""


def open_store(settings: Settings, credentials: Credentials, *, read_only: bool = False, resumes: bool = True) -> Store:
    """Open what is kept; in memory where nothing is to be saved.

    An erasure of everything that was killed is brought to its end first, where it ``resumes``.
    """
    if not settings.store.save:
        return Store.open(None)
    path = paths.database_file(settings.store)
    if resumes and path.with_name(path.name + ERASING_EVERYTHING).exists():
        from hybridchat.cli.data_rights import erasure  # noqa: PLC0415 -- only where one was begun

        without_loop(erasure.finish(settings, credentials))
    return Store.open(
        path,
        guard=KeyringGuard(credentials, path),
        unlock=Unlocking(credentials, settings.store.key_command),
        read_only=read_only,
    )


def build_demo() -> Assistant:
    """Build an assistant on two recorded answers: it keeps nothing, sends nothing, and needs no model."""
    from hybridchat.backends import demo  # noqa: PLC0415 -- only where it is played

    settings = Settings(privacy=PrivacySettings(data_policy=DataPolicy.ALLOW), store=StoreSettings(save=False))
    local, remote = demo.local(), demo.remote()

    async def open_remote(_model: str | None) -> Backend:
        return remote

    store = Store.open(None)
    engine = Engine(settings, store, local, GainPolicy(), open_remote)
    return Assistant(engine, store, Credentials(), settings, [local, remote])


def new_credentials(settings: Settings) -> Credentials:
    """Return what finds keys, with the user's own command for the remote model's key."""
    remote = settings.remote
    name = remote.key_name or (preset(remote.preset).key_name if remote.preset != NO_REMOTE else None)
    return Credentials({name: remote.key_command} if name and remote.key_command else {})


def local_backend(settings: Settings, environ: Mapping[str, str] = os.environ) -> Backend:
    """Build the local model's backend.

    ``auto`` means Ollama, then the embedded engine; where no model is configured either, any chat model that Ollama has
    comes between them.
    """
    match settings.local.backend:
        case "auto" if settings.local.model == LocalSettings().model:
            return FirstAvailable([_ollama(settings), _any_of_ollama(settings), embedded_backend(settings)])
        case "auto":
            return FirstAvailable([_ollama(settings), embedded_backend(settings)])
        case "ollama":
            return _ollama(settings)
        case "embedded":
            return embedded_backend(settings)
        case _:
            return _local_server(settings, environ)


def ollama_url(local: LocalSettings) -> str:
    """Return the address of the Ollama server."""
    from hybridchat.backends.ollama.address import DEFAULT_URL, host_url  # noqa: PLC0415 -- only where it is used

    return host_url(local.url) if local.url else DEFAULT_URL


def _ollama(settings: Settings) -> Backend:
    from hybridchat.backends.ollama.backend import OllamaBackend  # noqa: PLC0415 -- httpx is dear to import

    return OllamaBackend(ollama_endpoint(settings))


def _any_of_ollama(settings: Settings) -> Backend:
    from hybridchat.backends.ollama.any_model import AnyOllamaModel  # noqa: PLC0415 -- httpx is dear to import

    return AnyOllamaModel(ollama_endpoint(settings))


def ollama_endpoint(settings: Settings) -> Endpoint:
    """Return the endpoint of the Ollama server, once it is sure that it may be used as a local one."""
    local = settings.local
    endpoint = Endpoint(
        name="ollama",
        kind=Kind.OLLAMA,
        url=ollama_url(local),
        model=local.model,
        place=Place.LOCAL,
        num_ctx=local.num_ctx,
        keep_alive=local.keep_alive,
    )
    return _really_local(endpoint, settings)


def embedded_backend(settings: Settings) -> EmbeddedBackend:
    """Return the embedded engine for the local model."""
    local = settings.local
    endpoint = Endpoint(
        name="embedded",
        kind=Kind.EMBEDDED,
        url="",
        model=local.model,
        place=Place.LOCAL,
        num_ctx=local.num_ctx,
        keep_alive=local.keep_alive,
    )
    return EmbeddedBackend(endpoint, models=paths.models_folder(settings.store), runtime=paths.runtime_folder())


def _local_server(settings: Settings, environ: Mapping[str, str]) -> Backend:
    from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend  # noqa: PLC0415 -- httpx is dear

    row = preset(settings.local.backend)
    endpoint = _really_local(replace(local_endpoint(settings.local), num_ctx=settings.local.num_ctx), settings)
    # A local server's key is only looked for in the environment: asking a keyring would cost every turn of those who
    # need no key a quarter of a second.
    names = [variable(row.key_name), *row.key_env] if row.key_name else []
    key = next((environ[name] for name in names if environ.get(name)), None)
    return OpenAICompatibleBackend(endpoint if key else replace(endpoint, auth=Auth.NONE), key)


def _really_local(endpoint: Endpoint, settings: Settings) -> Endpoint:
    """Return ``endpoint`` once it is sure that what it is sent stays where the user wants it."""
    if is_loopback(endpoint.url):
        return endpoint
    host = urlsplit(endpoint.url).hostname
    if host not in {name.casefold() for name in settings.local.trusted_hosts}:
        raise BadConfiguration(
            f"the local model's server, {host}, is not on this machine",
            hint=f'If it is yours, declare it in your configuration: local.trusted_hosts = ["{host}"]',
        )
    if settings.privacy.offline:
        raise Blocked(
            f"offline mode is on, and the local model's server, {host}, is not on this machine",
            hint="Run without --offline, or use a server on this machine.",
        )
    return endpoint


def _remote_opener(
    settings: Settings, credentials: Credentials, closing: list[Closes], connection: RemoteConnection
) -> OpenRemote:
    """Return what builds the remote backend: once a model, and not before something may really be sent."""
    opened: dict[str | None, Backend] = {}

    async def open_remote(model: str | None) -> Backend:
        if model not in opened:
            from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend  # noqa: PLC0415 -- httpx is dear

            endpoint = remote_endpoint(settings.remote, trusted_hosts=settings.local.trusted_hosts)
            key = await _remote_key(endpoint, settings, credentials)
            if model is not None:
                endpoint = replace(endpoint, model=model, price=None)
            opened[model] = OpenAICompatibleBackend(endpoint, key, connection.ahead)
            closing.append(opened[model])
        return opened[model]

    return open_remote


def _preview_backend(settings: Settings) -> DescribesRequests:
    """Return a remote backend that has no key and connects to nothing: it says what it would send."""
    from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend  # noqa: PLC0415 -- httpx is dear

    return OpenAICompatibleBackend(remote_endpoint(settings.remote, trusted_hosts=settings.local.trusted_hosts))


async def _remote_key(endpoint: Endpoint, settings: Settings, credentials: Credentials) -> str | None:
    if endpoint.auth is Auth.NONE or endpoint.key_name is None:
        return None
    row = preset(settings.remote.preset)
    own_host = not settings.remote.url or key_host(settings.remote.url) == key_host(row.url)
    try:
        found = await credentials.find(endpoint.key_name, key_host(endpoint.url), row.key_env if own_host else ())
    except KeyMissing:
        if is_loopback(endpoint.url):  # a server on this machine mostly needs none, and says so if it does
            return None
        raise
    return found.reveal()


def key_host(url: str) -> str:
    """Return the host that a key belongs to, with its port where it is not the usual one."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.hostname or ""
    return host if parts.port in {None, usual} else f"{host}:{parts.port}"
