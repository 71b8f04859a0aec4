"""A key goes to the host that it was stored for, and nowhere else: not to a file, a log, an argv or a child."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.security.watching import ROOT, strace
from tests.servers.openai import Answer, FakeServer, delta, refuse, run_fake_server, stream, usage

if sys.platform == "win32":
    pytest.skip("strace is needed", allow_module_level=True)

KEY = "canary-9f3KqWz7RtB2xLm5"
HALF = KEY[: len(KEY) // 2 + 4]
FORMS = [
    form
    for text in (KEY, HALF)
    for form in (
        text,
        text[::-1],
        quote(text, safe=""),
        text.encode().hex(),
        base64.b64encode(text.encode()).decode().rstrip("=")[:-1],
        base64.b64encode(f"Bearer {text}".encode()).decode().rstrip("=")[:-1],
    )
]
ECHO = f"Invalid header: Authorization: Bearer {KEY} (from you)"

ANSWERS: dict[str, Answer] = {
    "answers": stream(delta("Paris"), delta(finish="stop"), usage(10, 1)),
    "refuses and quotes the key": refuse(401, {"error": {"message": ECHO}}),
    "is broken and quotes the key": refuse(500, ECHO.encode(), kind="text/plain"),
    "quotes the key in the stream": stream({"error": {"message": ECHO, "code": 400}}),
    "breaks the protocol with the key": [f"HTTP/1.1 {ECHO}\r\n\r\n".encode()],
    "sends it elsewhere": refuse(307, headers=f"Location: http://127.0.0.1:9/{KEY}\r\n"),
}

COMMANDS = [
    ["keys", "list"],
    ["keys", "list", "--json"],
    ["keys", "test"],
    ["config", "show", "--json"],
    ["doctor", "--online"],
    ["egress", "list", "--json"],
    ["history", "list", "--json"],
    ["history", "search", "canary"],
]


class Machine:
    """Runs the program and keeps all that it said, wrote, and gave to its children."""

    def __init__(self, folder: Path, home: Path, server: FakeServer, environ: dict[str, str]) -> None:
        self.home = home
        self.server = server
        self._log = folder / "execve.log"
        self._log.touch()
        self._environ = {
            **os.environ,
            "HYBRIDCHAT_REMOTE_PRESET": "custom",
            "HYBRIDCHAT_REMOTE_URL": server.url,
            "HYBRIDCHAT_REMOTE_MODEL": "large",
            "TMPDIR": str(folder),
            **environ,
        }
        self.said = ""

    async def run(self, *arguments: str, stdin: str = "") -> int:
        watch = [
            strace(),
            "-f",
            "-qq",
            "--seccomp-bpf",
            "-v",
            "-s",
            "100000",
            "-e",
            "trace=execve",
            "-e",
            "signal=none",
        ]
        command = [*watch, "-A", "-o", str(self._log), sys.executable, "-m", "hybridchat", *arguments]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=self._environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate(stdin.encode())
        self.said += said.decode()
        assert process.returncode is not None
        return process.returncode

    def children(self) -> list[str]:
        """What each process that the program started was given; its own start, by this test, is left out."""
        return [
            line for line in self._log.read_text().splitlines() if "execve(" in line and '"hybridchat", ' not in line
        ]

    def places(self) -> list[str]:
        """Every place that holds the key, or half of it, in any of the usual writings."""
        held = [f"said: {form}" for form in FORMS if form in self.said]
        held += [f"child: {line}" for line in self.children() if any(form in line for form in FORMS)]
        for file in self.home.rglob("*"):
            if file.is_file() and not file.is_socket():
                data = file.read_bytes()
                wide = [form.encode(code) for form in FORMS for code in ("utf-8", "utf-16-le", "utf-16-be")]
                held += [str(file) for form in wide if form in data]
        return held


@pytest.fixture(params=["environment", "command"])
async def machine(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> AsyncIterator[Machine]:
    (tmp_path / "vault").write_text(KEY)
    environ = {
        "environment": {"HYBRIDCHAT_KEY_CUSTOM": KEY},
        "command": {"HYBRIDCHAT_REMOTE_KEY_COMMAND": f"cat {tmp_path / 'vault'}"},
    }[request.param]
    async with run_fake_server() as server:
        yield Machine(tmp_path, home, server, environ)


async def test_whatever_the_server_does_the_key_is_nowhere(machine: Machine) -> None:
    for answer in ANSWERS.values():
        machine.server.chat = [answer] * 4
        await machine.run("ask", "--remote", "--allow-remote", "--json", "-v", "Capital of France?")
    machine.server.chat = [ANSWERS["answers"]]
    assert await machine.run("ask", "--remote", "--allow-remote", "-v", "Capital of France?") == 0
    for command in COMMANDS:
        await machine.run(*command)
    assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in machine.server.chats)
    assert len(machine.server.chats) >= len(ANSWERS)
    assert "Paris" in machine.said
    assert machine.places() == []


@pytest.mark.real_model
async def test_a_real_model_in_a_child_does_not_get_it(machine: Machine, smollm2: Path) -> None:
    machine._environ |= {
        "HYBRIDCHAT_LOCAL_BACKEND": "embedded",
        "HYBRIDCHAT_LOCAL_MODEL": str(smollm2),
        "HYBRIDCHAT_LOCAL_KEEP_ALIVE": "1s",  # the watch waits for the model's own process, too
        "HYBRIDCHAT_EMBEDDED_THREADS": "1",
    }
    assert await machine.run("ask", "--max-tokens", "4", "Hello") == 0
    assert any("hybridchat.backends.embedded.server" in line for line in machine.children())
    assert machine.places() == []


async def test_the_search_itself_finds_a_key_in_each_place(machine: Machine) -> None:
    assert machine.places() == []
    machine.said += KEY
    (machine.home / "log").write_bytes(b"\0" + base64.b64encode(KEY.encode()))
    wide = machine.home / "wide"
    wide.write_text(json.dumps({"key": KEY}), encoding="utf-16")
    await machine.run("ask", "--remote", "--allow-remote", "hello")  # makes the log of children
    with machine._log.open("a") as log:
        log.write(f'1 execve("/bin/x", ["x", "{KEY}"], []) = 0\n')
    places = "\n".join(machine.places())
    assert re.search(r"said: .*\n", places)
    assert "child: " in places
    assert str(machine.home / "log") in places
    assert str(wide) in places
