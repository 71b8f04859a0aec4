from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from hybridchat.cli import keeping, store_commands
from hybridchat.cli.history import in_store
from hybridchat.config import paths
from hybridchat.config.settings import StoreSettings
from hybridchat.errors import InputError, KeyMissing
from hybridchat.store import encryption
from hybridchat.store.database import Store
from hybridchat.store.migrations import backup_path
from hybridchat.store.private import wipe
from tests.cli.conftest import Command

TITLE = "About the Wolpertinger"


@pytest.fixture
def database() -> Path:
    """A store with one conversation and a backup."""

    async def keep(store: Store) -> None:
        kept = await store.conversations.create(TITLE)
        await store.conversations.add_user_message(kept.id, None, "Where does it live?")

    in_store(keep)
    path = paths.database_file(StoreSettings())
    backup_path(path, 1).write_bytes(path.read_bytes())
    return path


def _states(command: Command) -> list[tuple[bool, str]]:
    lines = command("store", "status", "--json").out.splitlines()
    return [(record["encrypted"], record["key"]) for record in map(json.loads, lines)]


def test_a_store_is_encrypted_searched_given_another_passphrase_and_decrypted(
    command: Command, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_KEY_STORE", "first passphrase")
    ended = command("store", "encrypt", "--passphrase")
    assert (ended.code, "without it, nothing can be read" in ended.err) == (0, True)
    assert [encrypted for encrypted, _ in _states(command)] == [True, True]
    assert not any(TITLE.encode() in file.read_bytes() for file in database.parent.glob("*.*"))
    assert TITLE in command("history", "search", "wolpertinger").out
    assert "encrypted with environment variable HYBRIDCHAT_KEY_STORE" in command("doctor").out
    monkeypatch.setenv("HYBRIDCHAT_KEY_STORE_NEW", "second passphrase")
    assert command("store", "rekey", "--passphrase").code == 0
    refused = command("history", "list")
    assert (refused.code, "does not open" in refused.err) == (77, True)
    monkeypatch.delenv("HYBRIDCHAT_KEY_STORE")
    printing = f"{sys.executable} -c \"print('second passphrase')\""
    monkeypatch.setenv("HYBRIDCHAT_STORE_KEY_COMMAND", printing)
    assert TITLE in command("history", "list").out
    assert command("store", "decrypt").code == 0
    assert [encrypted for encrypted, _ in _states(command)] == [False, False]
    monkeypatch.delenv("HYBRIDCHAT_STORE_KEY_COMMAND")
    assert TITLE in command("history", "list").out


def test_a_passphrase_is_piped_in(command: Command, database: Path) -> None:
    assert command("store", "encrypt", "--passphrase", stdin="piped in\n").code == 0
    missing = command("history", "list")
    assert missing.code == 77
    assert "HYBRIDCHAT_KEY_STORE" in missing.err


@pytest.mark.parametrize("stdin", [None, "", "\n"])
def test_no_passphrase_is_no_passphrase(stdin: str | None, command: Command, database: Path) -> None:
    ended = command("store", "encrypt", "--passphrase", stdin=stdin)
    assert (ended.code, "no passphrase was given" in ended.err) == (65, True)
    assert encryption.salt_of(database) is None


def test_without_a_keyring_nothing_is_encrypted_with_a_key_of_it(command: Command, database: Path) -> None:
    ended = command("store", "encrypt")
    assert (ended.code, "no safe keyring" in ended.err) == (77, True)
    assert _states(command) == [(False, ""), (False, "")]


def test_without_the_package_nothing_is_encrypted(
    command: Command, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlcipher3", None)
    ended = command("store", "encrypt", "--passphrase", stdin="x\n")
    assert (ended.code, "hybridchat[encryption]" in ended.err) == (78, True)
    assert TITLE in command("history", "list").out


def test_what_is_encrypted_already_stays_so_and_its_later_backups_follow(
    command: Command, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = database.read_bytes()
    monkeypatch.setenv("HYBRIDCHAT_KEY_STORE", "passphrase")
    assert command("store", "encrypt", "--passphrase").code == 0
    assert command("store", "encrypt").err == "the store was encrypted already\n"
    backup_path(database, 2).write_bytes(plain)
    assert command("store", "encrypt").err.endswith("so are 1 more backups now\n")
    assert [encrypted for encrypted, _ in _states(command)] == [True, True, True]


def test_a_backup_under_another_key_is_left_and_told(
    command: Command, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_KEY_STORE", "passphrase")
    assert command("store", "encrypt", "--passphrase").code == 0
    foreign = backup_path(database, 2)
    foreign.write_bytes(os.urandom(8192))
    ended = command("store", "decrypt")
    assert (ended.code, f"{foreign} has another key" in ended.err) == (0, True)
    assert foreign.exists()


@pytest.mark.parametrize("name", ["decrypt", "rekey"])
def test_what_is_not_encrypted_has_no_key(name: str, command: Command, database: Path) -> None:
    assert command("store", name).code == 2


def test_where_nothing_is_kept_there_is_nothing_to_encrypt(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("store", "status").err == "nothing is kept yet\n"
    monkeypatch.setenv("HYBRIDCHAT_STORE_SAVE", "false")
    assert command("store", "encrypt").code == 2


def test_a_new_store_can_be_encrypted_before_anything_is_kept(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_KEY_STORE", "passphrase")
    assert command("store", "encrypt", "--passphrase").code == 0
    assert command("history", "list").code == 0


def test_a_terminal_is_asked_twice_for_a_new_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    typed = iter(["one", "one", "one", "two", ""])
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert store_commands._typed_twice() == "one"
    with pytest.raises(InputError, match="differ"):
        store_commands._typed_twice()
    with pytest.raises(KeyMissing, match="no passphrase"):
        keeping.ask_passphrase("?")


def test_a_terminal_is_asked_for_the_passphrase(
    command: Command, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    assert command("store", "encrypt", "--passphrase", stdin="typed\n").code == 0
    monkeypatch.setattr("getpass.getpass", lambda _: "typed")
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert [one.title for one in in_store(lambda store: store.conversations.list())] == [TITLE]

    def nothing(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nothing)
    with pytest.raises(KeyMissing, match="no passphrase"):
        in_store(lambda store: store.conversations.list())


def test_what_is_not_there_needs_no_wiping(tmp_path: Path) -> None:
    wipe(tmp_path / "nothing")
    (tmp_path / "something").write_bytes(b"x" * 3_000_000)
    wipe(tmp_path / "something")
    assert list(tmp_path.iterdir()) == []
