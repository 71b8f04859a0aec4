"""The commands in a session with a real, unlocked keyring."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT

pytestmark = pytest.mark.os_keyring

SESSION = ROOT / "tests" / "tools" / "keyring.sh"

PREAMBLE = r"""
set -eu
chat() { "$PYTHON" -m tests.cli.scripted_program four "$@"; }
line() { head -c 300 "$1" | tr '\n' ' '; }
status() { rc=0; "$@" >out 2>err || rc=$?; echo "$rc $(line out)$(line err)"; }
entries() { secret-tool search --all service hybridchat 2>&1 | grep -c attribute.username || true; }
lock() { dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
  org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null; }
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Runs shell commands in a session with a keyring and returns the lines that they print."""
    for needed in ("gnome-keyring-daemon", "dbus-run-session", "dbus-send", "secret-tool"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed: apt-get install gnome-keyring dbus-x11 libsecret-tools")
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.setenv("PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run(commands: str) -> list[str]:
        done = subprocess.run(
            ["bash", str(SESSION), "bash", "-c", PREAMBLE + commands],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def test_the_ledgers_head_stands_in_the_keyring_and_a_cut_off_end_shows(shell: object) -> None:
    assert callable(shell)
    lines = shell(r"""
chat ask --remote --allow-remote "one" >/dev/null 2>&1
chat ask --remote --allow-remote "two" >/dev/null 2>&1
status chat egress verify
database=$(find "$HOME" -name hybridchat.db)
"$PYTHON" - "$database" <<'CUT'
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("DROP TRIGGER ledger_is_not_deleted")
connection.execute("DELETE FROM ledger WHERE number > 2")
connection.commit()
connection.close()
CUT
status chat egress verify
status chat ask --remote --allow-remote "three"
status chat egress restart
status chat egress verify
lock
status chat egress verify
status chat ask --remote --allow-remote "four"
""")
    intact, cut, refused, _, again, locked, unsent = lines
    assert intact == "0 intact: 4 rows "
    assert cut.startswith("65 ")
    assert "Rows 3 to 4 were cut off" in cut
    assert "from afar" not in refused
    assert again.startswith("0 intact: 1 row ")
    assert locked.startswith("77 ")
    assert "from afar" not in unsent


def test_the_key_of_an_encrypted_store_stands_in_the_keyring(shell: object) -> None:
    assert callable(shell)
    lines = shell(r"""
chat ask "one" >/dev/null 2>&1
status chat store encrypt
status chat store status
status chat history list
entries
status chat store rekey
status chat history search what
entries
lock
status chat history list
""")
    encrypted, status, listed, one_key, _, found, still_one, locked = lines
    assert "its key is in the OS keyring" in encrypted
    assert "yes\tOS keyring" in status
    assert listed.startswith("0 ")
    assert found.startswith("0 ")
    assert one_key == still_one
    assert locked.startswith("77 ")


def test_erasing_everything_leaves_no_key_but_that_of_the_new_ledger(shell: object) -> None:
    assert callable(shell)
    lines = shell(r"""
echo hf_key | chat keys set huggingface 2>/dev/null
chat ask --remote --allow-remote "one" >/dev/null 2>&1
chat store encrypt 2>/dev/null
entries
status chat data erase --everything --yes
entries
status chat egress verify
status chat keys list
""")
    before, erased, after, verified, keys = lines
    assert (before, after) == ("4", "2")
    assert erased.startswith("0 ")
    assert "intact: 1 row" in verified
    assert "everything before was erased" in verified
    assert "the OS keyring" not in keys
