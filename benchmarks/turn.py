"""What a turn costs per token, against a bare httpx reader of the same stream.

``python -m benchmarks.turn [--tokens 2000] [--rate 0] [--runs 9] [--json]``. In the same run, in turn: httpx that reads
lines and ``json.loads`` them, the Ollama backend alone, and a whole turn (backend, text safety, confidence, journal on
disk, events). CPU time of this process with all its threads, medians, with the quartiles as spread. ``--rate`` sends so
many tokens a second, as a model would: each is then waited for, and the journal is written as often as in use.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import httpx

from benchmarks.loopback import ollama
from benchmarks.startup import compile_everything
from hybridchat.backends.ollama.backend import OllamaBackend
from hybridchat.backends.protocol import ChatRequest, Piece
from hybridchat.config.settings import Endpoint, Kind, Settings
from hybridchat.engine import Engine, TurnRequest
from hybridchat.events import Delta, Finished
from hybridchat.messages import ChatMessage, Place, Role
from hybridchat.routing.gain import GainPolicy
from hybridchat.store.database import Store


def endpoint(url: str) -> Endpoint:
    """Return the endpoint of the tiny server."""
    return Endpoint("ollama", Kind.OLLAMA, url, "phi3.5", Place.LOCAL, num_ctx=4096)


async def bare_reader(url: str) -> int:
    """Read the stream with httpx and the standard library."""
    seen = 0
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("POST", f"{url}/api/chat", json={}) as answer,
    ):
        async for line in answer.aiter_lines():
            seen += bool(json.loads(line)["message"]["content"])
    return seen


async def backend_alone(url: str) -> int:
    """Read the stream with the Ollama backend."""
    backend, seen = OllamaBackend(endpoint(url)), 0
    async with aclosing(backend.stream(ChatRequest((ChatMessage(Role.USER, "hi"),)))) as parts:
        async for part in parts:
            seen += isinstance(part, Piece) and bool(part.text)
    await backend.aclose()
    return seen


async def whole_turn(url: str) -> int:
    """Run a turn on a store on disk, and consume its events."""
    settings = Settings()
    settings = replace(settings, answer=replace(settings.answer, max_tokens=1000))
    seen = 0
    with tempfile.TemporaryDirectory() as folder:
        store, backend = Store.open(Path(folder) / "hybridchat.db"), OllamaBackend(endpoint(url))
        engine = Engine(settings, store, backend, GainPolicy())
        async for event in engine.turn(TurnRequest("hi")):
            seen += isinstance(event, Delta) and bool(event.text)
            assert not hasattr(event, "exit_code") or isinstance(event, Finished), event
        await backend.aclose()
        await store.aclose()
    return seen


def cpu_per_token(read: Callable[[str], Awaitable[int]], url: str, tokens: int) -> float:
    """Return the CPU microseconds that ``read`` takes per token."""

    async def timed() -> float:
        started = time.process_time()
        assert await read(url) == tokens
        return (time.process_time() - started) / tokens * 1e6

    return asyncio.run(timed())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=0, help="tokens a second; 0 sends them all at once")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    compile_everything()
    readers = {"bare httpx reader": bare_reader, "backend alone": backend_alone, "whole turn": whole_turn}
    costs: dict[str, list[float]] = {name: [] for name in readers}
    with ollama(options.tokens, options.rate) as (url, _first_byte):
        for _ in range(options.runs + 1):
            for name, read in readers.items():
                costs[name].append(cpu_per_token(read, url, options.tokens))
    rows = {}
    bare = statistics.median(costs["bare httpx reader"][1:])
    for name, values in costs.items():
        low, middle, high = statistics.quantiles(values[1:], n=4)
        rows[name] = {"us_per_token": middle, "quartiles_us": [low, high], "ratio": middle / bare}
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for name, row in rows.items():
        low, high = row["quartiles_us"]  # type: ignore[misc]
        print(f"{name:18} {row['us_per_token']:7.0f} us/token  ({low:.0f} to {high:.0f})  {row['ratio']:5.2f} x")


if __name__ == "__main__":
    main()
