from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.backends.transport.http import Phase, new_client, open_stream, place_of, translated, verification
from hybridchat.backends.transport.proxy import proxy_of
from hybridchat.backends.transport.server_text import MAX_CHARACTERS, retry_after, server_text
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import BadConfiguration, StreamBroken, TimedOut, Unreachable
from hybridchat.messages import Place
from tests.servers.ollama import END, Do, FakeOllama, answer, head, piece


@pytest.fixture
async def server() -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as fake:
        yield fake


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that the next one is never accepted."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(8):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.append(client)
        yield port
        for client in waiting:
            client.close()


def at(url: str, **fields: Any) -> Endpoint:
    return Endpoint("there", Kind.OPENAI, url, "m", Place.REMOTE, **fields)


async def read(endpoint: Endpoint, *, hint: str = "") -> bytes:
    async with new_client(endpoint) as client:
        request = client.build_request("POST", endpoint.url + "/api/chat", content=b"{}")
        async with open_stream(client, request, endpoint, hint) as streamed:
            return await streamed.body()


# The client


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:1",
        "localhost",
        "ftp://h",
        "http://",
        "http:///x",
        "http://[::1",
        "http://h:99999",
        "http://h:0",
        "http://a\nb",
    ],
)
def test_an_impossible_url_is_a_bad_configuration(url: str) -> None:
    with pytest.raises(BadConfiguration, match="URL of there"):
        new_client(at(url))


@pytest.mark.parametrize("value", ["Bearer hunter2\n", "Bearer hunter2\u2019", " hunter2", "hunter2\x1b[0m"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(BadConfiguration, match="Authorization") as caught:
        new_client(at("http://h"), {"Authorization": value})
    assert "hunter2" not in str(caught.value) + caught.value.hint


async def test_headers_of_the_endpoint_and_of_the_caller_are_sent(server: FakeOllama) -> None:
    endpoint = at(server.url, headers=(("X-One", "1"), ("X-Two", "2")))
    async with new_client(endpoint, {"X-Two": "3"}) as client:
        await client.get(server.url + "/api/version")
    sent = server.requests[0].headers
    assert (sent["x-one"], sent["x-two"], sent["accept-encoding"]) == ("1", "3", "identity")
    assert sent["user-agent"] == "hybridchat"


async def test_redirects_are_not_followed(server: FakeOllama) -> None:
    async with FakeOllama() as elsewhere:
        server.chat(*answer(307, b"", Location=elsewhere.url + "/api/chat"))
        await read(at(server.url))
        assert not elsewhere.requests


async def test_a_proxy_is_used_for_tls_to_other_machines_only(
    server: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, server.url)
    async with new_client(at("https://model.example")) as client:
        with pytest.raises(httpx.ProxyError):
            await client.get("https://model.example/api/version")
    assert [(request.method, request.path) for request in server.requests] == [("CONNECT", "model.example:443")]
    async with FakeOllama() as near, new_client(at(near.url)) as client:
        await client.get(near.url + "/api/version")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://a.example/v1", {"HTTPS_PROXY": "http://me:secret@proxy.example:3128"}, "proxy.example:3128"),
        ("https://a.example/v1", {"ALL_PROXY": "socks5://p.example:1080"}, "p.example:1080"),
        ("https://a.example/v1", {"https_proxy": "p.example:3128"}, "p.example:3128"),
        ("https://a.example/v1", {"HTTPS_PROXY": "http://p.example", "NO_PROXY": ".example"}, ""),
        ("https://a.example/v1", {"HTTP_PROXY": "http://p.example"}, ""),
        ("http://a.example/v1", {"HTTP_PROXY": "http://p.example", "ALL_PROXY": "http://p.example"}, ""),
        ("https://localhost/v1", {"HTTPS_PROXY": "http://p.example"}, ""),
        ("https://a.example/v1", {}, ""),
    ],
)
def test_the_proxy_on_the_way_is_known(
    monkeypatch: pytest.MonkeyPatch, url: str, environ: dict[str, str], proxy: str
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(url) == proxy


def test_plain_http_reads_no_certificates_and_trusts_nobody() -> None:
    context = verification("http://h")
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname, context.get_ca_certs()) == (ssl.CERT_REQUIRED, True, [])
    assert verification("HTTPS://h") is True


# What goes wrong


async def test_a_refused_connection_says_that_nothing_is_listening(unused_tcp_port: int) -> None:
    with pytest.raises(Unreachable, match="nothing is listening") as caught:
        await read(at(f"http://127.0.0.1:{unused_tcp_port}"), hint="start it")
    assert caught.value.hint == "start it"
    assert caught.value.endpoint == "there"
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


async def test_a_connection_that_is_never_accepted_times_out(full_port: int) -> None:
    with pytest.raises(TimedOut, match=r"did not accept a connection .* within 0.1 s"):
        await read(at(f"http://127.0.0.1:{full_port}", connect_timeout=0.1))


async def test_tls_to_a_server_without_it_is_unreachable() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 X\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="TLS handshake failed"):
            await read(at(f"https://127.0.0.1:{port}"))


