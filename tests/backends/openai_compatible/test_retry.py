from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from hybridchat.backends.protocol import Accepted, Ended, Piece, Waiting
from hybridchat.errors import RequestRejected, ServerFailed, StreamBroken, TimedOut, TryLater, Unreachable
from hybridchat.messages import FinishReason
from tests.backends.openai_compatible.answers import HELLO, HELLO_PARTS, REQUEST, Build, parts_of, parts_until_failure
from tests.servers.openai import CUT, HOLD, RESET, FakeServer, delta, refuse, stream


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
