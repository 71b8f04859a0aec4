"""A request, a plain answer to it, and ways to read what a backend makes of one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart
from hybridchat.config.settings import Auth, Endpoint, Kind
from hybridchat.errors import HybridChatError
from hybridchat.messages import ChatMessage, FinishReason, Place, Role, Usage
from tests.servers.openai import delta, stream, usage

Build = Callable[..., OpenAICompatibleBackend]

KEY = "sk-very-secret-4711"
REQUEST = ChatRequest((ChatMessage(Role.USER, "Grüß Gott"),), max_tokens=9, temperature=0.5, seed=3)
HELLO = stream(delta("Hel"), delta("lo"), delta(finish="stop"), usage(7, 2))
HELLO_PARTS = [
    Accepted("llama"),
    Piece("Hel"),
    Piece("lo"),
    Ended(FinishReason.STOP, Usage(7, 2), model="served"),
]


def endpoint_at(url: str) -> Endpoint:
    return Endpoint(
        name="far", kind=Kind.OPENAI, url=url, model="llama", place=Place.REMOTE, auth=Auth.BEARER, key_name="far"
    )


async def parts_of(backend: OpenAICompatibleBackend, request: ChatRequest = REQUEST) -> list[StreamPart]:
    return [part async for part in backend.stream(request)]


async def parts_until_failure(
    backend: OpenAICompatibleBackend, kind: type[HybridChatError]
) -> tuple[list[StreamPart], HybridChatError]:
    parts: list[StreamPart] = []
    try:
        async for part in backend.stream(REQUEST):
            parts.append(part)  # noqa: PERF401 - a comprehension would lose the parts before the failure
    except kind as failure:
        return parts, failure
    pytest.fail(f"no {kind.__name__} after {parts}")
