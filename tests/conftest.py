"""What every test stands on: no network but loopback, folders of its own, real models where they were fetched."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from hybridchat.backends.model_files.catalogue import STAND_IN
from tests.servers.llama_cpp import llama_server  # noqa: F401 - a fixture

hypothesis.settings.register_profile("hybridchat", deadline=None)  # a deadline would be a wall-clock assertion
hypothesis.settings.load_profile("hybridchat")

# What a shell's background job or nohup ignores, the programs that are tested would ignore, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

ASSETS = Path(
    os.environ.get("HYBRIDCHAT_TEST_ASSETS")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybridchat-tests"
)


def _is_loopback(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(real: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            assert _is_loopback(address), f"a test tried to reach {address!r}"
            return real(self, address)

        return call

    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own: the user's configuration, data and keyring are out of reach."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("HYBRIDCHAT_", "OLLAMA_", "HF_", "HUGGING", "PYTHON_KEYRING")) or name.lower().endswith(
            "_proxy"
        ):
            monkeypatch.delenv(name)
    for name in ("COLUMNS", "LINES"):  # a size that is set would hide that a terminal was resized
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("APPDATA", str(home / "AppData" / "Roaming"))
    monkeypatch.setenv("LOCALAPPDATA", str(home / "AppData" / "Local"))
    for name, folder in {
        "XDG_CONFIG_HOME": ".config",
        "XDG_DATA_HOME": ".local/share",
        "XDG_CACHE_HOME": ".cache",
        "XDG_STATE_HOME": ".local/state",
        "XDG_RUNTIME_DIR": "run",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    (home / "run").mkdir(mode=0o700)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return home


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Where nothing may be skipped (HYBRIDCHAT_TEST_NO_SKIP), say what was."""
    if os.environ.get("HYBRIDCHAT_TEST_NO_SKIP") and (skipped := terminalreporter.stats.get("skipped")):
        terminalreporter.write_line(f"{len(skipped)} tests were skipped, and none may be", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skipped test fails the run where nothing may be skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("HYBRIDCHAT_TEST_NO_SKIP") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _asset(name: str) -> Path:
    path = ASSETS / name
    if not path.exists():
        pytest.skip(f"{name} was not fetched: run `python -m tests.fetch` once")
    return path


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The small stand-in model's GGUF file."""
    return _asset(f"models/{STAND_IN.filename}")


@pytest.fixture(scope="session")
def ollama_program() -> Path:
    """A real Ollama server's executable (0.9.3, CPU only, no logprobs)."""
    return _asset("ollama/ollama")
