from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece
from hybridchat.errors import HybridChatError, ServerFailed, StreamBroken, StreamIncomplete, TryLater
from hybridchat.messages import ChatMessage, FinishReason, Role, TokenLogprob, Usage
from tests.backends.openai_compatible.answers import (
    HELLO,
    HELLO_PARTS,
    KEY,
    REQUEST,
    Build,
    endpoint_at,
    parts_of,
    parts_until_failure,
)
from tests.servers.openai import CUT, FakeServer, chunked, delta, head, refuse, run_fake_server, stream, usage


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
