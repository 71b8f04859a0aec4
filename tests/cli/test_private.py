from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridchat.cli import fault_log
from hybridchat.cli.history import in_store
from hybridchat.config import paths
from hybridchat.config.settings import StoreSettings
from hybridchat.store.database import Store
from hybridchat.store.encryption import FileKey
from hybridchat.store.migrations import backup_path
from hybridchat.store.schema import MIGRATIONS
from tests.cli.conftest import ROOT, Command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs Unix permissions")

Program = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def _careless() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _open_to_others(home: Path) -> list[str]:
    """Return what others may enter, read or write below the folders that are the program's own."""
    found = [file for folder in paths.own_folders() if folder.exists() for file in (folder, *folder.rglob("*"))]
    assert found
    return [str(file.relative_to(home)) for file in found if file.lstat().st_mode & 0o077]


@pytest.mark.usefixtures("_careless")
def test_whatever_the_umask_says_others_can_read_nothing(program: Program, home: Path) -> None:
    for arguments in (
        ("four", "ask", "what is 2+2?"),
        ("four", "ask", "--remote", "--allow-remote", "what is 3+3?"),
        ("crash", "ask", "x"),
        ("four", "config", "set", "routing.bias", "local"),
    ):
        with program(*arguments) as process:
            process.communicate()
    assert _open_to_others(home) == []
    assert not (home / ".local").stat().st_mode & 0o077  # whoever can write it could put another folder in the place


@pytest.mark.usefixtures("_careless")
def test_what_was_made_with_wider_modes_is_closed(program: Program, home: Path) -> None:
    async def nothing(_: Store) -> None: ...

    in_store(nothing)
    fault_log.write(LookupError())
    database = paths.database_file(StoreSettings())
    shutil.copyfile(database, backup_path(database, len(MIGRATIONS)))
    for folder in (database.parent, fault_log.path().parent):
        folder.chmod(0o777)
        for file in folder.rglob("*"):
            file.chmod(0o777 if file.is_dir() else 0o666)
    for arguments in (("four", "ask", "what is 2+2?"), ("crash", "ask", "x")):
        with program(*arguments) as process:
            process.communicate()
    assert _open_to_others(home) == []


def test_a_folder_that_others_may_use_is_left_to_them(home: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "somebody's.txt").touch(0o644)

    async def close() -> None:
        await Store.open(shared / "hybridchat.db").aclose()

    asyncio.run(close())
    assert shared.stat().st_mode & 0o777 == 0o755
    assert (shared / "somebody's.txt").stat().st_mode & 0o777 == 0o644
    assert (shared / "hybridchat.db").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def read_only(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command where the home cannot be written, in a mount namespace of its own."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("needs root and unshare")

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        mount = 'mount --bind "$HOME" "$HOME" && mount -o remount,ro,bind "$HOME" && exec "$0" -m hybridchat "$@"'
        command = ["unshare", "--mount", "sh", "-c", mount, sys.executable, *arguments]
        return subprocess.run(
            command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, check=False
        )

    if "denied" in (probe := run("--version")).stderr or probe.returncode:
        pytest.skip("nothing can be mounted here")
    return run


ReadOnly = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_read_only_home_can_be_read(read_only: ReadOnly, home: Path) -> None:
    async def keep(store: Store) -> str:
        kept = await store.conversations.create("About the sky")
        await store.conversations.add_user_message(kept.id, None, "Why is the sky blue?")
        return kept.id

    kept = in_store(keep)
    assert "About the sky" in read_only("history", "list").stdout
    assert "Why is the sky blue?" in read_only("history", "show", kept).stdout
    assert kept in read_only("history", "search", "blue").stdout
    assert read_only("egress", "list").returncode == 0
    assert read_only("egress", "verify").stdout.startswith("intact: 0 rows")
    assert read_only("egress", "summary").returncode == 0
    refused = read_only("history", "delete", kept)
    assert (refused.returncode, "Traceback" in refused.stderr) == (74, False)


def test_a_read_only_home_without_anything_kept_says_so(read_only: ReadOnly) -> None:
    ended = read_only("history", "list")
    assert ended.returncode == 74
    assert "cannot" in ended.stderr


def test_an_encrypted_store_on_a_read_only_disk_can_be_read(
    read_only: ReadOnly, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_KEY_STORE", "one passphrase")
    in_store(lambda store: store.conversations.create("About the sky"))
    assert command("store", "encrypt", "--passphrase").code == 0
    assert command("history", "list").code == 0
    assert "About the sky" in read_only("history", "list").stdout
    assert read_only("history", "list", HYBRIDCHAT_KEY_STORE="another").returncode == 77


def test_the_key_of_a_file_is_not_shown() -> None:
    assert "k" * 8 not in f"{FileKey(b'k' * 32, b's' * 16)}"
