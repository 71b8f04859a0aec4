"""A scriptable OpenAI-compatible server: raw bytes on loopback, for what a real one will not do on demand.

Each request takes the next answer of the script, a list of steps: bytes to send as they are, or one of ``RESET``,
``HOLD`` and ``CUT``. The requests are recorded.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Act(Enum):
    """What is done between bytes, or instead of them."""

    RESET = "reset"  # abort the connection
    HOLD = "hold"  # send nothing more until the client goes away
    CUT = "cut"  # close, although the announced body is not whole


RESET, HOLD, CUT = Act.RESET, Act.HOLD, Act.CUT

Answer = Sequence[bytes | Act]


@dataclass
class Request:
    """A request as it came: header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class FakeServer:
    """A running server. ``chat`` answers are used up in order; ``pages`` answer any other path, else 404."""

    url: str
    chat: list[Answer] = field(default_factory=list)
    pages: dict[str, Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    client_left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def chats(self) -> list[Request]:
        """The requests for an answer, without those for lists and properties."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]


@asynccontextmanager
async def run_fake_server() -> AsyncIterator[FakeServer]:
    open_connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections[writer] = asyncio.current_task()
        try:
            while (request := await _read_request(reader)) is not None:
                fake.requests.append(request)
                is_chat = request.path.endswith("/chat/completions")
                answer = (
                    fake.chat.pop(0) if is_chat else fake.pages.get(request.path, refuse(404, {"error": "no page"}))
                )
                if not await _play(answer, reader, writer, fake.client_left):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            fake.client_left.set()
        finally:
            writer.close()
            del open_connections[writer]

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    fake = FakeServer(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    try:
        yield fake
    finally:
        server.close()
        left = [task for task in open_connections.values() if task is not None]
        for writer in open_connections:
            writer.transport.abort()
        await asyncio.gather(*left)
        await server.wait_closed()


def stream(*events: object, done: bool = True, space: bool = True, end: bytes = b"\n\n") -> Answer:
    """Answer with server-sent events, each an object to be written as JSON, or bytes to be sent as they are."""
    field_name = b"data: " if space else b"data:"
    written = [event if isinstance(event, bytes) else field_name + _json(event) + end for event in events]
    last = [field_name + b"[DONE]" + end] if done else []
    return [head(200, "text/event-stream"), *(chunked(part) for part in [*written, *last]), b"0\r\n\r\n"]


def refuse(
    status: int, body: object = b"", *, headers: str = "", kind: str = "application/json", whole: bool = True
) -> Answer:
    """Answer with an error; ``whole`` false sends the body in chunks, without a length."""
    data = body if isinstance(body, bytes) else _json(body)
    if whole:
        return [head(status, kind, f"Content-Length: {len(data)}\r\n{headers}") + data]
    halves = (data[: len(data) // 2], data[len(data) // 2 :])
    parts = [chunked(half) for half in halves if half]
    return [head(status, kind, f"Transfer-Encoding: chunked\r\n{headers}"), *parts, b"0\r\n\r\n"]


def head(status: int, kind: str, headers: str = "Transfer-Encoding: chunked\r\n") -> bytes:
    return f"HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\n{headers}\r\n".encode()


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def delta(
    content: str | None = None, *, finish: str | None = None, logprobs: Sequence[Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A chunk as OpenAI writes it; ``more`` goes into the delta."""
    choice: dict[str, Any] = {"index": 0, "delta": {"content": content, **more}, "finish_reason": finish}
    choice["logprobs"] = None if logprobs is None else {"content": logprobs}
    return {"id": "1", "object": "chat.completion.chunk", "model": "served", "choices": [choice], "usage": None}


def usage(prompt: int, completion: int) -> dict[str, Any]:
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {"id": "1", "object": "chat.completion.chunk", "model": "served", "choices": [], "usage": counts}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *rest = text.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


async def _play(
    answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client_left: asyncio.Event
) -> bool:
    """Send an answer; tell whether the connection can be used again."""
    for step in answer:
        match step:
            case bytes():
                writer.write(step)
                await writer.drain()
            case Act.RESET:
                linger = struct.pack("ii", 1, 0)  # closing with a linger time of 0 sends RST
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
            case Act.CUT:
                return False
            case Act.HOLD:
                await reader.read()
                client_left.set()
                return False
    return True
