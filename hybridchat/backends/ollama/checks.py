"""Asks a local Ollama server, before a prompt goes to it, whether the model is here, answers here, and is loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import httpx

from hybridchat.backends.ollama import wire
from hybridchat.backends.ollama.errors import START_HINT, model_missing, not_ollama, refusal, runs_elsewhere
from hybridchat.backends.ollama.names import full_name, is_cloud, short_name
from hybridchat.backends.protocol import Accepted, Waiting
from hybridchat.backends.transport.http import Phase, translated
from hybridchat.config.settings import Endpoint

T = TypeVar("T")

CHECK_SECONDS = 15.0
"""How long the server may take for a question that no model is needed for."""


async def check(client: httpx.AsyncClient, endpoint: Endpoint) -> list[Accepted | Waiting]:
    """Return what is known about the endpoint's model: ``Accepted``, and ``Waiting`` where it must be loaded first.

    Raises ``Blocked`` for a model that the server would forward to another host (for a name that says so without
    asking at all), ``ModelMissing``, ``Unreachable``, ``TimedOut``, or what the server answers instead.
    """
    if is_cloud(endpoint.model):
        raise runs_elsewhere(endpoint, "ollama.com")
    tags, loaded = await asyncio.gather(
        ask(client, endpoint, "/api/tags", wire.read_tags),
        ask(client, endpoint, "/api/ps", wire.read_loaded),
        return_exceptions=True,  # neither may be left running behind the other's failure
    )
    if isinstance(tags, BaseException):
        raise tags
    if isinstance(loaded, BaseException):
        raise loaded
    tag = _installed(endpoint, tags.models or ())
    if tag.is_remote:
        raise runs_elsewhere(endpoint, tag.remote_host or "")
    return _warmth(endpoint, tag, loaded.models or ())


async def ask(client: httpx.AsyncClient, endpoint: Endpoint, path: str, read: Callable[[bytes], T]) -> T:
    """GET ``path`` and decode the answer. Raises ``BackendError`` and its kin."""
    with translated(endpoint, Phase.ANSWER, START_HINT):
        async with asyncio.timeout(CHECK_SECONDS):
            response = await client.get(endpoint.url.rstrip("/") + path)
    if response.status_code != 200:
        raise refusal(endpoint, response.status_code, response.headers, response.content)
    try:
        return read(response.content)
    except wire.UNREADABLE as error:
        raise not_ollama(endpoint) from error


def _installed(endpoint: Endpoint, tags: tuple[wire.Tag, ...]) -> wire.Tag:
    wanted = full_name(endpoint.model)
    for tag in tags:
        if full_name(tag.any_name) == wanted:
            return tag
    here = (tag.any_name for tag in tags if not (tag.is_remote or is_cloud(tag.any_name)))
    raise model_missing(endpoint, tuple(map(short_name, here)))


def _warmth(endpoint: Endpoint, tag: wire.Tag, loaded: tuple[wire.Loaded, ...]) -> list[Accepted | Waiting]:
    model, asked = endpoint.model, endpoint.num_ctx
    warm = next((one for one in loaded if full_name(one.any_name) == full_name(model)), None)
    actual = warm.context_length if warm else None
    # Asked for more than the model was trained on, the server gives less; asked for less than is loaded, it loads the
    # model again. The smaller of both is right in either case.
    window = min((length for length in (asked, actual) if length), default=None)
    accepted = Accepted(model, digest=tag.digest, window=window)
    size = f" ({tag.size / 1e9:.1f} GB)" if tag.size else ""
    if warm is None:
        return [accepted, Waiting(f"{model} is being loaded{size}")]
    if asked and actual and actual > asked:
        return [accepted, Waiting(f"{model} is being loaded again{size}, with a window of {asked} tokens")]
    return [accepted]
