"""The real program on scripted models: ``python -m tests.cli.scripted_program SCENARIO ARGUMENT...``.

For what a real model will not do on demand: to answer the same every time, to stop in the middle, to fail.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence

from hybridchat.assistant import Closes
from hybridchat.backends.protocol import Accepted, Backend, Ended, Piece
from hybridchat.backends.scripted import ScriptedBackend, Step
from hybridchat.cli import wiring
from hybridchat.cli.app import run
from hybridchat.config.settings import Endpoint, Kind, Settings
from hybridchat.credentials import Credentials
from hybridchat.engine.resources import OpenRemote
from hybridchat.errors import Unreachable
from hybridchat.messages import FinishReason, Place

LOCAL = Endpoint(name="scripted", kind=Kind.OPENAI, url="", model="small", place=Place.LOCAL, num_ctx=4096)
REMOTE = Endpoint(name="far", kind=Kind.OPENAI, url="https://far.example/v1", model="org/large", place=Place.REMOTE)

SECRET = "a secret prompt"


def saying(*pieces: str) -> list[Step]:
    return [Accepted("small"), *map(Piece, pieces), Ended(FinishReason.STOP)]


def scenario(name: str) -> Sequence[Step]:
    match name:
        case "four":
            return saying("fo", "ur")
        case "lines":
            return saying(*(f"line {number}\n" for number in range(20_000)))
        case "endless":
            return [Accepted("small"), Piece("half an answer"), asyncio.Event()]
        case "unreachable":
            return [Unreachable("nobody answers at all", endpoint="scripted", hint="Start the server.")]
        case _:
            raise LookupError(name)


def play(name: str) -> None:
    """Let the wiring build scripted models."""

    def local(settings: Settings, environ: Mapping[str, str] = os.environ) -> Backend:
        if name == "crash":
            raise LookupError(SECRET)
        return ScriptedBackend(LOCAL, scenario(name))

    def remote(settings: Settings, credentials: Credentials, closing: list[Closes], connection: object) -> OpenRemote:
        async def opened(_model: str | None) -> Backend:
            backend = ScriptedBackend(REMOTE, saying("from ", "afar"))
            closing.append(backend)
            return backend

        return opened

    wiring.local_backend = local
    wiring._remote_opener = remote


if __name__ == "__main__":
    play(sys.argv.pop(1))
    run()
