from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from hybridchat.backends.ollama import checks as ollama_checks
from hybridchat.backends.ollama.backend import OllamaBackend
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart, Waiting
from hybridchat.config.settings import Auth, Endpoint, Kind
from hybridchat.errors import (
    BackendError,
    BadConfiguration,
    Blocked,
    ContextOverflow,
    HybridChatError,
    InputError,
    KeyRefused,
    ModelMissing,
    NoCredits,
    NotEnoughMemory,
    RequestRejected,
    ServerFailed,
    StreamBroken,
    StreamIncomplete,
    TimedOut,
    TryLater,
    Unreachable,
)
from hybridchat.messages import ChatMessage, FinishReason, Place, Role, TokenLogprob, Usage
from tests.servers.ollama import (
    DONE,
    END,
    LOADED,
    TAG,
    Do,
    FakeOllama,
    Step,
    answer,
    error,
    head,
    line,
    logprob,
    ok,
    piece,
    streamed,
)

QUESTION = ChatRequest((ChatMessage(Role.SYSTEM, "Be brief."), ChatMessage(Role.USER, "Grüß Gott?")), max_tokens=7)


@pytest.fixture
async def server() -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as fake:
        yield fake


def at(server: FakeOllama | str, **fields: Any) -> Endpoint:
    url = server if isinstance(server, str) else server.url
    defaults: dict[str, Any] = {"model": "phi3.5", "place": Place.LOCAL, "num_ctx": 4096, "keep_alive": "10m"}
    return Endpoint(name="Ollama", kind=Kind.OLLAMA, url=url, **(defaults | fields))


async def parts_of(endpoint: Endpoint, request: ChatRequest = QUESTION) -> list[StreamPart]:
    backend = OllamaBackend(endpoint)
    try:
        async with aclosing(backend.stream(request)) as stream:
            return [part async for part in stream]
    finally:
        await backend.aclose()


async def failure_of(endpoint: Endpoint) -> tuple[HybridChatError, list[StreamPart]]:
    backend, seen = OllamaBackend(endpoint), []
    try:
        async with aclosing(backend.stream(QUESTION)) as stream:
            try:
                async for part in stream:
                    seen.append(part)  # noqa: PERF401 - what came before the failure matters
            except HybridChatError as failure:
                return failure, seen
    finally:
        await backend.aclose()
    pytest.fail(f"no failure, but {seen}")


def text_of(parts: list[StreamPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Piece) and not part.thinking)


# A good answer


async def test_an_answer_is_accepted_streamed_and_ended(server: FakeOllama) -> None:
    assert await parts_of(at(server)) == [
        Accepted("phi3.5", digest=str(TAG["digest"]), window=4096),
        Piece("Hel"),
        Piece("lo"),
        Ended(FinishReason.STOP, Usage(26, 282), load_seconds=1.334875, model="phi3.5"),
    ]


async def test_the_body_is_exactly_what_is_sent(server: FakeOllama) -> None:
    await parts_of(at(server))
    [sent] = server.asked("/api/chat")
    assert (sent.method, sent.headers["content-type"]) == ("POST", "application/json")
    assert sent.body == OllamaBackend(at(server)).body(QUESTION)
    assert sent.json == {
        "model": "phi3.5",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüß Gott?"}],
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": 4096, "num_predict": 7},
        "keep_alive": "10m",
        "logprobs": True,
        "top_logprobs": 10,
    }


async def test_options_and_the_endpoint_decide_what_is_asked_for() -> None:
    request = ChatRequest(QUESTION.messages, temperature=0.0, seed=3, top_logprobs=20)
    body = json.loads(OllamaBackend(at("http://h", num_ctx=None, keep_alive=None, max_top_logprobs=5)).body(request))
    assert body["options"] == {"temperature": 0.0, "seed": 3}
    assert (body["logprobs"], body["top_logprobs"], "keep_alive" in body) == (True, 5, False)


