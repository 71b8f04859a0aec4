"""Records the two answers that ``hybridchat ask --demo`` plays, from real models.

``python -m benchmarks.record_demo --local SMALL.gguf --remote LARGE.gguf --out hybridchat/backends/demo``. Both models
answer the demonstration's question in llama.cpp's server on loopback, at temperature 0, with ten alternatives a token.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from hybridchat.backends import recording
from hybridchat.backends.demo import QUESTION
from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.protocol import Accepted, ChatRequest, StreamPart
from hybridchat.config.settings import Auth, Endpoint, Kind
from hybridchat.messages import ChatMessage, Place, Role
from tests.servers.llama_cpp import run_llama_server


async def record(model: Path, url: str, key: str) -> list[tuple[float, StreamPart]]:
    """Return the parts of the answer, each with the seconds that passed before it."""
    endpoint = Endpoint("llama.cpp", Kind.OPENAI, url, model.stem, Place.LOCAL, Auth.BEARER)
    backend = OpenAICompatibleBackend(endpoint, key)
    request = ChatRequest((ChatMessage(Role.USER, QUESTION),), max_tokens=120, temperature=0.0, seed=1)
    timed, last = [], time.monotonic()
    async with aclosing(backend.stream(request)) as parts:
        async for part in parts:
            now = time.monotonic()
            timed.append((now - last, replace(part, digest=None) if isinstance(part, Accepted) else part))
            last = now
    await backend.aclose()
    return timed


def main() -> None:
    """Record both answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", type=Path, required=True, help="the small model's GGUF file")
    parser.add_argument("--remote", type=Path, required=True, help="the large model's GGUF file")
    parser.add_argument("--out", type=Path, required=True, help="the folder of local.jsonl and remote.jsonl")
    options = parser.parse_args()
    for name, model in (("local", options.local), ("remote", options.remote)):
        with run_llama_server(model) as server:
            timed = asyncio.run(record(model, server.url, server.key))
        (options.out / f"{name}.jsonl").write_bytes(b"".join(recording.lines(timed)))


if __name__ == "__main__":
    main()
