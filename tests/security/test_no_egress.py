"""Nothing leaves under ``local-only`` or ``--offline``: seen from outside, call by call, in every command."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from hybridchat.cli.app import app
from tests.security.watching import ROOT, attempts, run_watched, watching

if sys.platform == "win32":
    pytest.skip("strace and a pseudo-terminal are needed", allow_module_level=True)

import pexpect

OUTSIDE = "203.0.113.7"  # documentation addresses, RFC 5737: routed nowhere

COMMANDS: dict[str, tuple[str, ...]] = {
    "ask": ("--remote", "Where does this go?"),
    "chat": ("--plain",),
    "doctor": (),
    "calibrate": ("--limit", "2", "--remote-sample", "2", "--allow-remote"),
    "evaluate": ("--live", "--limit", "2", "--remote-sample", "2", "--allow-remote"),
    "budget": (),
    "data list": (),
    "data export": ("{folder}/export.zip",),
    "data erase": ("--everything", "--yes"),
    "history list": (),
    "history show": ("a",),
    "history search": ("where",),
    "history delete": ("a",),
    "models list": (),
    "models pull": ("phi3.5",),
    "models show": ("phi3.5",),
    "models remove": ("phi3.5",),
    "models stop": (),
    "keys set": ("huggingface",),
    "keys list": (),
    "keys test": (),
    "keys remove": ("huggingface",),
    "config show": (),
    "config path": (),
    "config set": ("routing.bias", "local"),
    "config unset": ("routing.bias",),
    "egress list": (),
    "egress verify": (),
    "egress show": ("1",),
    "egress export": (),
    "egress summary": (),
    "egress restart": ("--unguarded",),
    "store status": (),
    "store encrypt": (),
    "store decrypt": (),
    "store rekey": (),
}
"""Every command, with arguments that make it want the network where it ever does."""

MODES = {
    "local-only": {"HYBRIDCHAT_PRIVACY_DATA_POLICY": "local-only"},
    "offline": {"HYBRIDCHAT_PRIVACY_OFFLINE": "1"},
}
UNREACHABLE = {
    "HYBRIDCHAT_REMOTE_URL": f"https://{OUTSIDE}/v1",
    "HYBRIDCHAT_REMOTE_PRESET": "custom",
    "HYBRIDCHAT_REMOTE_MODEL": "large",
    "HYBRIDCHAT_KEY_CUSTOM": "k" * 20,
    "HTTP_PROXY": f"http://{OUTSIDE}:3128",
    "HTTPS_PROXY": f"http://{OUTSIDE}:3128",
    "ALL_PROXY": f"http://{OUTSIDE}:3128",
}


def leaves(group: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the path of every command of the command line."""
    for name, command in getattr(group, "commands", {}).items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield " ".join((*path, name))


def test_every_command_is_watched() -> None:
    assert set(leaves(typer.main.get_command(app))) == set(COMMANDS)


@pytest.mark.parametrize(
    "code",
    [
        f"import socket; s = socket.socket(); s.settimeout(0.1); s.connect_ex(('{OUTSIDE}', 9))",
        f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{OUTSIDE}', 9))",
        "import socket\ntry: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: pass",
        "import socket; socket.socket().bind(('0.0.0.0', 0))",
        f"import os, socket\nif not os.fork(): s = socket.socket(); s.settimeout(.1); s.connect_ex(('{OUTSIDE}', 9))",
    ],
    ids=["tcp", "udp", "name", "listening", "child"],
)
def test_the_watch_itself_sees_each_way_out(tmp_path: Path, code: str) -> None:
    assert run_watched(["-c", code], tmp_path).attempts


def test_the_watch_lets_loopback_pass(tmp_path: Path) -> None:
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())"
    assert run_watched(["-c", code], tmp_path).attempts == ()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_tries_to_reach_beyond_loopback(tmp_path: Path, name: str, mode: str) -> None:
    arguments = [argument.format(folder=tmp_path) for argument in COMMANDS[name]]
    command = ["-m", "hybridchat", *name.split(), *arguments]
    ended = run_watched(command, tmp_path, {**UNREACHABLE, **MODES[mode]}, stdin="hello\n/remote again\n")
    assert ended.attempts == (), ended.err
    assert ended.code in {0, 1, 2, 65, 66, 69, 77, 79}, ended.err
    assert "Usage:" not in ended.err


@pytest.mark.real_model
@pytest.mark.parametrize("mode", MODES)
def test_neither_does_a_real_model_that_answers_nor_what_ends_it(tmp_path: Path, smollm2: Path, mode: str) -> None:
    embedded = {
        "HYBRIDCHAT_LOCAL_BACKEND": "embedded",
        "HYBRIDCHAT_LOCAL_MODEL": str(smollm2),
        "HYBRIDCHAT_EMBEDDED_THREADS": "1",
    }
    log = tmp_path / "calls.log"
    ask = ["-m", "hybridchat", "ask", "--max-tokens", "4", "Hello"]
    with_stop = "import subprocess, sys; a = sys.argv[1:]; c = subprocess.run([sys.executable, *a]).returncode; "
    with_stop += (
        "subprocess.run([sys.executable, '-m', 'hybridchat', 'models', 'stop'], stdout=sys.stderr); sys.exit(c)"
    )
    ended = run_watched(["-c", with_stop, *ask], tmp_path, {**UNREACHABLE, **MODES[mode], **embedded})
    assert (ended.code, ended.attempts) == (0, ()), ended.err
    assert "connect(" in log.read_text()  # the watch saw the talk with the model
    assert ended.out.strip()


@pytest.mark.parametrize("mode", MODES)
def test_neither_does_the_chat_screen(tmp_path: Path, mode: str) -> None:
    log = tmp_path / "calls.log"
    settings = {**UNREACHABLE, **MODES[mode], "TERM": "xterm-256color", "HYBRIDCHAT_LOCAL_BACKEND": "ollama"}
    program, *arguments = [*watching(log), sys.executable, "-m", "hybridchat"]
    chat = pexpect.spawn(
        program,
        arguments,
        encoding="utf-8",
        timeout=120,
        cwd=str(ROOT),
        env={**os.environ, **settings},
        dimensions=(30, 100),
    )
    chat.expect_exact("Ollama")  # it has looked for a model
    time.sleep(0.5)
    chat.send("\x11")
    chat.expect(pexpect.EOF)
    chat.close()
    assert list(attempts(log.read_text("utf-8", "replace"))) == []