@pytest.mark.parametrize(("asked", "given"), [(0, 20), (10, 0)])
async def test_without_logprobs_neither_field_is_sent(asked: int, given: int) -> None:
    backend = OllamaBackend(at("http://h", max_top_logprobs=given))
    body = json.loads(backend.body(ChatRequest(QUESTION.messages, top_logprobs=asked)))
    assert not {"logprobs", "top_logprobs"} & body.keys()


@pytest.mark.parametrize(
    ("text", "sent"), [("300", 300), ("-1", -1), ("0", 0), ("1h30m", "1h30m"), ("-1m", "-1m"), (" ", None)]
)
async def test_keep_alive_is_sent_as_the_server_accepts_it(text: str, sent: int | str | None) -> None:
    assert json.loads(OllamaBackend(at("http://h", keep_alive=text)).body(QUESTION)).get("keep_alive") == sent


@pytest.mark.parametrize("text", ["5 minutes", "m", "10x", "1h 30m"])
async def test_an_impossible_keep_alive_is_a_bad_configuration(text: str) -> None:
    with pytest.raises(BadConfiguration, match="keep_alive"):
        OllamaBackend(at("http://h", keep_alive=text))


async def test_half_a_character_in_the_question_is_an_input_error() -> None:
    with pytest.raises(InputError):
        OllamaBackend(at("http://h")).body(ChatRequest((ChatMessage(Role.USER, "a\ud83d"),)))


async def test_logprobs_come_with_their_pieces(server: FakeOllama) -> None:
    server.chat(
        *streamed(line("A", logprobs=[logprob("A", -0.5, -3.0, -0.5)]), line("B", logprobs=[logprob("B", -1)]), DONE)
    )
    pieces = [part for part in await parts_of(at(server)) if isinstance(part, Piece)]
    assert pieces == [
        Piece("A", (TokenLogprob("A", -0.5, (-0.5, -3.0), b"A"),)),
        Piece("B", (TokenLogprob("B", -1.0, (), b"B"),)),
    ]


async def test_logprobs_without_text_and_without_bytes_are_passed_on(server: FakeOllama) -> None:
    server.chat(*streamed(line(logprobs=[{"token": "\ufffd", "logprob": -2.5}]), line("é"), DONE))
    pieces = [part for part in await parts_of(at(server)) if isinstance(part, Piece)]
    assert pieces == [Piece("", (TokenLogprob("\ufffd", -2.5),)), Piece("é")]


async def test_thinking_is_told_apart_and_keeps_its_logprobs(server: FakeOllama) -> None:
    server.chat(
        *streamed(
            line(thinking="Hm", logprobs=[logprob("Hm", -1)]),
            line(logprobs=[logprob("?", -2)]),
            line("Yes", thinking=".", logprobs=[logprob("Yes", -3)]),
            line(logprobs=[logprob("!", -4)]),
            DONE,
        )
    )
    pieces = [part for part in await parts_of(at(server)) if isinstance(part, Piece)]
    assert [(p.text, p.thinking, [t.logprob for t in p.logprobs]) for p in pieces] == [
        ("Hm", True, [-1]),
        ("", True, [-2]),
        (".", True, []),
        ("Yes", False, [-3]),
        ("", False, [-4]),
    ]


async def test_metrics_and_the_reason_may_be_missing(server: FakeOllama) -> None:
    server.chat(*streamed(line("A"), b'{"done":true}\n'))
    assert (await parts_of(at(server)))[-1] == Ended(FinishReason.STOP)


async def test_the_token_limit_is_a_finish_reason(server: FakeOllama) -> None:
    server.chat(*streamed(line("A", done=True, done_reason="length", eval_count=7)))
    assert (await parts_of(at(server)))[-2:] == [Piece("A"), Ended(FinishReason.LENGTH, Usage(None, 7), model="phi3.5")]


