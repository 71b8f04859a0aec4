from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.protocol import ChatRequest, Piece
from hybridchat.backends.transport import ahead as module
from hybridchat.backends.transport.ahead import OpenedAhead
from hybridchat.config.settings import Auth, Endpoint, Kind
from hybridchat.errors import TimedOut, Unreachable
from hybridchat.messages import ChatMessage, Place, Role
from tests.backends.certificate import PEM, server_side

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    b'data: {"choices": [{"delta": {"content": "Paris"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
)
REQUEST = ChatRequest((ChatMessage(Role.USER, "Where is the Louvre?"),), top_logprobs=0)


@dataclass
class Listener:
    """A server that counts connections and keeps every byte that comes."""

    url: str
    connections: int = 0
    received: list[bytes] = field(default_factory=list)
    gone: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    hang_up: bool = False


@asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.connections += 1
        listener.connected.set()
        data = b""
        try:
            while not listener.hang_up and (chunk := await reader.read(65536)):
                data += chunk
                if b"Louvre" in data:
                    writer.write(ANSWER)
                    await writer.drain()
                    break
        except ConnectionError:
            pass
        finally:
            listener.received.append(data)
            writer.close()
            listener.gone.put_nowait(data)

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls else "http"
    listener = Listener(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    try:
        yield listener
    finally:
        server.close()


def endpoint(url: str, **more: float) -> Endpoint:
    return Endpoint("remote", Kind.OPENAI, url, "llama", Place.REMOTE, Auth.BEARER, **more)  # type: ignore[arg-type]  # timeouts


async def answer(backend: OpenAICompatibleBackend) -> str:
    return "".join([part.text async for part in backend.stream(REQUEST) if isinstance(part, Piece)])


@pytest.fixture(params=["http", "https"])
def secured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext | None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    return server_side() if request.param == "https" else None


async def test_a_server_sees_a_connection_and_not_one_byte_of_a_request(secured: ssl.SSLContext | None) -> None:
    async with listening(secured) as server:
        ahead = OpenedAhead(endpoint(server.url))
        await ahead.open()
        await server.connected.wait()
        await ahead.open()
        await ahead.aclose()
        assert await server.gone.get() == b""
        assert server.connections == 1


async def test_the_request_goes_over_the_connection_that_was_opened_ahead(secured: ssl.SSLContext | None) -> None:
    async with listening(secured) as server:
        ahead = OpenedAhead(endpoint(server.url))
        backend = OpenAICompatibleBackend(endpoint(server.url), "secret", ahead)
        await ahead.open()
        assert await answer(backend) == "Paris"
        await backend.aclose()
        assert server.connections == 1
        assert b"Bearer secret" in server.received[0]


async def test_a_call_that_comes_while_the_connection_is_being_opened_waits_for_it() -> None:
    async with listening() as server:
        ahead = OpenedAhead(endpoint(server.url))
        backend = OpenAICompatibleBackend(endpoint(server.url), None, ahead)
        _, text = await asyncio.gather(ahead.open(), answer(backend))
        await backend.aclose()
        await ahead.aclose()
        assert (text, server.connections) == ("Paris", 1)


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used() -> None:
    async with listening() as server:
        server.hang_up = True
        ahead = OpenedAhead(endpoint(server.url))
        await ahead.open()
        assert await server.gone.get() == b""
        assert ahead._ready is not None
        while not ahead._ready.get_extra_info("is_readable"):  # noqa: ASYNC110 - until the news have come
            await asyncio.sleep(0)
        server.hang_up = False
        backend = OpenAICompatibleBackend(endpoint(server.url), None, ahead)
        assert await answer(backend) == "Paris"
        await backend.aclose()
        await ahead.aclose()


async def test_one_that_has_waited_too_long_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 0.0)
    async with listening() as server:
        ahead = OpenedAhead(endpoint(server.url))
        await ahead.open()
        await ahead.open()
        assert server.connections == 2 or await server.gone.get() == b""
        await ahead.aclose()


async def test_without_one_calls_open_their_own() -> None:
    async with listening() as server:
        backend = OpenAICompatibleBackend(endpoint(server.url), None, OpenedAhead(endpoint(server.url)))
        assert await answer(backend) == "Paris"
        await backend.aclose()


async def test_a_server_that_is_not_there_is_told(unused_tcp_port_factory: Callable[[], int]) -> None:
    with pytest.raises(Unreachable, match="nothing is listening there"):
        await OpenedAhead(endpoint(f"http://127.0.0.1:{unused_tcp_port_factory()}/v1")).open()


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted() -> None:
    async with listening(server_side()) as server:
        with pytest.raises(Unreachable):
            await OpenedAhead(endpoint(server.url)).open()


async def test_a_server_that_never_shakes_hands_is_given_up() -> None:
    async with listening() as server:
        ahead = OpenedAhead(endpoint(server.url.replace("http:", "https:"), connect_timeout=0.2))
        assert ahead.verification.verify_mode is ssl.CERT_REQUIRED
        with pytest.raises(TimedOut):
            await ahead.open()
        await server.connected.wait()


async def test_where_a_proxy_stands_between_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    ahead = OpenedAhead(endpoint("https://remote.test/v1"))
    assert not ahead.is_useful
    await ahead.open()
    await ahead.aclose()
