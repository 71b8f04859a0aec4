"""llama.cpp's own server, in a child process, on loopback and behind a key; ``llama_server`` is its fixture."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

KEY = "open-sesame-4711"
WINDOW = 2048


@dataclass(frozen=True)
class LlamaServer:
    """A running server: the base address of its API, the only key that it takes, and its window in tokens."""

    url: str
    key: str = KEY
    window: int = WINDOW


@contextmanager
def run_llama_server(model: Path, *, window: int = WINDOW, key: str = KEY) -> Iterator[LlamaServer]:
    """Run a server for ``model`` until the context ends, or until this process does."""
    # -P keeps this folder off the child's path: a module here is called `openai`
    command = [sys.executable, "-P", __file__, str(model), str(window), key]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            address = child.stdout.readline().strip()
            assert address, f"llama.cpp's server did not start: {child.poll()}"
            yield LlamaServer(f"{address}/v1", key, window)
        finally:
            child.kill()


@pytest.fixture(scope="session")
def llama_server(smollm2: Path) -> Iterator[LlamaServer]:
    with run_llama_server(smollm2) as server:
        yield server


def _serve(model: str, window: str, key: str) -> None:
    import xllamacpp  # noqa: PLC0415 - only the child has to have it

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = int(window)
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = False
    params.api_keys = [key]
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()  # ends with the parent, however that ends


if __name__ == "__main__":
    _serve(*sys.argv[1:])
