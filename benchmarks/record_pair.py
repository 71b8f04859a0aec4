"""Records what two models answer to the shipped questions: the small one as the local, the large one as the remote.

``python -m benchmarks.record_pair --local SMALL.gguf --remote LARGE.gguf --out FILE.jsonl [--limit N]`` goes on where
it was stopped. Both run in llama.cpp's server on loopback, with one thread each at the lowest priority; greedy, with
ten alternatives a token; answers of at most 64 tokens, 160 where a long one is asked for. The questions come in a
random order, so that any first part of them is a fair sample. ``--pack FILE.xz`` only grades what OUT holds once more,
with the grader as it is now, and writes it compressed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.config.settings import Auth, Endpoint, Kind
from hybridchat.errors import HybridChatError
from hybridchat.evaluation.questions import shipped
from hybridchat.evaluation.recording import Direct, Progress, Recording, regraded
from hybridchat.evaluation.traces import resumed, write_traces
from hybridchat.messages import Place
from tests.servers.llama_cpp import run_llama_server

CAPS = {"short": 64, "long": 160}


def model(path: Path, url: str, key: str, place: Place) -> Direct:
    """Return what asks the model in ``path``, served at ``url``."""
    endpoint = Endpoint("llama.cpp", Kind.OPENAI, url, path.stem, place, Auth.BEARER, stall_timeout=600.0)
    return Direct(OpenAICompatibleBackend(endpoint, key), CAPS, temperature=0.0, seed=1)


def tell(progress: Progress) -> None:
    """Print a line now and then."""
    if progress.done % 10 == 0:
        left = "" if progress.seconds_left is None else f", about {progress.seconds_left / 60:.0f} minutes left"
        print(f"{time.strftime('%H:%M:%S')} {progress.done} of {progress.total}{left}", flush=True)


async def record(local: Direct, remote: Direct, out: Path, limit: int | None) -> None:
    """Record what ``out`` does not hold yet."""
    items = shipped()[:limit]
    recording = Recording(out, items, local.local, remote.remote, {item.id for item in items})
    try:
        traces = await recording.run(tell)
    finally:
        await local.backend.aclose()
        await remote.backend.aclose()
    print(f"{len(traces)} questions are in {out}")
    if recording.remote_problem is not None:
        raise recording.remote_problem


def main() -> None:
    """Record, or pack what was recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", type=Path, help="the small model's GGUF file")
    parser.add_argument("--remote", type=Path, help="the large model's GGUF file")
    parser.add_argument("--out", type=Path, required=True, help="the file to append to")
    parser.add_argument("--pack", type=Path, help="the compressed file to write")
    parser.add_argument("--limit", type=int, help="only the first so many questions")
    options = parser.parse_args()
    if options.pack:
        traces = regraded(resumed(options.out), shipped())
        write_traces(options.pack, [trace for trace in traces if trace.remote is not None])
        return
    if not (options.local and options.remote):
        parser.error("name both models")
    os.nice(19)
    try:
        with run_llama_server(options.local) as small, run_llama_server(options.remote) as large:
            local = model(options.local, small.url, small.key, Place.LOCAL)
            remote = model(options.remote, large.url, large.key, Place.REMOTE)
            asyncio.run(record(local, remote, options.out, options.limit))
    except HybridChatError as error:
        sys.exit(f"{error.message}\n{error.hint}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")


if __name__ == "__main__":
    main()
