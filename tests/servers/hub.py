"""A small Hub on loopback: metadata, a redirect to a second host for the bytes, ranges, and faults on demand.

It answers as the Hub does for a file in large file storage: ``HEAD`` and ``GET`` on
``/OWNER/REPO/resolve/REVISION/FILE`` give 302 with ``X-Linked-Etag`` (the SHA-256), ``X-Linked-Size`` and
``X-Repo-Commit``; the place redirected to knows ``Range``.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


@dataclass(frozen=True)
class Received:
    """A request as it came in; ``headers`` have lower-case names."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Hub:
    """What is stored, and what goes wrong.

    ``files`` maps ``OWNER/REPO/FILE`` to content. ``cuts`` are numbers of bytes after which the connection of one
    download each breaks. ``refusal`` is a status and an ``X-Error-Code`` for the metadata. ``served`` is what is sent
    in place of the content whose checksum is stated. ``started`` is set when bytes begin to flow; they go on past the
    first only when ``may_go_on`` is set.
    """

    url: str = ""
    storage_url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    always_cut: bool = False
    knows_ranges: bool = True
    refusal: tuple[int, str] | None = None
    served: bytes | None = None
    storage_status: int | None = None
    received: list[Received] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def downloads(self) -> list[Received]:
        """Return the requests that reached the storage."""
        return [request for request in self.received if request.path.startswith("/storage/")]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: ClassVar[Hub]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        pass

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.received.append(Received(self.command, self.path, headers))
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", self.path):
            self._describe(f"{found[1]}/{found[2]}")
        elif self.path.startswith("/storage/"):
            self._send(self.path.removeprefix("/storage/"))
        else:
            self._status(404)

    def _describe(self, name: str) -> None:
        content = self.hub.files.get(name)
        if self.hub.refusal:
            self._status(self.hub.refusal[0], {"X-Error-Code": self.hub.refusal[1]})
        elif content is None:
            self._status(404, {"X-Error-Code": "EntryNotFound"})
        else:
            etag = self.hub.etags.get(name) or hashlib.sha256(content).hexdigest()
            self._status(
                302,
                {
                    "X-Repo-Commit": "0" * 40,
                    "X-Linked-Etag": f'"{etag}"',
                    "X-Linked-Size": str(len(content)),
                    "Location": f"{self.hub.storage_url}/storage/{name}",
                },
            )

    def _send(self, name: str) -> None:
        if self.hub.storage_status:
            self._status(self.hub.storage_status)
            return
        content = self.hub.files[name] if self.hub.served is None else self.hub.served
        start = 0
        if self.hub.knows_ranges and (asked := self.headers.get("Range")):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self._status(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        cut = self.hub.cuts.pop(0) if self.hub.cuts else None
        if self.hub.always_cut:
            cut = 0
        self.wfile.write(content[start : start + 1])
        self.hub.started.set()
        self.hub.may_go_on.wait(30)
        with suppress(ConnectionError):  # who stops a download closes the connection
            self.wfile.write(content[start + 1 : None if cut is None else start + cut])
        self.close_connection = True

    def _status(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def run_hub() -> Iterator[Hub]:
    """Run a Hub and its storage on two ports of loopback until the context ends."""
    hub = Hub()
    hub.may_go_on.set()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as front,
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as back,
    ):
        front.daemon_threads = back.daemon_threads = True
        hub.url = f"http://127.0.0.1:{front.server_port}"
        # Some versions of the library tell hosts apart by name alone: the storage has to have another one.
        hub.storage_url = f"http://localhost:{back.server_port}"
        threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in (front, back)]
        for thread in threads:
            thread.start()
        try:
            yield hub
        finally:
            hub.may_go_on.set()
            for server in (front, back):
                server.shutdown()
            for thread in threads:
                thread.join()