async def test_a_proxy_that_refuses_is_unreachable(server: FakeOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    with pytest.raises(Unreachable, match="the proxy refused"):
        await read(at("https://model.example"))


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the host name is unknown"),
        (ssl.SSLCertVerificationError(1, "self-signed"), "its certificate is not trusted"),
        (OSError(101, "Network is unreachable"), "Network is unreachable"),
        (ValueError("?"), "the connection failed"),
    ],
)
def test_the_reason_is_found_behind_what_httpx_says(cause: Exception, reason: str) -> None:
    error = httpx.ConnectError("All connection attempts failed")
    error.__context__ = cause
    with pytest.raises(Unreachable, match=reason), translated(at("http://h"), Phase.FIRST_TOKEN):
        raise error


def test_a_request_to_another_scheme_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="http://"), translated(at("http://h"), Phase.ANSWER):
        raise httpx.UnsupportedProtocol("")


def test_other_exceptions_are_left_alone() -> None:
    with pytest.raises(KeyError), translated(at("http://h"), Phase.ANSWER):
        raise KeyError


@pytest.mark.parametrize("url", ["http://user:hunter2@h:1/x?key=hunter2", "http://hunter2@[::1"])
def test_a_url_is_shown_without_its_secrets(url: str) -> None:
    assert "hunter2" not in place_of(url)


# Streams


async def test_a_body_that_cannot_be_decompressed_is_broken(server: FakeOllama) -> None:
    server.chat(head(Content_Encoding="gzip"), piece(b"no gzip"), END)
    with pytest.raises(StreamBroken):
        await read(at(server.url))


async def test_a_line_without_end_is_broken(server: FakeOllama) -> None:
    endpoint = at(server.url)
    server.chat(head(), *[piece(b"x" * 2**20)] * 17, Do.HANG)
    async with new_client(endpoint) as client:
        request = client.build_request("POST", server.url + "/api/chat")
        async with open_stream(client, request, endpoint) as streamed, aclosing(streamed.lines()) as lines:
            with pytest.raises(StreamBroken, match="a line of more than"):
                await anext(lines)


async def test_events_come_from_a_stream_of_them(server: FakeOllama) -> None:
    endpoint = at(server.url)
    server.chat(head(200, "text/event-stream"), piece(b"data: a\n"), piece(b"\ndata:b\n\n"), END)
    async with new_client(endpoint) as client:
        request = client.build_request("POST", server.url + "/api/chat")
        async with open_stream(client, request, endpoint) as streamed, aclosing(streamed.events()) as events:
            assert [event async for event in events] == [b"a", b"b"]


async def test_leaving_the_stream_early_closes_the_connection(server: FakeOllama) -> None:
    endpoint = at(server.url)
    server.chat(head(), piece(b"a\n"), Do.HANG)
    async with new_client(endpoint) as client:
        request = client.build_request("POST", server.url + "/api/chat")
        async with open_stream(client, request, endpoint) as streamed, aclosing(streamed.lines()) as lines:
            assert await anext(lines) == b"a"
        await server.client_left.wait()


# What servers say


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b'{"error":"gone"}', "gone"),
        (b'{"error":{"message":"deep","type":"x"}}', "deep"),
        (b'{"error":"{\\"error\\":{\\"message\\":\\"deeper\\"}}"}', "deeper"),
        (b'{"error":"prefix: {\\"message\\":\\"inner\\"}"}', "inner"),
        (b'{"error":"use {name} here"}', "use {name} here"),
        (b'{"title":"Gone","status":410}', "Gone"),
        (b'{"code":3}', '{"code":3}'),
        (b"two\n lines", "two lines"),
        (b" <html>secret</html>", ""),
        (b"\xff!", "\ufffd!"),
        (b'{"a":' * 100_000, ('{"a":' * 60)[:299] + "…"),
    ],
)
def test_an_error_body_gives_one_readable_line(body: bytes, text: str) -> None:
    assert server_text(body) == text


@given(st.binary() | st.text().map(str.encode))
def test_any_error_body_gives_one_short_line(body: bytes) -> None:
    text = server_text(body)
    assert len(text) <= MAX_CHARACTERS
    assert not set(text) & {"\n", "\r", "\x1b", "\u2028"}


@given(st.text())
def test_any_waiting_time_can_be_read(value: str) -> None:
    seconds = retry_after(value)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), (" 3 ", 3.0), ("1.5", 1.5), ("-1", None), ("x", None), ("Mon, 1 Jan 9999999999999 1:1:1 GMT", None)],
)
def test_a_waiting_time_is_seconds_or_nothing(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_a_waiting_time_may_be_a_date_without_a_zone() -> None:
    assert retry_after("Thu, 01 Jan 1970 00:00:00 -0000") == 0.0


def test_asking_whether_a_url_is_loopback_imports_no_http_client() -> None:
    code = "import sys, hybridchat.backends.loopback, hybridchat.backends.ollama.address; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
