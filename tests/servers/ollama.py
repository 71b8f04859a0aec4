"""An Ollama server whose every byte is under the test's control, for what the real one will not do on demand."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self


class Do(Enum):
    """What a script does beside sending bytes."""

    HANG = auto()  # say nothing more until the client goes away
    RESET = auto()  # break the connection with a TCP reset
    CLOSE = auto()  # close the connection, wherever the answer stands


Step = bytes | Do | asyncio.Event
"""Bytes are sent in a write of their own; an event is waited for."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def head(status: int = 200, content_type: str = "application/x-ndjson", **headers: str) -> bytes:
    """The head of a chunked answer; underscores in header names become hyphens."""
    fields = {"Content-Type": content_type, "Transfer-Encoding": "chunked", "Connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return b"".join(
        [f"HTTP/1.1 {status} X\r\n".encode(), *(f"{k}: {v}\r\n".encode() for k, v in fields.items()), b"\r\n"]
    )


def piece(data: bytes) -> bytes:
    """A chunk of a chunked body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


END = b"0\r\n\r\n"


def answer(
    status: int, body: bytes, content_type: str = "application/json; charset=utf-8", **headers: str
) -> list[Step]:
    """A whole answer that is not streamed."""
    return [head(status, content_type, **headers), *([piece(body)] if body else []), END]


def ok(value: object) -> list[Step]:
    return answer(200, json.dumps(value).encode())


def error(status: int, text: str, **more: str) -> list[Step]:
    """A refusal in Ollama's one shape."""
    return answer(status, json.dumps({"error": text, **more}).encode())


def line(content: str = "", **fields: object) -> bytes:
    """A line of an answer, as the server writes it."""
    message = {
        "role": "assistant",
        "content": content,
        **({"thinking": fields.pop("thinking")} if "thinking" in fields else {}),
    }
    value = {"model": "phi3.5", "created_at": "2026-11-21T00:00:00.1Z", "message": message, "done": False, **fields}
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def logprob(token: str, logprob: float, *top: float) -> dict[str, object]:
    """An element of ``logprobs``; the alternatives' texts are of no interest."""
    ranked = [{"token": "?", "logprob": value, "bytes": [63]} for value in top]
    read: dict[str, object] = {"token": token, "logprob": logprob, "bytes": list(token.encode())}
    return read | ({"top_logprobs": ranked} if top else {})


METRICS: dict[str, Any] = {
    "total_duration": 4_883_583_458,
    "load_duration": 1_334_875_000,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 342_546_000,
    "eval_count": 282,
    "eval_duration": 4_535_599_000,
}
DONE = line(done=True, done_reason="stop", **METRICS)


def streamed(*lines: bytes) -> list[Step]:
    """An answer that ends as it should; each line comes in a chunk of its own."""
    return [head(), *map(piece, lines), END]


TAG = {
    "name": "phi3.5:latest",
    "model": "phi3.5:latest",
    "modified_at": "2026-08-21T10:00:00.1+02:00",
    "size": 2_176_178_843,
    "digest": "61819fb370a3c1a9be6694869331e5f85f867a079e9271d66cb223acb81d04ba",
    "details": {
        "parent_model": "",
        "format": "gguf",
        "family": "phi3",
        "parameter_size": "3.8B",
        "quantization_level": "Q4_0",
    },
    "capabilities": ["completion"],
}
LOADED = TAG | {"expires_at": "2026-11-21T00:05:00Z", "size_vram": 1_000_000_000, "context_length": 4096}


class FakeOllama:
    """Answers each path by its script, records the requests, and tells when one comes and when a client goes away."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.client_left = asyncio.Event()
        self.arrived: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.scripts: dict[str, list[Step]] = {
            "/api/version": ok({"version": "0.32.15"}),
            "/api/tags": ok({"models": [TAG]}),
            "/api/ps": ok({"models": [LOADED]}),
            "/api/chat": streamed(line("Hel"), line("lo"), DONE),
        }
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._server.wait_closed()

    def chat(self, *steps: Step) -> None:
        """Answer the next chats with exactly these steps."""
        self.scripts["/api/chat"] = list(steps)

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                request = await _read(reader)
                self.requests.append(request)
                self.arrived[request.path].set()
                script = self.scripts.get(request.path) or answer(404, b"404 page not found", "text/plain")
                for step in script:
                    if await self._take(step, reader, writer):
                        return
        finally:
            self._running.discard(task)
            writer.close()

    async def _take(self, step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        match step:
            case bytes():
                writer.write(step)
                await writer.drain()
                await asyncio.sleep(0)  # let the client read it before the next one is written
                return False
            case asyncio.Event():
                await step.wait()
                return False
            case Do.HANG:
                with suppress(ConnectionError):
                    await reader.read()
                self.client_left.set()
            case Do.RESET:
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            case Do.CLOSE:
                pass
        return True


async def _read(reader: asyncio.StreamReader) -> Request:
    first, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
    return Request(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))