async def test_text_survives_every_cut_between_packets(server: FakeOllama) -> None:
    text = "Grüße 🦙\u0085\u2028\u2029日本"
    body = line(text) + b"\n" + DONE
    server.chat(head(), *(piece(body[i : i + 1]) for i in range(len(body))), END)
    assert text_of(await parts_of(at(server))) == text


async def test_two_lines_may_come_in_one_packet_and_blank_ones_between(server: FakeOllama) -> None:
    server.chat(head(), piece(line("a") + b"\n\r\n" + line("b") + DONE), END)
    assert text_of(await parts_of(at(server))) == "ab"


# What is checked before a prompt is sent


async def test_a_model_that_is_not_loaded_is_announced(server: FakeOllama) -> None:
    server.scripts["/api/ps"] = ok({"models": []})
    assert (await parts_of(at(server)))[1] == Waiting("phi3.5 is being loaded (2.2 GB)")


async def test_a_model_of_unknown_size_is_announced_without_it(server: FakeOllama) -> None:
    server.scripts |= {"/api/ps": ok({"models": None}), "/api/tags": ok({"models": [{"name": "phi3.5:latest"}]})}
    assert (await parts_of(at(server)))[:2] == [Accepted("phi3.5", window=4096), Waiting("phi3.5 is being loaded")]


@pytest.mark.parametrize(
    ("asked", "loaded", "window", "reloads"),
    [
        (4096, 2048, 2048, False),
        (4096, 32768, 4096, True),
        (None, 8192, 8192, False),
        (4096, None, 4096, False),
        (None, None, None, False),
    ],
)
async def test_the_window_is_the_one_that_will_count(
    server: FakeOllama, asked: int | None, loaded: int | None, window: int | None, reloads: bool
) -> None:
    server.scripts["/api/ps"] = ok({"models": [LOADED | {"context_length": loaded}]})
    parts = await parts_of(at(server, num_ctx=asked))
    assert isinstance(parts[0], Accepted)
    assert parts[0].window == window
    assert isinstance(parts[1], Waiting) == reloads


@pytest.mark.parametrize("name", ["phi3.5:cloud", "gpt-oss:120b-cloud", "X-CLOUD", "a:cloud:latest"])
async def test_a_cloud_name_is_refused_without_any_request(server: FakeOllama, name: str) -> None:
    failure, _ = await failure_of(at(server, model=name))
    assert isinstance(failure, Blocked)
    assert not server.requests


@pytest.mark.parametrize("field", ["remote_host", "remote_model"])
async def test_a_stub_of_a_cloud_model_is_refused_before_the_prompt(server: FakeOllama, field: str) -> None:
    server.scripts["/api/tags"] = ok({"models": [TAG | {field: "https://ollama.com:443"}]})
    failure, parts = await failure_of(at(server))
    assert isinstance(failure, Blocked)
    assert not parts
    assert not server.asked("/api/chat")


@pytest.mark.parametrize("field", ["remote_host", "remote_model"])
async def test_an_answer_that_comes_from_elsewhere_is_stopped(server: FakeOllama, field: str) -> None:
    server.chat(head(), piece(line("Hi", **{field: "https://ollama.com:443"})), Do.HANG)
    failure, parts = await failure_of(at(server))
    assert isinstance(failure, Blocked)
    assert not text_of(parts)
    await server.client_left.wait()


async def test_a_remote_endpoint_may_use_the_cloud_and_is_not_questioned(server: FakeOllama) -> None:
    server.chat(*streamed(line("Hi", remote_host="https://ollama.com:443"), DONE))
    parts = await parts_of(at(server, place=Place.REMOTE, model="gpt-oss:120b-cloud"))
    assert parts[:2] == [Accepted("gpt-oss:120b-cloud"), Piece("Hi")]
    assert [request.path for request in server.requests] == ["/api/chat"]


