from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.openai_compatible.models import alternatives
from hybridchat.backends.presets import remote_endpoint
from hybridchat.backends.protocol import ChatRequest
from hybridchat.backends.transport.server_text import prompt_tokens
from hybridchat.config.settings import RemoteSettings
from hybridchat.errors import (
    ContextOverflow,
    HybridChatError,
    KeyMissing,
    KeyRefused,
    ModelMissing,
    NoCredits,
    ProtocolError,
    RequestRejected,
    ServerFailed,
    TryLater,
)
from hybridchat.messages import ChatMessage, Role
from tests.backends.openai_compatible.answers import Build, parts_until_failure
from tests.servers.openai import CUT, Answer, FakeServer, chunked, head, refuse

MODEL = "meta-llama/Llama-3.3-70B-Instruct"
REQUEST = ChatRequest((ChatMessage(Role.USER, "Hello"),))


async def failure_of(server: FakeServer, answer: Answer, key: str | None = "hf_key") -> HybridChatError:
    server.chat = [answer, answer]
    endpoint = remote_endpoint(RemoteSettings(url=server.url))
    backend = OpenAICompatibleBackend(endpoint, key)
    with pytest.raises(HybridChatError) as caught:
        [part async for part in backend.stream(REQUEST)]
    await backend.aclose()
    return caught.value


def openai_error(message: str, **more: object) -> dict[str, object]:
    return {"error": {"message": message, **more}}


@pytest.mark.parametrize("whole", [True, False], ids=["with length", "chunked"])
@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (400, openai_error("bad max_tokens", type="invalid_request_error"), RequestRejected, "bad max_tokens"),
        (400, {"error": "plain words"}, RequestRejected, "plain words"),
        (400, {"object": "error", "message": "must be at least 1", "code": 400}, RequestRejected, "at least 1"),
        (400, {"detail": "no such field"}, RequestRejected, "no such field"),
        (400, b"just text", RequestRejected, "just text"),
        (400, [1, 2], RequestRejected, "HTTP 400"),
        (422, {"error": "`x` is wrong", "error_type": "validation"}, RequestRejected, "`x` is wrong"),
        (409, b"", RequestRejected, "HTTP 409"),
        (
            400,
            openai_error(f"The requested model '{MODEL}' is not supported by any provider", code="model_not_supported"),
            ModelMissing,
            "not supported",
        ),
        (400, openai_error("The model `x` does not exist"), ModelMissing, "does not exist"),
        (404, {"status": 404, "title": "Not Found", "detail": "Function 'f': Not found"}, ModelMissing, "Function"),
        (404, b"404 page not found", ModelMissing, "page not found"),
        (
            410,
            {"type": "about:blank", "title": "Gone", "status": 410, "detail": "reached its end of life"},
            ModelMissing,
            "end of life",
        ),
        (401, {"error": "Invalid username or password."}, KeyRefused, "Invalid username"),
        (402, {"error": "You have depleted your monthly included credits."}, NoCredits, "depleted"),
        (429, openai_error("You exceeded your quota", code="insufficient_quota"), NoCredits, "quota"),
        (403, {"error": "does not have sufficient permissions to call Inference Providers"}, KeyRefused, "permissions"),
        (408, b"", TryLater, "no room"),
        (424, {"error": "Request failed during generation", "error_type": "generation"}, ServerFailed, "generation"),
        (429, {"error": "Model is overloaded", "error_type": "overloaded"}, TryLater, "overloaded"),
        (500, {"error": "incomplete generation", "error_type": "incomplete_generation"}, ServerFailed, "incomplete"),
        (502, b"<html><body>Bad gateway from cloud nine</body></html>", ServerFailed, "HTTP 502"),
        (503, {"error": "Service Unavailable"}, TryLater, "Service Unavailable"),
        (504, b"", ServerFailed, "HTTP 504"),
    ],
    ids=str,
)
async def test_each_refusal_becomes_its_own_error(
    server: FakeServer, status: int, body: object, kind: type[HybridChatError], says: str, whole: bool
) -> None:
    failure = await failure_of(server, refuse(status, body, whole=whole))

    assert type(failure) is kind
    assert says in failure.message
    assert "huggingface" in failure.message
    assert failure.hint
    assert "<" not in failure.message


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            400,
            openai_error("request (5031 tokens) exceeds the available context size", type="exceed_context_size_error"),
        ),
        (400, openai_error("This model's maximum context length is 8192 tokens", code="context_length_exceeded")),
        (400, {"object": "error", "message": "This model's maximum context length is 16384 tokens."}),
        (413, openai_error("Please reduce the length of the messages", code="context_length_exceeded")),
        (422, {"error": "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000"}),
        (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192"}),
    ],
    ids=["llama.cpp", "OpenAI", "vLLM", "413", "TGI input", "TGI total"],
)
async def test_a_prompt_that_is_too_long_is_known_in_every_dialect(
    server: FakeServer, status: int, body: object
) -> None:
    assert type(await failure_of(server, refuse(status, body))) is ContextOverflow


