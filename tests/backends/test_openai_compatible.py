from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridchat.backends import _openai_retry, openai_compatible
from hybridchat.backends._key import KeyHeader
from hybridchat.backends._openai_models import ServedModel
from hybridchat.backends.openai_compatible import OpenAICompatibleBackend
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart, Waiting
from hybridchat.config.settings import Auth, Endpoint, Kind, Price
from hybridchat.errors import (
    BadConfiguration,
    HybridChatError,
    ProtocolError,
    RequestRejected,
    ServerFailed,
    StreamBroken,
    StreamIncomplete,
    TimedOut,
    TryLater,
    Unreachable,
)
from hybridchat.messages import ChatMessage, FinishReason, Place, Role, TokenLogprob, Usage
from tests.servers.openai import (
    CUT,
    HOLD,
    RESET,
    FakeServer,
    chunked,
    delta,
    head,
    refuse,
    run_fake_server,
    stream,
    usage,
)

KEY = "sk-very-secret-4711"
REQUEST = ChatRequest((ChatMessage(Role.USER, "Grüß Gott"),), max_tokens=9, temperature=0.5, seed=3)
HELLO = stream(delta("Hel"), delta("lo"), delta(finish="stop"), usage(7, 2))
HELLO_PARTS = [
    Accepted("llama"),
    Piece("Hel"),
    Piece("lo"),
    Ended(FinishReason.STOP, Usage(7, 2), model="served"),
]

Build = Callable[..., OpenAICompatibleBackend]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with run_fake_server() as server:
        yield server


@pytest_asyncio.fixture
async def build(server: FakeServer) -> AsyncIterator[Build]:
    built: list[OpenAICompatibleBackend] = []

    def build(key: str | None = KEY, **changes: Any) -> OpenAICompatibleBackend:
        backend = OpenAICompatibleBackend(replace(endpoint_at(server.url), **changes), key)
        built.append(backend)
        return backend

    yield build
    for backend in built:
        await backend.aclose()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_openai_retry, "RETRY_PAUSE", 0.0)
    monkeypatch.setattr(_openai_retry, "LOADING_PAUSE", 0.0)


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


async def test_a_stream_is_read_to_its_end_with_usage(server: FakeServer, build: Build) -> None:
    server.chat = [HELLO]

    assert await parts_of(build()) == HELLO_PARTS


