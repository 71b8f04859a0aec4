"""Ollama's refusals and failures, in our own words.

The texts matched here are those of the Ollama server's source; matching is loose, since they change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hybridchat.backends.transport.http import place_of
from hybridchat.backends.transport.server_text import prompt_tokens, retry_after, server_text
from hybridchat.config.settings import Endpoint
from hybridchat.errors import (
    BadConfiguration,
    Blocked,
    ContextOverflow,
    HybridChatError,
    KeyRefused,
    ModelMissing,
    NoCredits,
    NotEnoughMemory,
    RequestRejected,
    ServerFailed,
    TryLater,
)
from hybridchat.messages import Place

START_HINT = "Start it with `ollama serve` or the Ollama application."
STAYS_HINT = "Choose a model that runs on this machine, or configure this one as the remote model."

_OVERFLOW = re.compile(
    r"context (length|size|window)|exceed_context|exceeds? the (available )?context|input length", re.IGNORECASE
)
_MEMORY = re.compile(
    r"requires more (system )?memory|out of memory|(unable|failed) to allocate|insufficient memory", re.IGNORECASE
)


def refusal(endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes) -> HybridChatError:
    """Return what an answer with a status other than 200 means; ``headers`` must find names in any case."""
    name, said = endpoint.name, server_text(body)
    error: HybridChatError
    if status in {401, 402, 403}:
        error = _denied(endpoint, status, said)
    elif status == 404 and "model" in said:
        error = model_missing(endpoint)
    elif status in {429, 503}:
        wait = retry_after(headers.get("Retry-After"))
        hint = "Ask again in a moment."
        error = TryLater(_with_text(f"{name} is busy", said), endpoint=name, hint=hint, retry_after=wait)
    elif status >= 499:
        error = failure(endpoint, said or f"status {status}")
    elif status < 400 or status in {404, 405}:
        error = not_ollama(endpoint)
    elif _OVERFLOW.search(said):
        error = _overflow(endpoint, said)
    else:
        error = RequestRejected(_with_text(f"{name} did not accept the request", said), endpoint=name)
    return error


def not_ollama(endpoint: Endpoint) -> RequestRejected:
    """Return the error for a server that answers, but not as Ollama does: a redirect, another path, no JSON."""
    message = f"what answers at {place_of(endpoint.url)} does not speak Ollama's API"
    hint = "Check the URL: another program may be listening there. Redirects are not followed."
    return RequestRejected(message, endpoint=endpoint.name, hint=hint)


def failure(endpoint: Endpoint, text: bytes | str) -> HybridChatError:
    """Return what an error means that the server reports about itself, before or in the middle of a stream."""
    said = server_text(text)
    if _OVERFLOW.search(said):
        return _overflow(endpoint, said)
    if _MEMORY.search(said):
        hint = "Close other programs, or choose a smaller model or context window."
        return NotEnoughMemory(
            _with_text(f"{endpoint.name} has not enough memory", said), endpoint=endpoint.name, hint=hint
        )
    hint = "Ask again; if it happens again, see the server's log."
    return ServerFailed(_with_text(f"{endpoint.name} failed", said), endpoint=endpoint.name, hint=hint)


def model_missing(endpoint: Endpoint, installed: tuple[str, ...] = ()) -> ModelMissing:
    """Return the error for a model that is not installed; ``installed`` are those that are."""
    return ModelMissing(
        f"{endpoint.name} has no model {endpoint.model}",
        endpoint=endpoint.name,
        hint=f"Get it with `ollama pull {endpoint.model}` or `hybridchat models pull {endpoint.model}`.",
        alternatives=installed,
    )


def runs_elsewhere(endpoint: Endpoint, host: str) -> Blocked:
    """Return the error for a model that the local server would forward to ``host``."""
    where = server_text(host) or "another machine"
    return Blocked(f"{endpoint.model} is not answered on this machine: Ollama forwards it to {where}", hint=STAYS_HINT)


def _denied(endpoint: Endpoint, status: int, said: str) -> HybridChatError:
    name = endpoint.name
    if status == 402:
        return NoCredits(_with_text(f"the account used with {name} has no credits", said))
    if status == 403 and not said:
        return BadConfiguration(
            f"{name} at {place_of(endpoint.url)} refuses requests for this host name",
            hint="A server on loopback only answers to localhost and IP addresses: use http://127.0.0.1:11434.",
        )
    if endpoint.place is Place.LOCAL and (status == 401 or "cloud" in said.casefold()):
        message = _with_text(f"{endpoint.model} is not answered on this machine: it is a cloud model", said)
        return Blocked(message, hint=STAYS_HINT)
    hint = "Sign in with `ollama signin`, or check the key of this endpoint."
    return KeyRefused(_with_text(f"{name} does not let us in", said), hint=hint)


def _overflow(endpoint: Endpoint, said: str) -> ContextOverflow:
    return ContextOverflow(
        _with_text(f"the conversation is longer than the context window of {endpoint.model}", said),
        endpoint=endpoint.name,
        hint="Begin a new conversation, leave something out, or raise num_ctx.",
        prompt_tokens=prompt_tokens(said),
    )


def _with_text(message: str, said: str) -> str:
    return f"{message}: {said}" if said else message
