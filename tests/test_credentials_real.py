from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.os_keyring

SESSION = Path(__file__).parent / "tools" / "keyring.sh"
PREAMBLE = """
import asyncio, os, subprocess
from hybridchat.credentials import Credentials
from hybridchat.errors import KeyMissing
keys = Credentials(environ={}, timeout=30)
def tool(*arguments, **more):
    return subprocess.run(["secret-tool", *arguments], capture_output=True, text=True, check=True, **more).stdout
"""
Run = Callable[[str], str]


@pytest.fixture
def run() -> Run:
    """Runs a program in a session with a real, unlocked keyring and returns what it printed."""
    for needed in ("gnome-keyring-daemon", "dbus-run-session", "dbus-send", "secret-tool"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed: apt-get install gnome-keyring dbus-x11 libsecret-tools")

    def run(program: str) -> str:
        # keyring leaves its connection open where a keyring is locked
        strict = "-W", "error", "-W", "ignore::ResourceWarning"
        command = ["bash", str(SESSION), sys.executable, *strict, "-c", PREAMBLE + program]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
        assert "Exception" not in done.stderr
        return done.stdout

    return run


def test_a_key_goes_into_the_keyring_and_comes_back(run: Run) -> None:
    printed = run("""
async def main():
    await keys.store("huggingface", "hf_first", "router.huggingface.co")
    await keys.store("huggingface", "hf_second\\n", "router.huggingface.co")
    key = await keys.find("huggingface", "router.huggingface.co")
    print(key.reveal(), key, await keys.remove("huggingface", "router.huggingface.co"))
    print(await keys.remove("huggingface", "router.huggingface.co"))
    try:
        await keys.find("huggingface", "router.huggingface.co")
    except KeyMissing as error:
        print(error)
asyncio.run(main())
""")
    assert printed.splitlines() == [
        "hf_second <key from the OS keyring> True",
        "False",
        "no key is stored for huggingface@router.huggingface.co",
    ]


def test_other_programs_read_our_keys_and_we_theirs(run: Run) -> None:
    printed = run("""
async def main():
    await keys.store("huggingface", "hf_ours", "router.huggingface.co")
    print(tool("lookup", "service", "hybridchat", "username", "huggingface@router.huggingface.co"))
    tool("store", "--label=theirs", "service", "hybridchat", "username", "nvidia@api.example.org", input="nv_theirs")
    print((await keys.find("nvidia", "api.example.org")).reveal())
    for one in await keys.list([("nvidia", "api.example.org", ()), ("nvidia", "other.example.org", ())]):
        print(one.host, one.source, one.problem)
asyncio.run(main())
""")
    assert printed.splitlines() == [
        "hf_ours",
        "nv_theirs",
        "api.example.org the OS keyring None",
        "other.example.org None None",
    ]


def test_a_secret_outlives_the_process_that_made_it(run: Run) -> None:
    printed = run("""
import sys
if len(sys.argv) == 1:  # the first process
    secret = asyncio.run(keys.own_secrets.get_or_make("ledger", lambda: os.urandom(32)))
    text = "import asyncio, os; from hybridchat.credentials import Credentials;"
    text += "print(asyncio.run(Credentials().own_secrets.get_or_make('ledger', lambda: os.urandom(32))).hex())"
    again = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.strip()
    print(len(secret), secret.hex() == again)
""")
    assert printed == "32 True\n"


def test_a_locked_keyring_without_a_display_says_so_at_once(run: Run) -> None:
    printed = run("""
async def main():
    await keys.store("n", "hf_key", "h")
    lock = "org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login"
    service = "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"
    subprocess.run(["dbus-send", "--session", "--print-reply", *service, *lock], check=True, capture_output=True)
    for attempt in (keys.find("n", "h"), keys.store("n", "hf_other", "h")):
        try:
            await attempt
        except KeyMissing as error:
            print(error, "HYBRIDCHAT_KEY_N" in error.hint)
    try:
        await keys.own_secrets.get_or_make("ledger", lambda: b"x")
    except KeyMissing as error:
        print(error, "Unlock" in error.hint)
asyncio.run(main())
""")
    errors = printed.splitlines()
    assert len(errors) == 3
    for error in errors:
        assert error.startswith("the keyring cannot be used: ")
        assert error.endswith(" True")