async def test_a_long_complaint_is_cut_and_cleaned(server: FakeServer) -> None:
    failure = await failure_of(server, refuse(400, {"error": "\x1b[31mred\x1b[0m " + "long " * 500}))

    assert "\x1b" not in failure.message
    assert len(failure.message) < 400


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("Retry-After: 120\r\n", 120.0),
        ('RateLimit: "api";r=0;t=55\r\n', 55.0),
        ("Retry-After: soon\r\n", None),
        ("", None),
    ],
)
async def test_the_waiting_time_is_read_where_the_server_says_one(
    server: FakeServer, headers: str, seconds: float | None
) -> None:
    failure = await failure_of(server, refuse(429, headers=headers))

    assert isinstance(failure, TryLater)
    assert failure.retry_after == seconds


async def test_the_waiting_time_may_be_a_date(server: FakeServer) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    failure = await failure_of(server, refuse(503, headers=f"Retry-After: {later}\r\n"))

    assert isinstance(failure, TryLater)
    assert failure.retry_after == pytest.approx(3600, abs=120)


async def test_a_gated_model_says_where_its_licence_is(server: FakeServer) -> None:
    failure = await failure_of(server, refuse(403, headers="X-Error-Code: GatedRepo\r\n"))

    assert type(failure) is KeyRefused
    assert failure.hint.startswith(f"Accept its licence at https://huggingface.co/{MODEL}")


async def test_a_missing_permission_says_which(server: FakeServer) -> None:
    failure = await failure_of(server, refuse(403, {"error": "insufficient permissions"}))

    assert "Make calls to Inference Providers" in failure.hint


async def test_a_server_that_wants_a_key_gets_none_says_so(server: FakeServer) -> None:
    failure = await failure_of(server, refuse(401), key=None)

    assert type(failure) is KeyMissing
    assert "hybridchat keys set huggingface" in failure.hint


async def test_a_missing_model_comes_with_fallbacks_that_are_served(server: FakeServer) -> None:
    served = [{"id": "meta-llama/Llama-3.1-8B-Instruct"}, {"id": "google/gemma"}, {"id": MODEL}]
    server.pages["/v1/models"] = refuse(200, {"data": served})

    failure = await failure_of(server, refuse(404))

    assert isinstance(failure, ModelMissing)
    assert failure.alternatives == ("meta-llama/Llama-3.1-8B-Instruct", "google/gemma")
    assert failure.alternatives[0] in failure.hint


async def test_a_missing_model_comes_with_all_fallbacks_where_no_list_is_given(server: FakeServer) -> None:
    failure = await failure_of(server, refuse(404))

    assert isinstance(failure, ModelMissing)
    assert failure.alternatives == remote_endpoint(RemoteSettings()).fallbacks


async def test_a_missing_model_without_alternatives_hints_at_the_address(server: FakeServer) -> None:
    endpoint = replace(remote_endpoint(RemoteSettings(url=server.url)), fallbacks=())
    server.chat = [refuse(404)]
    backend = OpenAICompatibleBackend(endpoint, "hf_key")
    with pytest.raises(ModelMissing) as caught:
        [part async for part in backend.stream(REQUEST)]
    await backend.aclose()

    assert caught.value.alternatives == ()
    assert server.url in caught.value.hint


def test_of_many_models_the_names_that_are_alike_are_offered() -> None:
    served = [f"vendor/other-{number}" for number in range(50)] + ["meta-llama/Llama-3.1-70B-Instruct"]

    assert alternatives(MODEL, ["gone", MODEL], served) == ("meta-llama/Llama-3.1-70B-Instruct",)


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


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        ("request (5031 tokens) exceeds the available context size (512 tokens), try increasing it", 5031),
        ("However, you requested 5000 tokens (4500 in the messages, 500 in the completion).", 4500),
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", 9000),
        ("the prompt is too long", None),
    ],
)
def test_the_size_of_a_prompt_that_was_refused_is_read_where_it_is_said(said: str, tokens: int | None) -> None:
    assert prompt_tokens(said) == tokens
