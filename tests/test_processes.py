from __future__ import annotations

import subprocess
import sys

import pytest

from hybridchat.backends.preset_table import PRESETS
from hybridchat.credentials import variable
from hybridchat.processes import KEY_VARIABLES, without_keys, without_secrets

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no core dumps of this kind")


def test_no_variable_that_a_key_is_read_from_reaches_a_program_of_the_users() -> None:
    names = {variable("huggingface"), *(name for row in PRESETS.values() for name in row.key_env)}
    assert without_keys(dict.fromkeys([*names, "PATH", "OP_SERVICE_ACCOUNT_TOKEN"], "x")) == {
        "PATH": "x",
        "OP_SERVICE_ACCOUNT_TOKEN": "x",  # a password manager's own
    }


def test_the_list_of_key_variables_holds_those_of_every_preset() -> None:
    assert {name for row in PRESETS.values() for name in row.key_env} <= KEY_VARIABLES


@pytest.mark.parametrize("name", ["HF_TOKEN", "MY_PASSPHRASE", "AWS_SECRET_ACCESS", "db_password", "A_CREDENTIALS"])
def test_nothing_that_sounds_like_a_secret_reaches_a_program_of_ours(name: str) -> None:
    assert without_secrets({name: "x", "LANG": "C"}) == {"LANG": "C"}


@POSIX
@pytest.mark.parametrize("before", ["$(ulimit -H -c)", "0"])
def test_the_program_and_its_children_leave_no_core_dump(before: str) -> None:
    import resource  # noqa: PLC0415 - not on Windows

    allowed = 0 if before == "0" else resource.getrlimit(resource.RLIMIT_CORE)[1]
    looks = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
    starts = (
        "import subprocess, sys, runpy; sys.argv = ['hybridchat', '--version']\n"
        "try: runpy.run_module('hybridchat', run_name='__main__')\n"
        f"except SystemExit: subprocess.run([sys.executable, '-c', {looks!r}], check=True)\n"
    )
    child = subprocess.run(
        ["sh", "-c", f'ulimit -c {before}; exec "$@"', "sh", sys.executable, "-c", starts],
        capture_output=True,
        text=True,
        check=True,
    )
    least = 1 if sys.platform == "linux" and allowed != 0 else 0
    assert child.stdout.splitlines()[-1] == f"({least}, {least})"
