"""One HTTP client per endpoint, streamed answers under time limits, and transport failures in our own words.

httpx knows one read timeout; a model needs two: long until the first token, since it may have to be loaded, and
short between tokens. Both are therefore kept here, around each read.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

import httpx

from hybridchat.backends.loopback import is_loopback
from hybridchat.backends.transport.lines import LineTooLong, events, lines
from hybridchat.backends.transport.proxy import may_use_proxy
from hybridchat.config.settings import Endpoint
from hybridchat.errors import BadConfiguration, StreamBroken, TimedOut, Unreachable

__all__ = [
    "Phase",
    "StreamedAnswer",
    "is_loopback",
    "new_client",
    "open_stream",
    "place_of",
    "translated",
    "verification",
]

_MAX_BODY = 1024 * 1024
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Phase(StrEnum):
    """What a call is waiting for."""

    ANSWER = "an answer"  # to a short question that no model is needed for
    FIRST_TOKEN = "the first token"  # noqa: S105 - no password
    NEXT_TOKEN = "the next token"  # noqa: S105 - no password


def place_of(url: str) -> str:
    """Return scheme, host and port of ``url``, for people: without user name, password, path and query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def new_client(
    endpoint: Endpoint, headers: Mapping[str, str] = _NO_HEADERS, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """Return a client for ``endpoint`` that follows no redirect, and uses a proxy only for TLS to other machines.

    ``transport`` takes the place of httpx's own, with its proxies; it is None where one may be needed.

    It has no read timeout: ``open_stream`` or the caller sets one. Raises ``BadConfiguration`` for a URL or a header
    that cannot be sent.
    """
    _check_url(endpoint)
    sent = {"User-Agent": "hybridchat", "Accept-Encoding": "identity", **dict(endpoint.headers), **headers}
    for name, value in sent.items():
        _check_header(endpoint, name, value)
    return httpx.AsyncClient(
        headers=sent,
        transport=transport,
        verify=verification(endpoint.url),
        trust_env=may_use_proxy(endpoint.url),
        follow_redirects=False,
        timeout=httpx.Timeout(
            connect=endpoint.connect_timeout, read=None, write=endpoint.stall_timeout, pool=endpoint.connect_timeout
        ),
    )


def verification(url: str) -> ssl.SSLContext | bool:
    """Return what httpx shall verify certificates with.

    Reading the trusted ones takes 40-100 ms, so plain HTTP does without. It gets a context that trusts nobody:
    even so nothing could be reached over TLS unverified.
    """
    return True if url.lower().startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class StreamedAnswer:
    """An answer whose headers have come; its body is read under the endpoint's time limits."""

    def __init__(self, response: httpx.Response, endpoint: Endpoint, deadline: float) -> None:
        self.response = response
        self._endpoint = endpoint
        self._first_token_by = deadline
        self._phase = Phase.FIRST_TOKEN

    def first_token_came(self) -> None:
        """From now on the limit between two tokens counts. Role-only chunks and keep-alives do not call this."""
        self._phase = Phase.NEXT_TOKEN

    async def body(self) -> bytes:
        """Read the body of an error, at most a mebibyte of it."""
        read = bytearray()
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                read += chunk
                if len(read) >= _MAX_BODY:
                    break
        return bytes(read[:_MAX_BODY])

    def lines(self) -> AsyncGenerator[bytes]:
        """Yield the lines of an NDJSON body. Close it, or let it end."""
        return self._cut(lines)

    def events(self) -> AsyncGenerator[bytes]:
        """Yield the payloads of a body of server-sent events. Close it, or let it end."""
        return self._cut(events)

    async def _cut(self, cut: Callable[[AsyncIterator[bytes]], AsyncGenerator[bytes]]) -> AsyncGenerator[bytes]:
        async with aclosing(self._chunks()) as chunks, aclosing(cut(chunks)) as pieces:
            try:
                async for piece in pieces:
                    yield piece
            except LineTooLong as error:
                raise StreamBroken(f"{self._endpoint.name} sent {error}", endpoint=self._endpoint.name) from error

    async def _chunks(self) -> AsyncGenerator[bytes]:
        clock = asyncio.get_running_loop().time
        async with aclosing(self.response.aiter_bytes()) as received:  # type: ignore[type-var]  # declared too loosely
            while True:
                waiting_for = self._phase
                stalled_at = clock() + self._endpoint.stall_timeout
                limit = stalled_at if waiting_for is Phase.NEXT_TOKEN else self._first_token_by
                with translated(self._endpoint, waiting_for):
                    async with asyncio.timeout_at(limit):
                        try:
                            chunk = await anext(received)
                        except StopAsyncIteration:
                            return
                yield chunk


@asynccontextmanager
async def open_stream(
    client: httpx.AsyncClient, request: httpx.Request, endpoint: Endpoint, hint: str = ""
) -> AsyncGenerator[StreamedAnswer]:
    """Send ``request`` and give its answer once the headers are there; leaving closes the connection.

    ``hint`` says what to do where the server cannot be reached. Raises ``Unreachable``, ``TimedOut``,
    ``StreamBroken``.
    """
    deadline = asyncio.get_running_loop().time() + endpoint.first_token_timeout
    with translated(endpoint, Phase.FIRST_TOKEN, hint):
        async with asyncio.timeout_at(deadline):
            response = await client.send(request, stream=True)
    try:
        yield StreamedAnswer(response, endpoint, deadline)
    finally:
        await response.aclose()


@contextmanager
def translated(endpoint: Endpoint, phase: Phase, hint: str = "") -> Iterator[None]:
    """Turn failures of the transport, and ``TimeoutError``, into ``Unreachable``, ``TimedOut`` or ``StreamBroken``.

    No message repeats a header, so none can hold a key.
    """
    name, place = endpoint.name, place_of(endpoint.url)
    try:
        yield
    except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        message = f"{name} did not accept a connection at {place} within {endpoint.connect_timeout:g} s"
        raise TimedOut(message, endpoint=name, hint=hint) from error
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TimedOut(_waited(endpoint, phase), endpoint=name, hint=_patience(phase)) from error
    except (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
        message = f"{name} cannot be reached at {place}: {_reason(error)}"
        raise Unreachable(message, endpoint=name, hint=hint) from error
    except httpx.HTTPError as error:
        if phase is Phase.ANSWER:
            message = f"{name} at {place} closed the connection without an answer"
            raise Unreachable(message, endpoint=name, hint=hint) from error
        message = f"the connection to {name} broke while waiting for {phase}"
        raise StreamBroken(message, endpoint=name, hint="Ask again, or see the server's own log.") from error


def _waited(endpoint: Endpoint, phase: Phase) -> str:
    match phase:
        case Phase.ANSWER:
            return f"{endpoint.name} accepted the connection but did not answer in time"
        case Phase.FIRST_TOKEN:
            return f"{endpoint.name} sent no first token within {endpoint.first_token_timeout:g} s"
        case Phase.NEXT_TOKEN:
            return f"{endpoint.name} stalled: nothing came for {endpoint.stall_timeout:g} s"


def _patience(phase: Phase) -> str:
    if phase is Phase.FIRST_TOKEN:
        return "The model may still be loading, or the server busy: ask again, or raise first_token_timeout."
    return "See the server's own log, or ask again."


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "nothing is listening there"),
    (socket.gaierror, "the host name is unknown"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "the TLS handshake failed"),
    (httpx.ProxyError, "the proxy refused"),
    (httpx.UnsupportedProtocol, "the URL must begin with http:// or https://"),
)


def _reason(error: BaseException) -> str:
    """Name the cause from the chain of exceptions; httpx itself only says that all attempts failed."""
    cause: BaseException | None = error
    while cause is not None:
        for kind, reason in _REASONS:
            if isinstance(cause, kind):
                return reason
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return "the connection failed"


def _check_url(endpoint: Endpoint) -> None:
    hint = "Write it like http://127.0.0.1:11434."
    try:
        url, port = httpx.URL(endpoint.url), urlsplit(endpoint.url).port  # httpx does not mind a port beyond 65535
    except (httpx.InvalidURL, ValueError) as error:
        raise BadConfiguration(f"the URL of {endpoint.name} cannot be read: {error}", hint=hint) from error
    if url.scheme not in {"http", "https"} or not url.host or port == 0:
        raise BadConfiguration(f"the URL of {endpoint.name} needs http:// or https:// and a host", hint=hint)


def _check_header(endpoint: Endpoint, name: str, value: str) -> None:
    """Refuse what h11 would refuse, whose message shows the value, which may be a key."""
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        message = f"the header {name} for {endpoint.name} has characters that cannot be sent"
        raise BadConfiguration(message, hint="A key must be one line of plain ASCII: enter it again.")
