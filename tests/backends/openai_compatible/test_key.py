from __future__ import annotations

import httpx
import pytest

from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.transport.key import KeyHeader
from hybridchat.config.settings import Auth
from hybridchat.errors import BadConfiguration, RequestRejected, ServerFailed
from tests.backends.openai_compatible.answers import HELLO, KEY, Build, endpoint_at, parts_of, parts_until_failure
from tests.servers.openai import FakeServer, delta, refuse, stream


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
