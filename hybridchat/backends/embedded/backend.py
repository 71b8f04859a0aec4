"""The embedded engine: llama.cpp in a process of its own, which all hybridchat processes of a user share.

A native crash cannot take a conversation along, and a model is in memory once. See ``state`` for how the
processes find each other and ``server`` for the program.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hybridchat.backends.embedded.model import Served, check_engine, check_memory, choose
from hybridchat.backends.embedded.process import Detached, spawn
from hybridchat.backends.embedded.state import ServerFiles, ServerState, is_alive, stop_server
from hybridchat.backends.model_files.catalogue import readable_size
from hybridchat.backends.private_files import cannot_write
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart, Waiting
from hybridchat.config.settings import Auth, Endpoint, Kind
from hybridchat.errors import (
    BackendError,
    BadConfiguration,
    KeyRefused,
    ServerFailed,
    StreamBroken,
    StreamIncomplete,
    TimedOut,
    Unreachable,
)

if TYPE_CHECKING:
    from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend

IDLE_SECONDS = 600.0
"""A server ends after this time without use, unless the endpoint's ``keep_alive`` says otherwise."""

_LOOK_AGAIN = 0.05  # seconds between two looks at what another process does
_RENEWALS = 4  # of the lease, in the time after which it would run out


class EmbeddedBackend:
    """Answers from a GGUF file in ``models``; ``runtime`` is the private folder of the servers' files.

    ``endpoint.model`` is a name of the catalogue, ``hf:OWNER/REPO/FILE.gguf`` or a path; ``endpoint.url`` means
    nothing here. ``endpoint.keep_alive`` (``10m``, ``1h30m``, seconds; negative: for good) says how long a server
    stays after its last use.
    """

    def __init__(self, endpoint: Endpoint, *, models: Path, runtime: Path) -> None:
        self._endpoint = endpoint
        self._models = models
        self._runtime = runtime
        self._idle_seconds = max(_seconds(endpoint.keep_alive), 1.0)
        self._child: Detached | None = None
        self._connected: tuple[ServerState, OpenAICompatibleBackend] | None = None

    @property
    def endpoint(self) -> Endpoint:
        """The configuration that this backend was built from."""
        return self._endpoint

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        """Answer ``request``, starting the server if there is none; a server found unusable is replaced once."""
        served = choose(self._endpoint, self._models)
        check_engine()
        files = self._files(served)
        clock = asyncio.get_running_loop().time
        yield Accepted(served.name, served.digest, served.window, served.stand_in)
        begun, replaced, load_seconds = False, False, 0.0
        while True:
            state = await self._running(files)
            if state is None:
                yield Waiting(f"{served.title} is being loaded ({readable_size(served.size)})")
                since = clock()
                state = await self._loaded(files, served)
                load_seconds += clock() - since
            try:
                async with aclosing(self._answer(request, files, state, served)) as parts:
                    async for part in parts:
                        begun = begun or isinstance(part, Piece)
                        yield replace(part, load_seconds=load_seconds) if isinstance(part, Ended) else part
            except (BackendError, KeyRefused) as error:
                if isinstance(error, (Unreachable, KeyRefused)) and not (begun or replaced):
                    replaced = True
                    await asyncio.to_thread(stop_server, files, state)
                elif isinstance(error, (StreamBroken, StreamIncomplete, Unreachable)) and await _has_ended(state):
                    raise self._ended(files) from error
                else:
                    raise
            else:
                return

    def body(self, request: ChatRequest) -> bytes:
        """Return the exact request body that ``stream`` would send."""
        served = choose(self._endpoint, self._models)
        return self._client(served, port=0, key="").body(request)

    async def stop(self) -> bool:
        """End the server, for all processes; return whether there was one."""
        return await asyncio.to_thread(stop_server, self._files(choose(self._endpoint, self._models)))

    async def aclose(self) -> None:
        """Close all connections. The server stays, until it has been idle for long enough."""
        if self._connected:
            await self._connected[1].aclose()
            self._connected = None

    def _files(self, served: Served) -> ServerFiles:
        return ServerFiles.of(self._runtime, served.name, served.path, served.window)

    def _client(self, served: Served, port: int, key: str) -> OpenAICompatibleBackend:
        from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend  # noqa: PLC0415 - brings httpx

        url = f"http://127.0.0.1:{port}/v1"
        endpoint = replace(self._endpoint, kind=Kind.OPENAI, url=url, model=served.name, auth=Auth.BEARER, headers=())
        return OpenAICompatibleBackend(endpoint, key)

    async def _answer(
        self, request: ChatRequest, files: ServerFiles, state: ServerState, served: Served
    ) -> AsyncGenerator[StreamPart, None]:
        server = await self._server(state, served)
        async with self._in_use(files), aclosing(server.stream(request)) as parts:
            async for part in parts:
                if not isinstance(part, Accepted):
                    yield part

    async def _server(self, state: ServerState, served: Served) -> OpenAICompatibleBackend:
        if self._connected is None or self._connected[0] != state:
            await self.aclose()
            self._connected = state, self._client(served, state.port, state.key)
        return self._connected[1]

    async def _running(self, files: ServerFiles) -> ServerState | None:
        """Return the server if it is loaded, with a lease taken out on it."""
        async with _locked(files):
            state = files.read()
            files.renew_lease()
        return state if state and state.port else None

    async def _loaded(self, files: ServerFiles, served: Served) -> ServerState:
        """Start the server unless somebody just did, and wait until it is loaded."""
        try:
            async with asyncio.timeout(self._endpoint.first_token_timeout):
                async with _locked(files):
                    state = files.read() or await self._start(files, served)
                while state.port == 0:
                    await asyncio.sleep(_LOOK_AGAIN)
                    if not ((found := files.read()) and found.pid == state.pid):
                        raise self._failed(files)
                    state = found
                    files.renew_lease()
                return state
        except TimeoutError as error:
            raise TimedOut(
                f"{served.title} was not loaded within {self._endpoint.first_token_timeout:g} s",
                endpoint=self._endpoint.name,
                hint="It goes on loading: ask again in a while.",
            ) from error

    async def _start(self, files: ServerFiles, served: Served) -> ServerState:
        check_memory(served, self._endpoint)
        files.forget()
        files.renew_lease()
        self._child = spawn(files, served, self._idle_seconds)
        while (state := files.read()) is None:
            if self._child.poll() is not None:
                raise self._failed(files)
            await asyncio.sleep(_LOOK_AGAIN)
        return state

    def _ended(self, files: ServerFiles) -> StreamBroken:
        return StreamBroken(
            f"the embedded engine's process ended in the middle of its work{_because(files.complaints()[-1:])}",
            endpoint=self._endpoint.name,
            hint=f"Ask again: it is started anew. Its log is {files.log}.",
        )

    def _failed(self, files: ServerFiles) -> ServerFailed:
        return ServerFailed(
            f"the embedded engine could not load the model{_because(files.complaints()[:1])}",
            endpoint=self._endpoint.name,
            hint=f"Its log is {files.log}. A damaged file is mended by `hybridchat models remove` and `pull`.",
        )

    @asynccontextmanager
    async def _in_use(self, files: ServerFiles) -> AsyncIterator[None]:
        """Keep the lease alive for as long as an answer is under way, however long its first token takes."""

        async def renew() -> None:
            while True:
                files.renew_lease()
                await asyncio.sleep(min(self._idle_seconds / _RENEWALS, 30.0))

        renewal = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewal.cancel()
            with suppress(asyncio.CancelledError):
                await renewal
            files.renew_lease()