async def test_the_body_shown_is_the_body_sent(server: FakeServer, build: Build) -> None:
    server.chat = [HELLO]
    backend = build()
    shown = backend.body(REQUEST)
    await parts_of(backend)

    assert server.requests[0].body == shown
    assert json.loads(shown) == {
        "model": "llama",
        "messages": [{"role": "user", "content": "Grüß Gott"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "temperature": 0.5,
        "seed": 3,
        "logprobs": True,
        "top_logprobs": 10,
    }


@pytest.mark.parametrize(("asked", "most", "sent"), [(10, 5, 5), (3, 20, 3), (0, 20, None), (10, 0, None)], ids=str)
def test_no_more_alternatives_are_asked_for_than_the_server_gives(
    build: Build, asked: int, most: int, sent: int | None
) -> None:
    body = json.loads(build(max_top_logprobs=most).body(replace(REQUEST, top_logprobs=asked)))

    assert body.get("top_logprobs") == sent
    assert ("logprobs" in body) == (sent is not None)


def test_what_is_not_set_is_left_to_the_server(build: Build) -> None:
    body = json.loads(build().body(ChatRequest((ChatMessage(Role.USER, "lone \ud800"),), top_logprobs=0)))

    assert set(body) == {"model", "messages", "stream", "stream_options"}
    assert body["messages"][0]["content"] == "lone ?"


@pytest.mark.parametrize(
    "answer",
    [
        stream(delta("Hel"), delta("lo"), delta(finish="stop"), usage(7, 2), done=False),
        stream(delta("Hel"), delta("lo"), delta(finish="stop"), usage(7, 2), space=False),
        stream(delta("Hel"), delta("lo"), delta(finish="stop"), usage(7, 2), end=b"\r\n\r\n"),
        stream(b": hello\n\n", delta("Hel"), b": keep-alive\n\n", delta("lo"), delta(finish="stop"), usage(7, 2)),
        stream(delta(None, role="assistant"), delta("Hel"), delta(""), delta("lo", finish="stop"), usage(7, 2)),
        stream(delta("Hel"), delta("lo", finish="stop") | {"usage": usage(7, 2)["usage"]}),
        stream(
            b"event: message\ndata: null-free\n\n".replace(b"null-free", json.dumps(delta("Hel")).encode()),
            delta("lo"),
            delta(finish="stop"),
            usage(7, 2),
        ),
        [*stream(delta("Hel"), delta("lo"), delta(finish="stop"), usage(7, 2), done=False)[:-1], CUT],
        [head(200, "application/octet-stream"), *HELLO[1:]],
    ],
    ids=[
        "no [DONE]",
        "no space",
        "CRLF",
        "comments",
        "role, null and empty content",
        "usage in the last chunk",
        "named event",
        "cut after the finish reason",
        "another content type",
    ],
)
async def test_the_dialects_of_servers_mean_the_same(server: FakeServer, build: Build, answer: list[bytes]) -> None:
    server.chat = [answer]

    assert await parts_of(build()) == HELLO_PARTS


async def test_a_server_that_does_not_stream_gives_its_answer_in_one_piece(server: FakeServer, build: Build) -> None:
    whole = {
        "model": "served",
        "choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2},
    }
    server.chat = [refuse(200, whole)]

    assert await parts_of(build()) == [
        Accepted("llama"),
        Piece("Hello"),
        Ended(FinishReason.LENGTH, Usage(7, 2), model="served"),
    ]


async def test_no_usage_is_no_number(server: FakeServer, build: Build) -> None:
    server.chat = [stream(delta("x", finish="stop"))]

    assert (await parts_of(build()))[-1] == Ended(FinishReason.STOP, Usage(None, None), model="served")


async def test_line_separators_in_text_do_not_cut_it(server: FakeServer, build: Build) -> None:
    text = "a\u2028b\u2029c\u0085d"
    server.chat = [stream(delta(text), delta(finish="stop"))]

    assert (await parts_of(build()))[1] == Piece(text)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_reasoning_is_thinking_and_no_answer(server: FakeServer, build: Build, field: str) -> None:
    server.chat = [
        stream(delta(None, **{field: "Hm"}), delta("Yes", **{field: "."}), delta(finish="stop"), usage(1, 1))
    ]

    assert (await parts_of(build()))[1:-1] == [Piece("Hm", thinking=True), Piece(".", thinking=True), Piece("Yes")]


async def test_logprobs_are_read_with_bytes_and_alternatives_in_order(server: FakeServer, build: Build) -> None:
    logprobs = [
        {"token": "é", "logprob": -0.5, "bytes": [0xC3], "top_logprobs": [{"logprob": -2}, {"logprob": -0.5}]},
        {"token": "x", "logprob": None, "bytes": [300]},
        {"id": 5, "token": "y", "logprob": -1, "bytes": None, "top_logprobs": None},
    ]
    server.chat = [stream(delta("é", logprobs=logprobs), delta("", logprobs=logprobs[2:]), delta(finish="stop"))]

    y = TokenLogprob("y", -1.0)
    assert (await parts_of(build()))[1:-1] == [
        Piece("é", (TokenLogprob("é", -0.5, (-0.5, -2.0), b"\xc3"), TokenLogprob("x", -9999.0), y)),
        Piece("", (y,)),
    ]


async def test_numbers_that_json_does_not_have_are_understood(server: FakeServer, build: Build) -> None:
    event = json.dumps(delta("x", finish="stop", logprobs=[{"token": "x", "logprob": float("nan")}]))
    infinite = event.replace("NaN", "-Infinity")
    server.chat = [stream(f"data: {event}\n\n".encode(), f"data: {infinite}\n\n".encode())]

    pieces = (await parts_of(build()))[1:-1]

    assert [piece.logprobs[0].logprob for piece in pieces if isinstance(piece, Piece)] == [-9999.0, -9999.0]


@pytest.mark.parametrize(
    "last",
    [
        {"choices": [{}]},
        {"choices": [{"delta": None, "logprobs": {"tokens": []}}]},
        {"choices": ["?"], "usage": {"prompt_tokens": "7"}},
        {"choices": None},
        {"choices": {}},
        {},
    ],
)
async def test_an_end_without_a_finish_reason_is_incomplete(server: FakeServer, build: Build, last: object) -> None:
    server.chat = [stream(delta("Hel"), last)]

    parts, failure = await parts_until_failure(build(), StreamIncomplete)

    assert parts == [Accepted("llama"), Piece("Hel")]
    assert "far" in str(failure)


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        ({"error": "boom", "error_type": "generation"}, ServerFailed, "boom"),
        ({"error": {"message": "boom", "type": "server_error"}}, ServerFailed, "boom"),
        ({"error": {"message": "slow down", "code": 429}}, TryLater, "slow down"),
        ({"error": {"message": "too busy", "type": "overloaded"}}, TryLater, "too busy"),
        ({"choices": [{"delta": {}, "finish_reason": "error"}]}, ServerFailed, "far"),
    ],
)
async def test_an_error_mid_stream_keeps_what_came_and_is_not_retried(
    server: FakeServer, build: Build, event: object, kind: type[HybridChatError], text: str
) -> None:
    server.chat = [stream(delta("Hel"), event)]

    parts, failure = await parts_until_failure(build(), kind)

    assert parts == [Accepted("llama"), Piece("Hel")]
    assert text in str(failure)
    assert len(server.chats) == 1