async def test_a_missing_model_names_those_that_are_here_and_local(server: FakeOllama) -> None:
    others = [
        {"model": "llama3.2:latest"},
        {"name": "qwen:0.5b"},
        {"name": "x:cloud"},
        {"name": "y", "remote_host": "h"},
    ]
    server.scripts["/api/tags"] = ok({"models": others})
    failure, _ = await failure_of(at(server))
    assert isinstance(failure, ModelMissing)
    assert failure.alternatives == ("llama3.2", "qwen:0.5b")
    assert "ollama pull phi3.5" in failure.hint
    assert not server.asked("/api/chat")


@pytest.mark.parametrize("name", ["PHI3.5:latest", "library/phi3.5", "registry.ollama.ai/library/phi3.5:latest"])
async def test_a_model_may_be_named_in_full(server: FakeOllama, name: str) -> None:
    assert text_of(await parts_of(at(server, model=name))) == "Hello"


async def test_nothing_listening_is_unreachable_and_says_how_to_start_it(unused_tcp_port: int) -> None:
    failure, _ = await failure_of(at(f"http://127.0.0.1:{unused_tcp_port}"))
    assert isinstance(failure, Unreachable)
    assert "nothing is listening" in failure.message
    assert "ollama serve" in failure.hint


@pytest.mark.parametrize("path", ["/api/tags", "/api/ps"])
async def test_a_server_that_accepts_and_says_nothing_times_out(
    server: FakeOllama, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ollama_checks, "CHECK_SECONDS", 0.05)
    server.scripts[path] = [Do.HANG]
    failure, _ = await failure_of(at(server))
    assert isinstance(failure, TimedOut)
    assert "did not answer in time" in failure.message


async def test_a_server_that_hangs_up_is_unreachable(server: FakeOllama) -> None:
    server.scripts["/api/tags"] = [Do.CLOSE]
    failure, _ = await failure_of(at(server))
    assert isinstance(failure, Unreachable)


@pytest.mark.parametrize(
    "tags",
    [
        answer(200, b"<html>Welcome to nginx!</html>", "text/html"),
        answer(404, b"404 page not found", "text/plain"),
        answer(405, b""),
        answer(301, b"", Location="https://elsewhere.example/"),
    ],
)
async def test_what_is_no_ollama_server_is_said_to_be_none(server: FakeOllama, tags: list[Step]) -> None:
    server.scripts["/api/tags"] = tags
    failure, _ = await failure_of(at(server))
    assert isinstance(failure, RequestRejected)
    assert "does not speak Ollama's API" in failure.message
    assert "nginx" not in str(failure)


async def test_a_path_in_front_of_the_api_is_kept(server: FakeOllama) -> None:
    server.scripts = {"/proxy" + path: script for path, script in server.scripts.items()}
    assert text_of(await parts_of(at(server.url + "/proxy/"))) == "Hello"


