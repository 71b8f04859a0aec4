from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybridchat.cli import app

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process; ``stdin`` is piped in."""

    def run(*arguments: str, stdin: str | None = None) -> Ended:
        monkeypatch.setattr(sys, "argv", ["hybridchat", *arguments])
        monkeypatch.setattr(sys, "stdin", None if stdin is None else io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            app.run()
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Ended(end.value.code, out, err)

    return run


@pytest.fixture
def program() -> Callable[..., subprocess.Popen[bytes]]:
    """Start the real program on scripted models, in a session without a terminal."""

    def start(scenario: str, *arguments: str, **streams: int | None) -> subprocess.Popen[bytes]:
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        return subprocess.Popen(
            [sys.executable, "-m", "tests.cli.scripted_program", scenario, *arguments],
            cwd=ROOT,
            env=os.environ,
            start_new_session=True,
            stdin=given["stdin"],
            stdout=given["stdout"],
            stderr=given["stderr"],
        )

    return start