@pytest.mark.parametrize("event", [b"data: {oops\n\n", b"data: [1]\n\n", b'data: {"choices": "\xff"}\n\n'])
async def test_an_unreadable_event_breaks_the_stream(server: FakeServer, build: Build, event: bytes) -> None:
    server.chat = [stream(delta("Hel"), event)]

    parts, _ = await parts_until_failure(build(), StreamBroken)

    assert parts[-1] == Piece("Hel")


@pytest.mark.parametrize("act", [RESET, CUT])
async def test_a_break_after_the_first_token_is_not_retried(server: FakeServer, build: Build, act: Any) -> None:
    server.chat = [[*stream(delta("Hel"))[:2], act]]

    parts, _ = await parts_until_failure(build(), StreamBroken)

    assert parts[0] == Accepted("llama")
    assert len(server.chats) == 1


@pytest.mark.parametrize(
    "first",
    [
        [RESET],
        [CUT],
        [*stream(delta(None, role="assistant"))[:2], CUT],
        refuse(502, b"<html>Bad gateway</html>", kind="text/html"),
        refuse(503, {"error": "overloaded"}),
        refuse(504),
        refuse(429, {"error": "slow down"}, headers="Retry-After: 0\r\n"),
        refuse(408),
        stream({"error": {"message": "Overloaded", "type": "overloaded_error"}}),
    ],
    ids=["reset", "closed", "cut after the role", "502", "503", "504", "429", "408", "error event"],
)
async def test_a_failure_that_is_likely_to_pass_is_retried_once_and_told(
    server: FakeServer, build: Build, first: list[bytes]
) -> None:
    server.chat = [first, HELLO]

    accepted, waiting, *rest = await parts_of(build())

    assert accepted == Accepted("llama")
    assert isinstance(waiting, Waiting)
    assert waiting.reason.endswith("trying once more")
    assert rest == HELLO_PARTS[1:]
    assert server.chats[0].body == server.chats[1].body


@pytest.mark.parametrize(
    ("answer", "kind"),
    [([RESET], StreamBroken), (refuse(502), ServerFailed), (refuse(429), TryLater)],
    ids=["reset", "502", "429"],
)
async def test_a_second_failure_stands(server: FakeServer, build: Build, answer: list[bytes], kind: Any) -> None:
    server.chat = [answer, answer]

    await parts_until_failure(build(), kind)

    assert len(server.chats) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuse(500, {"error": "out of luck"}), ServerFailed),
        (refuse(429, headers="Retry-After: 60\r\n"), TryLater),
        (refuse(400, {"error": "what?"}), RequestRejected),
    ],
    ids=["500", "429 with a long wait", "400"],
)
async def test_a_failure_that_will_not_pass_soon_is_not_retried(
    server: FakeServer, build: Build, answer: list[bytes], kind: Any
) -> None:
    server.chat = [answer]

    parts, _ = await parts_until_failure(build(), kind)

    assert parts == []


LOADING = refuse(503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}})


async def test_a_model_that_is_being_loaded_is_waited_for_and_told_once(server: FakeServer, build: Build) -> None:
    server.chat = [LOADING, LOADING, LOADING, HELLO]

    assert await parts_of(build()) == [
        HELLO_PARTS[0],
        Waiting("the server is loading its model"),
        *HELLO_PARTS[1:],
    ]


