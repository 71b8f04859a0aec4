"""A tiny Ollama on loopback, in a process of its own so that its work is not counted."""

from __future__ import annotations

import json
import multiprocessing
import socketserver
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

MODEL = "phi3.5:latest"
CHAT = "/api/chat"


def chat_lines(tokens: int) -> list[bytes]:
    """Return an answer of ``tokens`` tokens, a line each, with ten alternatives a token, as Ollama >= 0.12.11 does."""
    top = [{"token": f" t{i}", "logprob": -0.05 - 0.7 * i, "bytes": [32, 116, 48 + i]} for i in range(10)]
    lines = []
    for number in range(tokens):
        text = f" word{number % 97}"
        message = {"role": "assistant", "content": text}
        logprob = {"token": text, "logprob": -0.05, "bytes": list(text.encode()), "top_logprobs": top}
        lines.append({"model": MODEL, "message": message, "done": False, "logprobs": [logprob]})
    end = {"model": MODEL, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    lines.append({**end, "prompt_eval_count": 12, "eval_count": tokens, "load_duration": 1_000_000})
    return [json.dumps(line).encode() + b"\n" for line in lines]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: list[bytes]
    rate: float
    first_byte: Connection

    def handle_one_request(self) -> None:
        self.rfile.peek(1)  # type: ignore[attr-defined]  # a buffered reader has it
        self.arrived = time.monotonic()
        super().handle_one_request()

    def do_GET(self) -> None:
        self.first_byte.send((self.path, self.arrived))
        models = [{"name": MODEL, "model": MODEL, "digest": "d" * 64, "size": 1, "details": {}}]
        self._reply([json.dumps({"models": models}).encode()], "application/json")

    def do_POST(self) -> None:
        self.first_byte.send((self.path, self.arrived))
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.rate:
            self._reply(self.answer, "application/x-ndjson", 1 / self.rate)
        else:
            self._reply([b"".join(self.answer)], "application/x-ndjson")

    def _reply(self, body: list[bytes], kind: str, pause: float = 0) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(sum(map(len, body))))
        self.end_headers()
        for part in body:
            self.wfile.write(part)
            time.sleep(pause)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it so
        """Say nothing."""


def _serve(tokens: int, rate: float, ready: Connection, first_byte: Connection) -> None:
    _Handler.answer = chat_lines(tokens)
    _Handler.rate = rate
    _Handler.first_byte = first_byte
    socketserver.TCPServer.request_queue_size = 64
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    ready.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def ollama(tokens: int, rate: float = 0) -> Iterator[tuple[str, Connection]]:
    """Run the server; yield its URL, and what tells each request's path and the monotonic time of its first byte.

    It sends ``rate`` tokens a second, or all of them at once.
    """
    context = multiprocessing.get_context("spawn")
    ready, ready_there = context.Pipe(duplex=False)
    first_byte, first_byte_there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(tokens, rate, ready_there, first_byte_there), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ready.recv()}", first_byte
    finally:
        process.terminate()
        process.join()
