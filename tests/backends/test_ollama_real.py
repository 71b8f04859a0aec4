from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from hybridchat.backends.ollama.backend import OllamaBackend
from hybridchat.backends.ollama.models import OllamaModels
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart, Waiting
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import BackendError, ModelMissing, StreamBroken
from hybridchat.messages import ChatMessage, FinishReason, Place, Role
from tests.servers.real_ollama import RealOllama, serving

pytestmark = pytest.mark.real_ollama


def at(server: RealOllama, model: str = "phi3.5") -> Endpoint:
    return Endpoint("Ollama", Kind.OLLAMA, server.url, model, Place.LOCAL, num_ctx=512, keep_alive="5m")


def asking(text: str, max_tokens: int = 24) -> ChatRequest:
    return ChatRequest((ChatMessage(Role.USER, text),), max_tokens=max_tokens, temperature=0.0, seed=1)


@pytest.fixture
async def backend(real_ollama: RealOllama) -> AsyncIterator[OllamaBackend]:
    backend = OllamaBackend(at(real_ollama))
    yield backend
    await backend.aclose()


async def parts_of(backend: OllamaBackend, request: ChatRequest) -> list[StreamPart]:
    async with aclosing(backend.stream(request)) as stream:
        return [part async for part in stream]


def text_of(parts: list[StreamPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Piece))


async def test_a_real_answer_streams_and_ends(backend: OllamaBackend) -> None:
    parts = await parts_of(backend, asking("Name three colours."))
    accepted, end = parts[0], parts[-1]
    assert isinstance(accepted, Accepted)
    assert accepted.window == 512
    assert accepted.digest is not None
    assert len(accepted.digest) == 64
    assert sum(isinstance(part, Piece) for part in parts) > 3
    assert text_of(parts).strip()
    assert isinstance(end, Ended)
    assert end.load_seconds is not None
    assert end.usage.completion_tokens is not None
    assert 0 < end.usage.completion_tokens <= 24


async def test_an_old_server_ignores_logprobs_and_the_pieces_have_none(backend: OllamaBackend) -> None:
    parts = await parts_of(backend, asking("Hello!", max_tokens=4))
    assert all(not part.logprobs for part in parts if isinstance(part, Piece))


async def test_the_token_limit_of_a_real_answer_is_told(backend: OllamaBackend) -> None:
    end = (await parts_of(backend, asking("Tell me a long story about the sea.", max_tokens=3)))[-1]
    assert isinstance(end, Ended)
    assert end.finish_reason is FinishReason.LENGTH


async def test_unicode_goes_there_and_back(backend: OllamaBackend) -> None:
    parts = await parts_of(backend, asking("Repeat exactly: 日本 🦙 Grüße \u0085\u2028 é", max_tokens=32))
    assert isinstance(parts[-1], Ended)
    text_of(parts).encode()


async def test_a_cancelled_answer_stops_the_runner(real_ollama: RealOllama, backend: OllamaBackend) -> None:
    here = real_ollama.mark()
    async with aclosing(backend.stream(asking("Count from one to one thousand.", max_tokens=4000))) as stream:
        async for part in stream:
            if isinstance(part, Piece) and part.text:
                break
    await asyncio.to_thread(real_ollama.wait_for_log, r'POST +"/api/chat"', here)
    await asyncio.to_thread(real_ollama.wait_until_idle)
    assert isinstance((await parts_of(backend, asking("Hello!", max_tokens=2)))[-1], Ended)


async def test_a_model_is_announced_while_it_loads_and_not_when_it_is_warm(real_ollama: RealOllama) -> None:
    cold = OllamaBackend(at(real_ollama))
    await asyncio.to_thread(real_ollama.unload, "phi3.5")
    first = await parts_of(cold, asking("Hello!", max_tokens=2))
    second = await parts_of(cold, asking("Hello!", max_tokens=2))
    await cold.aclose()
    assert first[1] == Waiting("phi3.5 is being loaded (0.1 GB)")
    assert not any(isinstance(part, Waiting) for part in second)


async def test_a_model_that_is_not_there_names_the_one_that_is(real_ollama: RealOllama) -> None:
    backend = OllamaBackend(at(real_ollama, "llama3.3"))
    with pytest.raises(ModelMissing) as caught:
        await parts_of(backend, asking("Hello!"))
    assert caught.value.alternatives == ("phi3.5",)
    await backend.aclose()


async def test_the_models_are_listed_shown_and_seen_in_memory(real_ollama: RealOllama, backend: OllamaBackend) -> None:
    models = OllamaModels(at(real_ollama))
    await parts_of(backend, asking("Hello!", max_tokens=2))
    assert await models.running()
    assert (await models.version()).startswith("0.9")
    [installed] = await models.list()
    [loaded] = await models.ps()
    assert (installed.name, loaded.name) == ("phi3.5", "phi3.5")
    assert installed.digest == loaded.digest
    assert installed.size > 98_000_000
    assert loaded.size > 0
    shown = await models.show("phi3.5")
    assert shown.architecture == "llama"
    assert shown.context_length == 8192
    assert "completion" in shown.capabilities
    assert "num_thread" in shown.settings


async def test_what_is_not_there_can_be_neither_shown_nor_removed(real_ollama: RealOllama) -> None:
    models = OllamaModels(at(real_ollama))
    for attempt in (models.show("nothing"), models.remove("nothing")):
        with pytest.raises(ModelMissing, match="nothing"):
            await attempt


async def test_a_pull_that_cannot_reach_its_registry_fails_with_a_reason(
    real_ollama: RealOllama, unused_tcp_port: int
) -> None:
    models = OllamaModels(at(real_ollama))
    with pytest.raises(BackendError) as caught:
        [step async for step in models.pull(f"http://127.0.0.1:{unused_tcp_port}/library/phi3.5")]
    assert caught.value.message


async def test_a_server_that_dies_in_mid_answer_breaks_the_stream(
    real_ollama: RealOllama, ollama_program: Path, ollama_folder: Path
) -> None:
    assert real_ollama.process.poll() is None  # it made the model that this one shares
    with serving(ollama_program, ollama_folder) as doomed:
        backend = OllamaBackend(at(doomed))
        async with aclosing(backend.stream(asking("Count from one to one thousand.", max_tokens=400))) as stream:
            async for part in stream:
                if isinstance(part, Piece) and part.text:
                    break
            doomed.kill()
            with pytest.raises(StreamBroken):
                [part async for part in stream]
        await backend.aclose()