async def test_a_loopback_prompt_does_not_go_through_a_proxy(
    server: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeOllama() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert text_of(await parts_of(at(server))) == "Hello"
        assert not proxy.requests


async def test_no_key_from_the_environment_is_sent(server: FakeOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "secret")
    await parts_of(at(server))
    assert all("authorization" not in request.headers for request in server.requests)


async def test_a_key_is_sent_where_one_is_given_and_never_repeated(server: FakeOllama) -> None:
    backend = OllamaBackend(at(server, place=Place.REMOTE, auth=Auth.BEARER), "hunter2")
    failures = []
    for script in (error(401, "hunter2 is bad"), streamed(b'{"error":"hunter2 is worse"}\n')):
        server.chat(*script)
        async with aclosing(backend.stream(QUESTION)) as stream:
            assert isinstance(await anext(stream), Accepted)
            with pytest.raises(HybridChatError) as caught:
                await anext(stream)
        failures.append(caught.value.message)
    await backend.aclose()
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer hunter2"] * 2
    assert "hunter2" not in " ".join(failures)


# Refusals


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        (error(404, "model 'phi3.5' not found"), ModelMissing, "phi3.5"),
        (error(400, 'model "phi3.5" does not support chat'), RequestRejected, "does not support chat"),
        (answer(400, b""), RequestRejected, "did not accept"),
        (
            error(400, "the prompt is longer than the context length currently available to the model"),
            ContextOverflow,
            "",
        ),
        (
            error(400, '{"error":{"code":400,"message":"the request exceeds the available context size","type":"x"}}'),
            ContextOverflow,
            "the request exceeds the available context size",
        ),
        (error(401, "unauthorized", signin_url="https://ollama.com/connect"), Blocked, "cloud model"),
        (error(403, "ollama cloud is disabled: remote inference is unavailable"), Blocked, "cloud is disabled"),
        (answer(403, b""), BadConfiguration, "host name"),
        (error(403, "go away"), KeyRefused, "go away"),
        (error(402, "subscribe"), NoCredits, "subscribe"),
        (error(422, "odd"), RequestRejected, "odd"),
        (error(503, "server busy, please try again.  maximum pending requests exceeded"), TryLater, "maximum pending"),
        (error(500, "model requires more system memory (5.6 GiB) than is available"), NotEnoughMemory, "5.6 GiB"),
        (
            error(500, "llama-server process has terminated: exit 1"),
            ServerFailed,
            "llama-server process has terminated",
        ),
        (error(499, "request canceled"), ServerFailed, "request canceled"),
        (answer(502, b"<!doctype html><h1>Bad gateway</h1>", "text/html"), ServerFailed, "status 502"),
        (answer(500, b"boom\x1b[31m\nbang", "text/plain"), ServerFailed, "boom bang"),
    ],
)
async def test_each_refusal_has_an_error_of_its_own(
    server: FakeOllama, script: list[Step], kind: type[HybridChatError], said: str
) -> None:
    server.chat(*script)
    failure, _ = await failure_of(at(server))
    assert type(failure) is kind
    assert said in failure.message
    assert not {"\n", "\x1b", "<"} & set(failure.message)


async def test_a_long_error_text_is_shortened(server: FakeOllama) -> None:
    server.chat(*error(500, "x" * 5000))
    failure, _ = await failure_of(at(server))
    assert len(failure.message) < 400


async def test_an_endless_error_body_is_not_read_to_its_end(server: FakeOllama) -> None:
    server.chat(head(500, "text/plain"), *[piece(b"y" * 65536)] * 17, Do.HANG)
    failure, _ = await failure_of(at(server))
    assert isinstance(failure, ServerFailed)


async def test_a_remote_server_that_wants_a_key_says_so(server: FakeOllama) -> None:
    server.chat(*error(401, "unauthorized"))
    failure, _ = await failure_of(at(server, place=Place.REMOTE))
    assert isinstance(failure, KeyRefused)


@pytest.mark.parametrize(("value", "seconds"), [("12", 12.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("soon", None)])
async def test_a_waiting_time_is_read_where_the_server_tells_one(
    server: FakeOllama, value: str, seconds: float | None
) -> None:
    server.chat(*answer(429, b'{"error":"slow down"}', Retry_After=value))
    failure, _ = await failure_of(at(server))
    assert isinstance(failure, TryLater)
    assert failure.retry_after == seconds


# Streams that go wrong


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("model runner has unexpectedly stopped", ServerFailed),
        ("prediction aborted, token repeat limit reached", ServerFailed),
        ("input length exceeds the context length", ContextOverflow),
    ],
)
async def test_an_error_line_ends_the_stream_after_what_came(
    server: FakeOllama, said: str, kind: type[BackendError]
) -> None:
    server.chat(*streamed(line("Hel"), json.dumps({"error": said}).encode() + b"\n"))
    failure, parts = await failure_of(at(server))
    assert type(failure) is kind
    assert said in failure.message
    assert text_of(parts) == "Hel"


