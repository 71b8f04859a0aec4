"""A real Ollama server (0.9.3, CPU) on loopback, with SmolLM2 under the name phi3.5."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

START_SECONDS = 60


class RealOllama:
    """A running server; ``wait_for_log`` tells what it does inside."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.program = program
        self.environment = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "OLLAMA_MODELS": str(folder / "models"),
            "OLLAMA_HOST": "127.0.0.1:0",  # the log says which port it became
            "OLLAMA_NUM_PARALLEL": "1",
            "OLLAMA_NOPRUNE": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._said: list[str] = []
        self._more = threading.Condition()
        self.process = subprocess.Popen(
            [program, "serve"], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        started = self.wait_for_log(r"Listening on 127\.0\.0\.1:(\d+)")
        self.port = int(started[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self._said.append(line)
                self._more.notify_all()

    def mark(self) -> int:
        """A place in the log, to look from there on."""
        return len(self._said)

    def wait_for_log(self, pattern: str, since: int = 0) -> re.Match[str]:
        """Wait until a line matches."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            found.extend(match for line in self._said[since:] if (match := re.search(pattern, line)))
            return bool(found)

        with self._more:
            assert self._more.wait_for(look, START_SECONDS), f"{pattern!r} is not in the log:\n{''.join(self._said)}"
        return found[0]

    def children(self) -> list[psutil.Process]:
        """The runners, each with a model."""
        try:
            running: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return running

    def wait_until_idle(self) -> None:
        """Wait until no runner computes; one that nobody stopped goes on for minutes."""
        for _ in range(100):
            if all(runner.cpu_percent(interval=0.2) < 10 for runner in self.children()):
                return
        pytest.fail("a runner is still computing")

    def create(self, name: str, model: Path, folder: Path) -> None:
        """Make ``name`` from a GGUF file, to run on one thread."""
        modelfile = folder / "Modelfile"
        modelfile.write_text(f"FROM {model}\nPARAMETER num_thread 1\n")
        address = {"OLLAMA_HOST": self.url}
        subprocess.run(
            [self.program, "create", name, "-f", modelfile],
            env=self.environment | address,
            check=True,
            capture_output=True,
            timeout=START_SECONDS,
        )

    def unload(self, name: str) -> None:
        """Take a model out of memory, and wait until its runner is gone."""
        runners = self.children()
        address = {"OLLAMA_HOST": self.url}
        subprocess.run(
            [self.program, "stop", name],
            env=self.environment | address,
            check=False,  # it may not have been loaded
            capture_output=True,
            timeout=START_SECONDS,
        )
        _, alive = psutil.wait_procs(runners, timeout=START_SECONDS)
        assert not alive

    def kill(self) -> None:
        """End it as a crash would; the runners would survive it, so they are killed too."""
        children = self.children()
        self.process.kill()
        for child in children:
            child.kill()
        self._ended(children)

    def stop(self) -> None:
        """End it as a user would; its runners must go with it."""
        children = self.children()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self._ended(children)

    def _ended(self, children: list[psutil.Process]) -> None:
        self.process.wait(START_SECONDS)
        _, alive = psutil.wait_procs(children, timeout=START_SECONDS)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert not alive, f"runners outlived the server: {alive}"


@contextmanager
def serving(program: Path, folder: Path) -> Iterator[RealOllama]:
    server = RealOllama(program, folder)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="session")
def ollama_folder() -> Iterator[Path]:
    """Where the servers keep their one copy of the model; gone at the end, as it is large."""
    with tempfile.TemporaryDirectory(prefix="hybridchat-ollama-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def real_ollama(ollama_program: Path, smollm2: Path, ollama_folder: Path) -> Iterator[RealOllama]:
    """A server for reading: tests may load its model but must leave it as it is."""
    with serving(ollama_program, ollama_folder) as server:
        server.create("phi3.5", smollm2, ollama_folder)
        yield server