async def _has_ended(state: ServerState) -> bool:
    """Return whether the server's process is gone: it closes its connections a moment before."""
    for _ in range(10):
        if not is_alive(state):
            return True
        await asyncio.sleep(_LOOK_AGAIN)
    return False


@asynccontextmanager
async def _locked(files: ServerFiles) -> AsyncIterator[None]:
    from filelock import Timeout  # noqa: PLC0415 - as in ``state``

    lock = files.lock()
    try:
        while True:
            with suppress(Timeout):
                lock.acquire(timeout=0)
                break
            await asyncio.sleep(_LOOK_AGAIN)
    except OSError as error:
        raise cannot_write(files.folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _because(complaint: list[str]) -> str:
    return "".join(f": {line}" for line in complaint)


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(keep_alive: str | None) -> float:
    """Read a duration as Ollama writes it. Raises ``BadConfiguration``."""
    if not keep_alive:
        return IDLE_SECONDS
    text = keep_alive.strip().lower()
    with suppress(ValueError):
        seconds = float(text)
        return seconds if seconds >= 0 else float("inf")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text.removeprefix("-"))
    if "".join(number + unit for number, unit in parts) != text.removeprefix("-") or not parts:
        raise BadConfiguration(f"keep_alive is {keep_alive!r}", hint="Write a duration such as 10m, 1h30m or 90s.")
    if text.startswith("-"):
        return float("inf")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