async def test_an_end_without_done_is_incomplete(server: FakeOllama) -> None:
    server.chat(*streamed(line("la "), line("la ")))
    failure, parts = await failure_of(at(server))
    assert isinstance(failure, StreamIncomplete)
    assert text_of(parts) == "la la "


@pytest.mark.parametrize("end", [Do.RESET, Do.CLOSE])
async def test_a_connection_that_breaks_mid_stream_is_broken(server: FakeOllama, end: Do) -> None:
    came = asyncio.Event()
    server.chat(head(), piece(line("Hel")), came, end)
    backend = OllamaBackend(at(server))
    async with aclosing(backend.stream(QUESTION)) as stream:
        assert isinstance(await anext(stream), Accepted)
        assert await anext(stream) == Piece("Hel")
        came.set()
        with pytest.raises(StreamBroken, match="the next token"):
            await anext(stream)
    await backend.aclose()


@pytest.mark.parametrize("end", [Do.RESET, Do.CLOSE])
async def test_a_connection_that_breaks_before_the_answer_is_broken_too(server: FakeOllama, end: Do) -> None:
    server.chat(end)
    failure, _ = await failure_of(at(server))
    assert isinstance(failure, StreamBroken)
    assert "the first token" in failure.message


@pytest.mark.parametrize(
    "garbage",
    [
        b"<html>\n",
        b'{"message": 3}\n',
        b'{"message":{"content":"\xff"}}\n',
        b'{"x":' + b"[" * 100_000 + b"\n",
        line(logprobs=[{"token": "a", "logprob": 0, "bytes": [256]}]),
    ],
)
async def test_a_line_that_is_no_chunk_is_broken(server: FakeOllama, garbage: bytes) -> None:
    server.chat(*streamed(line("a"), garbage, DONE))
    failure, parts = await failure_of(at(server))
    assert isinstance(failure, StreamBroken)
    assert text_of(parts) == "a"


@pytest.mark.parametrize("before", [[], [head()], [head(), piece(line(""))]])
async def test_the_first_token_has_a_time_limit_of_its_own(server: FakeOllama, before: list[Step]) -> None:
    server.chat(*before, Do.HANG)
    failure, _ = await failure_of(at(server, first_token_timeout=0.1, stall_timeout=99))
    assert isinstance(failure, TimedOut)
    assert "no first token within 0.1 s" in failure.message


async def test_a_stall_between_two_tokens_has_another_limit(server: FakeOllama) -> None:
    server.chat(head(), piece(line("Hel")), Do.HANG)
    failure, parts = await failure_of(at(server, first_token_timeout=99, stall_timeout=0.1))
    assert isinstance(failure, TimedOut)
    assert "stalled" in failure.message
    assert text_of(parts) == "Hel"
    await server.client_left.wait()


# Cancelling


async def test_closing_the_generator_closes_the_connection(server: FakeOllama) -> None:
    server.chat(head(), piece(line("Hel")), Do.HANG)
    backend = OllamaBackend(at(server))
    stream = backend.stream(QUESTION)
    assert [await anext(stream), await anext(stream)][1] == Piece("Hel")
    await stream.aclose()
    await server.client_left.wait()
    await backend.aclose()


async def test_cancelling_while_the_model_loads_closes_the_connection(server: FakeOllama) -> None:
    server.chat(Do.HANG)
    waiting = asyncio.create_task(parts_of(at(server)))
    await server.arrived["/api/chat"].wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await server.client_left.wait()


async def test_a_backend_answers_one_question_after_another(server: FakeOllama) -> None:
    backend = OllamaBackend(at(server))
    for _ in range(2):
        async with aclosing(backend.stream(QUESTION)) as stream:
            assert text_of([part async for part in stream]) == "Hello"
    await backend.aclose()
    await backend.aclose()
