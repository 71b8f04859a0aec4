from __future__ import annotations

import pytest

from hybridchat.backends.openai_compatible import backend as openai_compatible
from hybridchat.backends.openai_compatible.models import ServedModel
from hybridchat.backends.protocol import Accepted
from hybridchat.config.settings import Price
from hybridchat.errors import HybridChatError, ProtocolError, ServerFailed, TimedOut, Unreachable
from hybridchat.messages import Place
from tests.backends.openai_compatible.answers import HELLO, Build, parts_of
from tests.servers.openai import CUT, HOLD, FakeServer, refuse


async def test_the_models_served_come_with_window_and_price(server: FakeServer, build: Build) -> None:
    router = {
        "object": "list",
        "data": [
            {
                "id": "a",
                "providers": [
                    {"status": "live", "context_length": 8192, "pricing": {"input": 2, "output": 3}},
                    {"status": "live", "context_length": 131072, "pricing": {"input": 0.5, "output": 0.7}},
                    {"status": "error", "context_length": 1048576, "pricing": {"input": 0, "output": 0}},
                    {"status": "live", "pricing": {"input": "?"}},
                    {"status": "live"},
                ],
            },
            {"id": "gone", "providers": [{"status": "error"}]},
            {"id": "vllm", "max_model_len": 4096},
            {"id": "llama.cpp", "meta": {"n_ctx": 2048}},
            {"id": "bare", "context_length": "many"},
            {"name": "no id"},
        ],
    }
    server.pages["/v1/models"] = refuse(200, router, whole=False)

    assert await build().served_models() == (
        ServedModel("a", 131072, Price(0.5, 0.7)),
        ServedModel("vllm", 4096),
        ServedModel("llama.cpp", 2048),
        ServedModel("bare"),
    )


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (refuse(200, b"<html>"), ProtocolError),
        (refuse(200, {"models": 1}), ProtocolError),
        (refuse(500, {"error": "no"}), ServerFailed),
        ([CUT], Unreachable),
    ],
)
async def test_a_list_of_models_that_cannot_be_had_is_a_clear_error(
    server: FakeServer, build: Build, page: list[bytes], kind: type[HybridChatError]
) -> None:
    server.pages["/v1/models"] = page

    with pytest.raises(kind, match="far"):
        await build().served_models()


async def test_a_list_of_models_that_does_not_come_times_out(
    server: FakeServer, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_compatible, "ANSWER_TIMEOUT", 0.1)
    server.pages["/v1/models"] = [HOLD]

    with pytest.raises(TimedOut):
        await build().served_models()


PROPS = {"default_generation_settings": {"n_ctx": 1024}}


@pytest.mark.parametrize(
    ("pages", "window"),
    [
        ({"/props": refuse(200, PROPS)}, 1024),
        ({"/props": refuse(200, []), "/v1/models": refuse(200, {"data": [{"id": "x", "max_model_len": 512}]})}, 512),
        (
            {"/v1/models": refuse(200, {"data": [{"id": "x"}, {"id": "llama", "max_model_len": 256}]})},
            256,
        ),
        ({"/v1/models": refuse(200, {"data": [{"id": "x"}, {"id": "y", "max_model_len": 256}]})}, None),
        ({}, None),
    ],
    ids=["props", "the only model", "the model by name", "another model", "nothing said"],
)
async def test_a_local_server_tells_its_window_once(
    server: FakeServer, build: Build, pages: dict[str, list[bytes]], window: int | None
) -> None:
    server.chat = [HELLO, HELLO]
    server.pages.update(pages)
    backend = build(place=Place.LOCAL)

    assert (await parts_of(backend))[0] == Accepted("llama", window=window)
    asked = len(server.requests)
    assert (await parts_of(backend))[0] == Accepted("llama", window=window)
    assert len(server.requests) == asked + 1


async def test_a_remote_server_is_asked_for_nothing_but_the_answer(server: FakeServer, build: Build) -> None:
    server.chat = [HELLO]
    await parts_of(build())

    assert [request.path for request in server.requests] == ["/v1/chat/completions"]