async def test_waiting_for_a_model_ends_with_the_first_token_timeout(
    server: FakeServer, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep_through_it(_seconds: float) -> None:
        monkeypatch.setattr(loop, "time", lambda: clock() + 1000)

    loop = asyncio.get_running_loop()
    clock = loop.time
    monkeypatch.setattr(asyncio, "sleep", sleep_through_it)
    server.chat = [LOADING, LOADING]

    parts, failure = await parts_until_failure(build(), TimedOut)

    assert parts == [Accepted("llama"), Waiting("the server is loading its model")]
    assert "still loading its model after 300 s" in str(failure)


async def test_silence_before_the_first_token_times_out(server: FakeServer, build: Build) -> None:
    server.chat = [[*stream(delta(None, role="assistant"))[:2], HOLD]]

    parts, failure = await parts_until_failure(build(first_token_timeout=0.1), TimedOut)

    assert parts == [Accepted("llama")]
    assert "first token" in str(failure)


async def test_silence_between_tokens_is_a_stall(server: FakeServer, build: Build) -> None:
    server.chat = [[*stream(delta("Hel"))[:2], HOLD]]

    parts, failure = await parts_until_failure(build(stall_timeout=0.1), TimedOut)

    assert parts == [Accepted("llama"), Piece("Hel")]
    assert "stalled" in str(failure)


async def test_silence_after_the_finish_reason_costs_only_the_usage(server: FakeServer, build: Build) -> None:
    server.chat = [[*stream(delta("Hel"), delta(finish="stop"))[:3], HOLD]]

    assert (await parts_of(build(stall_timeout=0.1)))[-1] == Ended(FinishReason.STOP, model="served")


async def test_closing_the_stream_closes_the_connection(server: FakeServer, build: Build) -> None:
    server.chat = [[*stream(delta("Hel"))[:2], HOLD]]

    async with aclosing(build().stream(REQUEST)) as parts:
        async for part in parts:
            if isinstance(part, Piece):
                break

    await server.client_left.wait()


async def test_cancelling_the_reader_closes_the_connection(server: FakeServer, build: Build) -> None:
    server.chat = [[*stream(delta("Hel"))[:2], HOLD]]
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(build().stream(REQUEST)) as parts:
            async for part in parts:
                if isinstance(part, Piece):
                    begun.set()

    reader = asyncio.create_task(read())
    await begun.wait()
    reader.cancel()

    await server.client_left.wait()
    with pytest.raises(asyncio.CancelledError):
        await reader


async def test_nobody_listening_is_unreachable_and_not_retried(build: Build) -> None:
    parts, failure = await parts_until_failure(build(url="http://127.0.0.1:9/v1"), Unreachable)

    assert parts == []
    assert "127.0.0.1:9" in str(failure)


@pytest.mark.parametrize("field", ["logprobs", "top_logprobs", "stream_options", "seed"])
@pytest.mark.parametrize("status", [400, 422])
async def test_a_field_that_is_refused_by_name_is_left_out_from_then_on(
    server: FakeServer, build: Build, field: str, status: int
) -> None:
    server.chat = [refuse(status, {"error": {"message": f"`{field}` is not supported"}}), HELLO, HELLO]
    backend = build()

    assert await parts_of(backend) == HELLO_PARTS
    assert await parts_of(backend) == HELLO_PARTS

    name = field.removeprefix("top_")
    assert [name in request.json for request in server.chats] == [True, False, False]
    assert server.chats[2].body == backend.body(REQUEST)
    assert ("top_logprobs" in server.chats[2].json) == (name != "logprobs")


async def test_a_field_that_is_refused_again_is_an_error(server: FakeServer, build: Build) -> None:
    server.chat = [refuse(400, {"error": "no logprobs here"})] * 2

    await parts_until_failure(build(), RequestRejected)

    assert len(server.chats) == 2


async def test_a_redirect_is_told_and_not_followed(server: FakeServer, build: Build) -> None:
    server.chat = [refuse(307, headers=f"Location: {server.url}/elsewhere?x\r\n")]

    _, failure = await parts_until_failure(build(), ProtocolError)

    assert "redirects to http://127.0.0.1" in str(failure)
    assert "elsewhere" not in str(failure)
    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["", "Location: /path\r\n"])
async def test_a_redirect_to_nowhere_is_told_too(server: FakeServer, build: Build, location: str) -> None:
    server.chat = [refuse(302, headers=location)]

    _, failure = await parts_until_failure(build(), ProtocolError)

    assert "redirects (HTTP 302)" in str(failure)


