"""A connection that is opened before there is anything to send: TCP and TLS, and not a byte of a request or a key."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from hybridchat.backends.transport.http import Phase, translated, verification
from hybridchat.backends.transport.proxy import proxy_of
from hybridchat.config.settings import Endpoint

KEPT = 30.0
"""Seconds that an opened connection waits to be used; servers close idle ones after a while."""

KEEP_ALIVE = 5.0
"""Seconds that a used connection waits for the next request, as in httpx."""

_A_MOMENT = 0.005  # seconds


class OpenedAhead(httpcore.AsyncNetworkBackend):
    """What a client of one endpoint opens its connections with: it hands out the one that was opened ahead first."""

    def __init__(self, endpoint: Endpoint) -> None:
        parts = urlsplit(endpoint.url)
        self._endpoint = endpoint
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._network = httpcore.AnyIOBackend()
        self._verification: ssl.SSLContext | None = None
        self._ready: httpcore.AsyncNetworkStream | None = None
        self._opened_at = 0.0
        self._opening = asyncio.Lock()

    @property
    def is_useful(self) -> bool:
        """Whether a connection may be opened ahead: not where a proxy stands between."""
        return not proxy_of(self._endpoint.url)

    @property
    def verification(self) -> ssl.SSLContext:
        """What the server's certificate is verified with; made once."""
        if self._verification is None:
            self._verification = httpx.create_ssl_context(verify=verification(self._endpoint.url))
        return self._verification

    async def open(self) -> None:
        """Open the connection, unless one is open and unused. Raises ``Unreachable`` and ``TimedOut``."""
        async with self._opening:
            if not self.is_useful or await self._fresh() is not None:
                return
            await self._discard()
            with translated(self._endpoint, Phase.ANSWER):
                async with asyncio.timeout(self._endpoint.connect_timeout):
                    self._ready = await self._opened()
            self._opened_at = asyncio.get_running_loop().time()

    async def aclose(self) -> None:
        """Close what was opened and not used."""
        await self._discard()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return the connection that was opened ahead, waiting for it if it is just being opened; else a new one."""
        async with self._opening:
            ready = await self._fresh() if (host, port) == (self._host, self._port) else None
            if ready is not None:
                self._ready = None
                return ready
        return await self._network.connect_tcp(host, port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Refuse: no endpoint is one."""
        raise httpcore.ConnectError("no endpoint is a Unix socket")

    async def sleep(self, seconds: float) -> None:
        """Wait, between two attempts."""
        await self._network.sleep(seconds)

    async def _opened(self) -> httpcore.AsyncNetworkStream:
        if self._secure:  # before the connection, which must not wait for it: reading trusted certificates takes long
            context = await asyncio.to_thread(lambda: self.verification)
            context.set_alpn_protocols(["http/1.1"])
        try:
            stream = await self._network.connect_tcp(self._host, self._port)
            return _Secured(await self._shaken_hands(stream, context)) if self._secure else stream
        except httpcore.ConnectError as error:
            raise httpx.ConnectError(str(error)) from error

    async def _shaken_hands(
        self, stream: httpcore.AsyncNetworkStream, context: ssl.SSLContext
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await stream.start_tls(context, self._host)
        except BaseException:  # one that is given up must not leave its connection behind
            await stream.aclose()
            raise

    async def _fresh(self) -> httpcore.AsyncNetworkStream | None:
        """Return the unused connection, if the server has not closed it and it is not too old."""
        ready = self._ready
        if ready is None or asyncio.get_running_loop().time() - self._opened_at >= KEPT:
            return None
        if not ready.get_extra_info("is_readable"):
            return ready
        try:  # something came: what TLS sends of its own (session tickets), or the end of the connection
            await ready.read(1, timeout=_A_MOMENT)
        except httpcore.ReadTimeout:
            return ready
        except httpcore.NetworkError:
            return None
        return None

    async def _discard(self) -> None:
        ready, self._ready = self._ready, None
        if ready is not None:
            await ready.aclose()


class _Secured(httpcore.AsyncNetworkStream):
    """A stream on which TLS has been agreed already."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the same
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        return self._stream

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class TransportAhead(httpx.AsyncHTTPTransport):
    """httpx's own transport, on a network of ours; httpx has no public way to give it one."""

    def __init__(self, network: OpenedAhead) -> None:
        super().__init__(verify=network.verification, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=network.verification, keepalive_expiry=KEEP_ALIVE, network_backend=network
        )
