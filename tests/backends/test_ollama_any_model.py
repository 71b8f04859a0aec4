from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hybridchat.backends.ollama.any_model import AnyOllamaModel
from hybridchat.backends.protocol import Accepted, ChatRequest
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import ModelMissing, Unreachable
from hybridchat.messages import ChatMessage, Place, Role
from tests.servers.ollama import TAG, FakeOllama, ok

REQUEST = ChatRequest((ChatMessage(Role.USER, "hi"),))


@pytest.fixture
async def server() -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as fake:
        yield fake


def tag(name: str, **more: object) -> dict[str, object]:
    return {**TAG, "name": name, "model": name, **more}


async def accepted_by(server: FakeOllama, *tags: dict[str, object]) -> Accepted:
    server.scripts["/api/tags"] = ok({"models": list(tags)})
    backend = AnyOllamaModel(Endpoint("ollama", Kind.OLLAMA, server.url, "phi3.5", Place.LOCAL))
    parts = [part async for part in backend.stream(REQUEST)]
    assert backend.endpoint.model == server.requests[-1].json["model"]
    assert backend.body(REQUEST) == server.requests[-1].body
    await backend.aclose()
    assert isinstance(parts[0], Accepted)
    return parts[0]


async def test_the_first_chat_model_answers_and_says_for_whom(server: FakeOllama) -> None:
    accepted = await accepted_by(server, tag("mistral:7b"), tag("llama3.2:latest"))
    assert accepted.model == "mistral:7b"
    assert accepted.stand_in == "mistral:7b answers: phi3.5 is not in Ollama. `ollama pull phi3.5` gets it."


@pytest.mark.parametrize(
    "other",
    [
        tag("nomic-embed-text:latest", capabilities=None),
        tag("all-minilm:latest", capabilities=None, details={"family": "bert"}),
        tag("new:latest", capabilities=["embedding"]),
        tag("gpt-oss:120b-cloud"),
        tag("alias:latest", remote_host="https://ollama.com"),
    ],
)
async def test_what_cannot_chat_here_is_passed_over(server: FakeOllama, other: dict[str, object]) -> None:
    chat = tag("llama3.2:latest", capabilities=["completion", "tools"])
    assert (await accepted_by(server, other, chat)).model == "llama3.2"


async def test_a_server_without_a_chat_model_has_none(server: FakeOllama) -> None:
    with pytest.raises(ModelMissing, match="ollama has no model"):
        await accepted_by(server)
    assert not [request for request in server.requests if request.path == "/api/chat"]


async def test_a_server_that_does_not_run_is_unreachable() -> None:
    backend = AnyOllamaModel(Endpoint("ollama", Kind.OLLAMA, "http://127.0.0.1:1", "phi3.5", Place.LOCAL))
    assert backend.endpoint.model == "phi3.5"
    assert backend.body(REQUEST)
    with pytest.raises(Unreachable):
        await anext(backend.stream(REQUEST))
    await backend.aclose()
