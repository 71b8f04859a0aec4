from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest
import pytest_asyncio

from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.presets import local_endpoint
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart
from hybridchat.config.settings import LocalSettings
from hybridchat.errors import ContextOverflow, KeyMissing, KeyRefused
from hybridchat.messages import ChatMessage, FinishReason, Role
from tests.servers.llama_cpp import LlamaServer

pytestmark = pytest.mark.real_model


def ask(text: str, *, max_tokens: int = 24, top_logprobs: int = 10) -> ChatRequest:
    return ChatRequest(
        (ChatMessage(Role.USER, text),), max_tokens=max_tokens, temperature=0.0, seed=1, top_logprobs=top_logprobs
    )


def backend_for(server: LlamaServer, key: str | None, *, first_token_timeout: float = 60.0) -> OpenAICompatibleBackend:
    endpoint = local_endpoint(LocalSettings(backend="llama.cpp", url=server.url))
    return OpenAICompatibleBackend(replace(endpoint, first_token_timeout=first_token_timeout), key)


@pytest_asyncio.fixture
async def backend(llama_server: LlamaServer) -> AsyncIterator[OpenAICompatibleBackend]:
    backend = backend_for(llama_server, llama_server.key)
    yield backend
    await backend.aclose()


async def parts_of(backend: OpenAICompatibleBackend, request: ChatRequest) -> list[StreamPart]:
    async with aclosing(backend.stream(request)) as parts:
        return [part async for part in parts]


def pieces_in(parts: list[StreamPart]) -> list[Piece]:
    return [part for part in parts if isinstance(part, Piece)]


async def test_an_answer_arrives_in_pieces_and_ends_with_its_usage(
    backend: OpenAICompatibleBackend, llama_server: LlamaServer
) -> None:
    accepted, *pieces, ended = await parts_of(backend, ask("Write one sentence about the sea."))

    assert accepted == Accepted("default", window=llama_server.window)
    assert len(pieces_in(pieces)) == len(pieces) > 3
    assert isinstance(ended, Ended)
    assert ended.usage.prompt_tokens is not None
    assert ended.usage.prompt_tokens > 5
    assert ended.usage.completion_tokens is not None
    assert 3 < ended.usage.completion_tokens <= 24
    assert ended.model is not None
    assert ended.model.endswith(".gguf")


async def test_each_token_comes_with_its_logprob_and_spells_the_text(backend: OpenAICompatibleBackend) -> None:
    pieces = pieces_in(await parts_of(backend, ask("Count from one to five.")))
    tokens = [token for piece in pieces for token in piece.logprobs]

    assert b"".join(token.raw or b"" for token in tokens).decode() == "".join(piece.text for piece in pieces)
    for token in tokens:
        assert token.logprob <= 0
        assert len(token.top) == 10
        assert list(token.top) == sorted(token.top, reverse=True)
        assert token.logprob <= token.top[0] + 1e-6


async def test_without_logprobs_asked_for_none_come(backend: OpenAICompatibleBackend) -> None:
    pieces = pieces_in(await parts_of(backend, ask("Say hello.", top_logprobs=0)))

    assert pieces
    assert not any(piece.logprobs for piece in pieces)


async def test_the_token_limit_shows_as_the_finish_reason(backend: OpenAICompatibleBackend) -> None:
    ended = (await parts_of(backend, ask("Tell me a long story.", max_tokens=4)))[-1]

    assert isinstance(ended, Ended)
    assert ended.finish_reason is FinishReason.LENGTH
    assert ended.usage.completion_tokens == 4


async def test_closing_the_stream_frees_the_server_for_the_next_answer(llama_server: LlamaServer) -> None:
    # The server has one slot: if the long answer went on, the short one's first token would come too late.
    backend = backend_for(llama_server, llama_server.key, first_token_timeout=20.0)
    async with aclosing(backend.stream(ask("Count to a thousand.", max_tokens=1900))) as parts:
        async for part in parts:
            if isinstance(part, Piece):
                break

    ended = (await parts_of(backend, ask("Say hello.", max_tokens=4)))[-1]
    await backend.aclose()

    assert isinstance(ended, Ended)


async def test_text_of_all_scripts_is_understood(backend: OpenAICompatibleBackend) -> None:
    parts = await parts_of(backend, ask("Repeat: naïve Ελλάδα 日本語 \U0001f600 \u2028 \x85", max_tokens=40))
    text = "".join(piece.text for piece in pieces_in(parts))

    assert text.strip()
    assert "\ufffd" not in text.rstrip("\ufffd")  # only the limit may cut a character in two


async def test_a_prompt_beyond_the_window_is_an_overflow(backend: OpenAICompatibleBackend) -> None:
    with pytest.raises(ContextOverflow, match="2048"):
        await parts_of(backend, ask("hello there " * 2500))


async def test_the_window_is_told_before_an_overflow_so_that_the_next_prompt_fits(
    backend: OpenAICompatibleBackend, llama_server: LlamaServer
) -> None:
    parts = backend.stream(ask("hello there " * 2500))
    accepted = await anext(parts)
    assert isinstance(accepted, Accepted)
    assert accepted.window == llama_server.window
    with pytest.raises(ContextOverflow):
        await anext(parts)


async def test_a_wrong_key_is_refused_and_not_repeated(llama_server: LlamaServer) -> None:
    backend = backend_for(llama_server, "a-wrong-key")
    with pytest.raises(KeyRefused) as caught:
        await parts_of(backend, ask("Hello"))
    await backend.aclose()

    assert "a-wrong-key" not in caught.value.message
    assert "hybridchat keys set llama.cpp" in caught.value.hint


async def test_a_key_that_is_missing_is_asked_for(llama_server: LlamaServer) -> None:
    backend = backend_for(llama_server, None)
    with pytest.raises(KeyMissing):
        await parts_of(backend, ask("Hello"))
    await backend.aclose()


async def test_the_server_names_its_model_and_window(
    backend: OpenAICompatibleBackend, llama_server: LlamaServer
) -> None:
    (served,) = await backend.served_models()

    assert served.id.endswith(".gguf")
    assert await backend.context_window() == llama_server.window