async def test_a_web_page_is_no_stream(server: FakeServer, build: Build) -> None:
    server.chat = [refuse(200, b"<html>Log in to the hotel's network</html>", kind="text/html")]

    _, failure = await parts_until_failure(build(), ProtocolError)

    assert "hotel" not in str(failure)


async def test_an_error_body_that_breaks_off_leaves_the_status(server: FakeServer, build: Build) -> None:
    server.chat = [[head(400, "application/json"), chunked(b'{"error": '), CUT]]

    _, failure = await parts_until_failure(build(), RequestRejected)

    assert "HTTP 400" in str(failure)


async def test_a_bearer_key_is_sent_as_such(server: FakeServer, build: Build) -> None:
    server.chat = [HELLO]
    await parts_of(build())

    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "api-key" not in server.requests[0].headers


async def test_azure_gets_its_key_in_its_own_header(server: FakeServer, build: Build) -> None:
    server.chat = [HELLO]
    await parts_of(build(auth=Auth.API_KEY))

    assert server.requests[0].headers["api-key"] == KEY
    assert "authorization" not in server.requests[0].headers


async def test_without_a_key_no_header_is_sent(server: FakeServer, build: Build) -> None:
    server.chat = [HELLO]
    await parts_of(build(key=None))

    assert not {"authorization", "api-key"} & set(server.requests[0].headers)


async def test_a_key_that_the_server_repeats_is_hidden(server: FakeServer, build: Build) -> None:
    server.chat = [
        refuse(400, {"error": f"bad request by {KEY}"}),
        stream(delta("Hel"), {"error": f"lost {KEY}"}),
    ]
    backend = build()

    for kind in (RequestRejected, ServerFailed):
        _, failure = await parts_until_failure(backend, kind)
        assert "[key]" in str(failure)
        assert KEY not in str(failure)


def test_the_key_shows_in_no_representation(build: Build) -> None:
    backend = build()

    shown = repr(backend) + repr(vars(backend)) + repr(backend.endpoint)

    assert KEY not in shown


def test_the_key_goes_to_no_other_host() -> None:
    key = KeyHeader(endpoint_at("https://example.org/v1"), KEY)
    for url in ("https://example.com/v1", "http://example.org/v1", "https://example.org:8443/v1"):
        request = next(key.auth_flow(httpx.Request("GET", url)))
        assert "authorization" not in request.headers

    assert "authorization" in next(key.auth_flow(httpx.Request("GET", "https://example.org:443/x"))).headers


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines", "tab\tin it"])
def test_a_key_that_no_header_can_carry_is_a_clear_error(key: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        OpenAICompatibleBackend(endpoint_at("https://example.org/v1"), key)

    assert key not in caught.value.message
    assert "hybridchat keys set far" in caught.value.hint


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


async def test_a_backend_that_was_never_used_closes(build: Build) -> None:
    await build().aclose()


RECORDED = b"".join(
    b"data: " + json.dumps(event, ensure_ascii=False).encode() + end
    for event, end in [
        (delta(None, role="assistant"), b"\n\n"),
        (delta("Grüß", logprobs=[{"token": "Grüß", "logprob": -0.1, "bytes": list("Grüß".encode())}]), b"\r\n\r\n"),
        (delta(" 日本\u2028\x85 \U0001f600"), b"\n\n: ping\n\n"),
        (delta(finish="length"), b"\n\n"),
        (usage(3, 4), b"\n\ndata: [DONE]\n\n"),
    ]
)


@given(cuts=st.lists(st.integers(0, len(RECORDED)), max_size=30))
@settings(max_examples=40, deadline=None)
async def test_parts_do_not_depend_on_where_the_chunks_end(cuts: list[int]) -> None:
    bounds = [0, *sorted(set(cuts) - {0, len(RECORDED)}), len(RECORDED)]
    pieces = [chunked(RECORDED[start:end]) for start, end in pairwise(bounds)]
    async with run_fake_server() as server:
        server.chat = [[head(200, "text/event-stream"), *pieces, b"0\r\n\r\n"]]
        backend = OpenAICompatibleBackend(endpoint_at(server.url), KEY)
        parts = await parts_of(backend)
        await backend.aclose()

    assert parts == [
        Accepted("llama"),
        Piece("Grüß", (TokenLogprob("Grüß", -0.1, raw="Grüß".encode()),)),
        Piece(" 日本\u2028\x85 \U0001f600"),
        Ended(FinishReason.LENGTH, Usage(3, 4), model="served"),
    ]
