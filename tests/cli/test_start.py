from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from hybridchat.__main__ import main

ROOT = Path(__file__).parents[2]

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a shell is needed to close a stream")


class Impatient(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "hybridchat.cli.app":
            raise KeyboardInterrupt
        return None


def shell(line: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh", "-c", f"exec {line}"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )


def test_ctrl_c_while_the_program_is_loaded_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "hybridchat.cli.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Impatient(), *sys.meta_path])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130
    assert capsys.readouterr() == ("", "")


@POSIX
def test_what_belongs_on_a_closed_standard_error_is_not_told_on_standard_output() -> None:
    done = shell(f"{sys.executable} -m hybridchat ask --nonsense 2>&-")
    assert (done.returncode, done.stdout) == (2, b"")


@POSIX
def test_a_closed_stream_is_occupied_so_that_nothing_else_takes_its_number() -> None:
    program = (
        "import os, sys; from hybridchat.__main__ import _occupy_closed_streams as occupy; occupy();"
        "print(os.readlink('/dev/fd/0') if os.path.islink('/dev/fd/0') else '/dev/null', os.open(__file__, 0) > 2)"
    ).replace("__file__", "sys.executable")
    done = shell(f'{sys.executable} -c "{program}" <&- 2>&-')
    assert (done.returncode, done.stdout.decode().split()) == (0, ["/dev/null", "True"])


@POSIX
def test_standard_streams_that_are_open_are_left_alone() -> None:
    done = shell(f"{sys.executable} -m hybridchat --version")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"hybridchat ")


@POSIX
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_help_on_a_full_disk_is_told_as_such() -> None:
    done = shell(f"{sys.executable} -m hybridchat --help >/dev/full")
    assert (done.returncode, done.stdout) == (74, b"")
    assert b"No space left on device" in done.stderr
