"""The models on an Ollama server: list, show, pull, remove, and which are loaded. Over the official client.

The client reads two environment variables by itself: ``OLLAMA_HOST`` already when it is imported, where a bad value
raises, and ``OLLAMA_API_KEY``, which it would send to whatever host it is pointed at. Both are hidden from it here.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import httpx

from hybridchat.backends.ollama import wire
from hybridchat.backends.ollama.checks import CHECK_SECONDS, ask
from hybridchat.backends.ollama.errors import START_HINT, failure, not_ollama, refusal, runs_elsewhere
from hybridchat.backends.ollama.names import is_cloud, short_name
from hybridchat.backends.transport.http import Phase, new_client, place_of, translated, verification
from hybridchat.backends.transport.proxy import may_use_proxy
from hybridchat.backends.transport.server_text import server_text
from hybridchat.config.settings import Endpoint
from hybridchat.errors import BackendError, HybridChatError, InputError, ModelMissing, StreamIncomplete, Unreachable
from hybridchat.text import clean

if TYPE_CHECKING:
    from ollama import AsyncClient, ResponseError

PULL_STALL_SECONDS = 600.0
"""How long a pull may be silent: a large file's digest is verified without a sign of life."""


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on the server; ``size`` in bytes. ``cloud`` marks a name that is answered by ollama.com."""

    name: str
    digest: str
    size: int
    parameters: str = ""
    quantization: str = ""
    modified_at: datetime | None = None
    cloud: bool = False


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory: bytes in all and on the GPU, its window in tokens, and when it will be unloaded."""

    name: str
    digest: str
    size: int
    gpu_size: int
    context_length: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What ``show`` tells; ``context_length`` is the window in tokens that the model was trained for."""

    name: str
    architecture: str
    parameters: str
    quantization: str
    context_length: int | None
    capabilities: tuple[str, ...]
    template: str
    settings: str
    license: str


@dataclass(frozen=True, slots=True)
class PullProgress:
    """A step of a download: bytes ``completed`` of ``total`` of the layer ``digest``, where the step has one."""

    status: str
    digest: str = ""
    completed: int = 0
    total: int = 0


class OllamaModels:
    """Manages the models of one Ollama server.

    Every method raises ``Unreachable`` or ``TimedOut`` where the server does not answer, ``ModelMissing`` for a name
    that it does not know, and otherwise what the server answers, as ``errors`` translates it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def running(self) -> bool:
        """Say whether an Ollama server answers at the endpoint."""
        try:
            await self.version()
        except BackendError:
            return False
        return True

    async def version(self) -> str:
        """Return the server's version, e.g. ``0.32.15``."""
        async with new_client(self._endpoint) as client:  # the official client cannot ask this
            return clean((await ask(client, self._endpoint, "/api/version", wire.read_version)).version)

    async def list(self) -> tuple[InstalledModel, ...]:
        """Return the installed models, in the server's order: the latest changed first."""
        async with self._client() as client:
            models = (await client.list()).models
        return tuple(
            InstalledModel(
                name=short_name(clean(model.model or "")),
                digest=model.digest or "",
                size=int(model.size or 0),
                parameters=clean((model.details and model.details.parameter_size) or ""),
                quantization=clean((model.details and model.details.quantization_level) or ""),
                modified_at=model.modified_at,
                cloud=is_cloud(model.model or ""),
            )
            for model in models
        )

    async def ps(self) -> tuple[LoadedModel, ...]:
        """Return the models in memory."""
        async with self._client() as client:
            models = (await client.ps()).models
        return tuple(
            LoadedModel(
                name=short_name(clean(model.model or model.name or "")),
                digest=model.digest or "",
                size=int(model.size or 0),
                gpu_size=int(model.size_vram or 0),
                context_length=model.context_length,
                expires_at=model.expires_at,
            )
            for model in models
        )

    async def show(self, name: str) -> ModelDescription:
        """Describe one installed model."""
        async with self._client(name) as client:
            shown = await client.show(name)
        facts = shown.modelinfo or {}
        architecture = str(facts.get("general.architecture", ""))
        window = facts.get(f"{architecture}.context_length")
        return ModelDescription(
            name=name,
            architecture=clean(architecture),
            parameters=clean((shown.details and shown.details.parameter_size) or ""),
            quantization=clean((shown.details and shown.details.quantization_level) or ""),
            context_length=window if isinstance(window, int) else None,
            capabilities=tuple(map(clean, shown.capabilities or ())),
            template=clean(shown.template or ""),
            settings=clean(shown.parameters or ""),
            license=clean(shown.license or ""),
        )

    async def remove(self, name: str) -> None:
        """Delete one installed model."""
        async with self._client(name) as client:
            await client.delete(name)

    async def pull(self, name: str) -> AsyncGenerator[PullProgress]:
        """Download a model, step by step; closing the generator stops it, and a later pull resumes it.

        Raises ``Blocked`` for a cloud model, which would not run on the server, and ``StreamIncomplete`` where the
        server stops before it reports success.
        """
        if is_cloud(name):
            raise runs_elsewhere(replace(self._endpoint, model=name), "ollama.com")
        status = ""
        async with self._client(name, PULL_STALL_SECONDS) as client:
            steps = cast("AsyncGenerator[Any]", await client.pull(name, stream=True))
            async with aclosing(steps):
                async for step in steps:
                    status = step.status or ""
                    yield PullProgress(clean(status), step.digest or "", step.completed or 0, step.total or 0)
        if status != "success":
            message = f"{self._endpoint.name} stopped before {name} was complete"
            hint = "Pull it again: what was downloaded is kept."
            raise StreamIncomplete(message, endpoint=self._endpoint.name, hint=hint)

    @asynccontextmanager
    async def _client(self, name: str = "", read_seconds: float = CHECK_SECONDS) -> AsyncIterator[AsyncClient]:
        """Give a client for one call about the model ``name``, and translate its errors."""
        endpoint = replace(self._endpoint, model=name)
        _check_name(name)
        with _without("OLLAMA_HOST", "OLLAMA_API_KEY"):
            from ollama import AsyncClient, ResponseError  # noqa: PLC0415 - costs 0.4 s and reads OLLAMA_HOST

            client = AsyncClient(
                host=endpoint.url,
                headers=dict(endpoint.headers),
                follow_redirects=False,
                trust_env=may_use_proxy(endpoint.url),
                verify=verification(endpoint.url),
                timeout=httpx.Timeout(read_seconds, connect=endpoint.connect_timeout),
            )
        try:
            with translated(endpoint, Phase.ANSWER, START_HINT):
                async with client:
                    yield client
        except ResponseError as error:
            raise _translated(endpoint, error) from error
        except ConnectionError as error:  # what the client makes of httpx.ConnectError
            message = f"{endpoint.name} cannot be reached at {place_of(endpoint.url)}"
            raise Unreachable(message, endpoint=endpoint.name, hint=START_HINT) from error
        except (ValueError, TypeError, AttributeError) as error:  # no JSON, or JSON of another shape
            raise not_ollama(endpoint) from error


def _translated(endpoint: Endpoint, error: ResponseError) -> HybridChatError:
    text = str(error.error)
    if error.status_code >= 300:
        return refusal(endpoint, error.status_code, {}, text.encode())
    if "manifest" in text and "not exist" in text:
        message = f"Ollama's library has no model {endpoint.model}: {server_text(text)}"
        return ModelMissing(message, endpoint=endpoint.name, hint="Names are listed at https://ollama.com/library.")
    return failure(endpoint, text)


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError("the model's name has characters that cannot be sent", hint="Type the name again.") from error


@contextmanager
def _without(*names: str) -> Iterator[None]:
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
