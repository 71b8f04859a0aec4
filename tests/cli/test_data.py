from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from hybridchat.cli import fault_log
from hybridchat.cli.data_rights import erasure, inventory, recorded
from hybridchat.cli.history import in_store
from hybridchat.config import paths
from hybridchat.config.loading import load, user_file_path
from hybridchat.config.settings import StoreSettings
from hybridchat.store.database import Store
from hybridchat.store.migrations import backup_path
from hybridchat.store.records import Sent
from tests.cli.conftest import ROOT, Command
from tests.killing import STOPS
from tests.store.test_erasing import GONE, KEPT, fill

Program = Callable[..., "subprocess.Popen[bytes]"]


def _kept_everywhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Leave a mark in every kind of file that the program keeps, and return a conversation's id."""

    async def keep(store: Store) -> str:
        await store.ledger.sent(Sent("c", "m", GONE, "far", "https://far.example/v1", "large", b"{}"))
        await fill(store, KEPT)
        return await fill(store, GONE)

    monkeypatch.setenv("HYBRIDCHAT_ROUTING_RECORD", str(home / "turns.jsonl"))
    gone = in_store(keep)
    data = paths.data_folder(StoreSettings())
    database = paths.database_file(StoreSettings())
    backup_path(database, 1).write_bytes(database.read_bytes())
    for file in (
        data / "calibrations" / "small.json",
        fault_log.path(),
        paths.runtime_folder() / "server.log",
        paths.state_folder() / "not known yet",
        home / "turns.jsonl",
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{GONE} in {file.name}")
    user_file_path().parent.mkdir(parents=True, exist_ok=True)
    user_file_path().write_text(f'[privacy]\nwords = ["{GONE}"]\n')
    return gone


def _traces(home: Path) -> list[str]:
    needles = [word.encode(code) for word in (GONE, GONE.upper()) for code in ("utf-8", "utf-16-le", "utf-16-be")]
    files = [file for file in home.rglob("*") if file.is_file()]
    return sorted(file.name for file in files if any(needle in file.read_bytes() for needle in needles))


def test_everything_is_handed_over_readable_and_private(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = _kept_everywhere(home, monkeypatch)
    target = home / "mine"
    umask = os.umask(0)
    try:
        ended = command("data", "export", str(target))
    finally:
        os.umask(umask)
    assert ended.code == 0, ended.err
    tables = json.loads((target / "database.json").read_text("utf-8"))
    assert {row["id"] for row in tables["conversation"]} >= {gone}
    assert any(row["logprobs"] == [[GONE, -0.5]] for row in tables["message"])
    assert [row["word"] for row in tables["private_word"]] == [f"{KEPT} is private", f"{GONE} is private"]
    assert not any(name.startswith(("content_index", "title_index")) for name in tables)
    text = (target / "conversations" / f"{gone}.md").read_text("utf-8")
    assert text.startswith(f"# {GONE} in another title\n")
    assert f"{GONE} in the journal\n\n*phi3.5 (on this machine, ollama)" in text
    assert json.loads((target / "settings.json").read_text("utf-8"))["privacy.words"]["value"] == [GONE]
    assert json.loads((target / "ledger.jsonl").read_text("utf-8"))["number"] == 1
    assert "secret:ledger" in json.loads((target / "keyring.json").read_text("utf-8"))
    copied = {file.name for file in (target / "files").rglob("*") if file.is_file()}
    assert copied == {"config.toml", "small.json", "errors.log", "turns.jsonl", "not known yet"}
    for file in target.rglob("*"):
        assert file.stat().st_mode & 0o777 == (0o700 if file.is_dir() else 0o600)


def test_an_archive_holds_the_same(command: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _kept_everywhere(home, monkeypatch)
    assert command("data", "export", str(home / "folder")).code == 0
    assert command("data", "export", str(home / "mine.zip")).code == 0
    assert (home / "mine.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(home / "mine.zip") as archive:
        folder = home / "folder"
        assert set(archive.namelist()) == {
            str(file.relative_to(folder).as_posix()) for file in folder.rglob("*") if file.is_file()
        }


def test_an_export_replaces_nothing(command: Command, home: Path) -> None:
    assert command("data", "export", str(home)).code == 2
    (home / "file").touch()
    ended = command("data", "export", str(home / "file" / "below"))
    assert (ended.code, "is there already" in ended.err) == (2, True)


def test_everything_is_erased_to_the_last_byte(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _kept_everywhere(home, monkeypatch)
    linked = tmp_path / "not ours"
    linked.write_text("somebody's")
    (paths.cache_folder() / "link").symlink_to(linked)
    models = paths.models_folder(StoreSettings())
    models.mkdir(parents=True)
    (models / "small.gguf").write_bytes(b"GGUF")
    assert len(_traces(home)) == 8
    ended = command("data", "erase", "--everything", "--yes")
    assert ended.code == 0, ended.err
    assert "hybridchat.db.version-1.backup" in ended.err
    assert _traces(home) == ["config.toml"]
    assert (models / "small.gguf").exists()
    assert linked.read_text() == "somebody's"
    assert "everything before was erased" in command("egress", "verify").err
    assert command("history", "list").out == ""
    assert command("data", "erase", "--everything", "--settings", "--yes").code == 0
    assert _traces(home) == []


KILLED = (
    STOPS
    + """
import asyncio, os, signal, sys
from pathlib import Path
from hybridchat.cli import wiring
from hybridchat.cli.data_rights import erasure
from hybridchat.config.loading import load
from hybridchat.credentials import Credentials

moment = int(sys.argv[1])

os.fsync, Path.unlink, Path.rmdir = stops(os.fsync), stops(Path.unlink), stops(Path.rmdir)
Credentials.remove = stops(Credentials.remove)
settings = load().settings
asyncio.run(erasure.erase_everything(settings, wiring.new_credentials(settings), with_settings=True))
"""
)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("moment", [1, 2, 3, 5, 8, 12, 16, 18, 20, 21, 22, 24])
def test_an_erasure_of_everything_that_is_killed_ends_with_the_next_command(
    moment: int, command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kept_everywhere(home, monkeypatch)
    done = subprocess.run([sys.executable, "-c", KILLED, str(moment)], capture_output=True, cwd=ROOT, check=False)
    assert done.returncode in {-signal.SIGKILL, 0}, done.stderr.decode()
    ended = command("history", "list", "--json")
    assert ended.code == 0, ended.err
    if moment == 1:  # nothing was written down yet
        assert len(ended.out.splitlines()) == 2
        return
    assert _traces(home) == []
    assert "everything before was erased" in command("egress", "verify").err


def test_nothing_is_erased_while_another_process_has_the_store_open(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kept_everywhere(home, monkeypatch)
    before = _traces(home)
    holding = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT count(*) FROM message').fetchone()"
    )
    database = paths.database_file(StoreSettings())
    with subprocess.Popen(
        [sys.executable, "-c", f"{holding}; print('open', flush=True); sys.stdin.read()", str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        ended = command("data", "erase", "--everything", "--yes")
        holder.stdin.close()
    assert (ended.code, "Another hybridchat has" in ended.err) == (74, True)
    assert _traces(home) == before


def test_a_damaged_store_can_be_erased(command: Command, home: Path) -> None:
    database = paths.database_file(StoreSettings())
    database.parent.mkdir(parents=True)
    database.write_bytes(b"SQLite format 3\0" + GONE.encode() * 1000)
    assert command("history", "list").code == 65
    assert command("data", "erase", "--everything", "--yes").code == 0
    assert _traces(home) == []
    assert command("history", "list").code == 0


def test_one_conversation_is_erased_and_the_others_stay(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = _kept_everywhere(home, monkeypatch)
    ended = command("data", "erase", "--conversation", gone[:9], "--yes")
    assert ended.err == "erased: 1 conversation with 32 messages, and 1 backup of the whole store\n"
    database = paths.database_file(StoreSettings()).read_bytes()
    assert database.count(GONE.encode()) == 1  # the reason in the ledger's row
    assert KEPT.encode() in database
    assert command("data", "erase", "--conversation", gone, "--yes").code == 66


def test_a_period_is_erased(command: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _kept_everywhere(home, monkeypatch)
    ended = command("data", "erase", "--until", "2020-01-01", "--yes")
    assert (ended.code, ended.err) == (0, "nothing was said or written in that time\n")

    async def write() -> str:
        async with Store.open(paths.database_file(StoreSettings())) as store:
            before = await store.drafts.get(None)
            await store.drafts.keep(None, "not sent yet")
            return before

    asyncio.run(write())
    ended = command("data", "erase", "--since", "2020-01-01T12:00", "--yes")
    assert ended.err.startswith("erased: 2 conversations with 64 messages, 1 unsent draft")
    assert command("history", "list").out == ""
    assert asyncio.run(write()) == ""
    assert command("data", "erase", "--since", "2020-01-01", "--yes").err.startswith("erased: 0 conversations")
    assert asyncio.run(write()) == ""


def test_a_recorded_turn_goes_with_its_conversation(
    program: Callable[..., subprocess.Popen[bytes]], command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "turns.jsonl"
    for word in (GONE, KEPT):
        asking = program("four", "ask", "--record", str(file), f"{word} one")
        asking.communicate()
        assert asking.returncode == 0
    assert file.read_text().count(GONE) == 1
    gone = next(line.split()[0] for line in command("history", "list").out.splitlines() if GONE in line)
    file.with_name("turns.jsonl.old").write_text(GONE)  # an erasure was killed before
    assert command("config", "set", "routing.record", str(file)).code == 0
    ended = command("data", "erase", "--conversation", gone, "--yes")
    assert ended.err == "erased: 1 conversation with 2 messages, and 1 recorded turn\n"
    assert [one for one in tmp_path.rglob("*") if one.is_file() and GONE.encode() in one.read_bytes()] == []
    assert KEPT in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_recording_that_was_put_aside_when_killed_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "turns.jsonl"
    assert recorded.drop(file, {"a"}) == 0
    file.with_name("turns.jsonl.old").write_text('{"id": "a"}\nnot json\n{"id": "b"}\n')
    assert recorded.drop(file, {"a"}) == 1
    assert file.read_text() == 'not json\n{"id": "b"}\n'
    assert [one.name for one in tmp_path.iterdir()] == ["turns.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say what to erase"),
        (("--everything", "--since", "2020-01-01"), "one thing at a time"),
        (("--conversation", "x", "--settings"), "--settings belongs to"),
        (("--since", "yesterday"), "is no date"),
        (("--since", "9999-12-31T23:59:59-23:59"), "is no date"),
        (("--everything",), "Nobody can be asked"),
    ],
)
def test_what_is_not_clear_is_not_erased(arguments: tuple[str, ...], told: str, command: Command) -> None:
    ended = command("data", "erase", *arguments)
    assert (ended.code, told in ended.err) == (2, True), ended.err


def test_who_is_asked_must_say_yes_in_full(monkeypatch: pytest.MonkeyPatch, command: Command, home: Path) -> None:
    class Terminal:
        def __init__(self, line: str) -> None:
            self.line = line

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return self.line

    from hybridchat.cli.data_rights import commands  # noqa: PLC0415 - beside the stand-in for a terminal
    from hybridchat.errors import UsageError  # noqa: PLC0415 - the same

    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    scope = commands.Scope(everything=True)
    with pytest.raises(UsageError, match="nothing was erased"):
        commands.erase(scope, ask=True)
    monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
    commands.erase(scope, ask=True)
    assert "everything before was erased" in command("egress", "verify").err


def test_every_file_that_the_program_writes_is_named_in_the_inventory(
    program: Program, command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_ROUTING_RECORD", str(home / "record" / "turns.jsonl"))
    for arguments in (
        ("four", "ask", "what is 2+2?"),
        ("four", "ask", "--remote", "--allow-remote", "what is 3+3?"),
        ("crash", "ask", "x"),
        ("four", "config", "set", "routing.bias", "local"),
        ("four", "history", "list"),
        ("four", "egress", "restart", "--unguarded"),
        ("four", "doctor"),
    ):
        with program(*arguments) as process:
            process.communicate()
    monkeypatch.setenv("HYBRIDCHAT_KEY_STORE", "passphrase")
    assert command("store", "encrypt", "--passphrase").code == 0
    assert command("history", "list").code == 0
    assert command("store", "decrypt").code == 0
    found = {one.path: one.kept for one in inventory.found(load().settings)}
    unnamed = [path for path, kept in found.items() if kept is None]
    assert unnamed == []
    written = {path for path in home.rglob("*") if path.is_file()}
    assert written - set(found) == set()
    assert {"hybridchat.db", "config.toml", "errors.log", "turns.jsonl"} <= {path.name for path in found}


def test_the_files_that_are_kept_are_listed(command: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("data", "list").err == "nothing is kept on this machine\n"
    _kept_everywhere(home, monkeypatch)
    records: list[dict[str, Any]] = [json.loads(line) for line in command("data", "list", "--json").out.splitlines()]
    by_name = {Path(record["file"]).name: record for record in records}
    assert by_name["config.toml"]["when everything is erased"] == "erased with --settings"
    assert by_name["not known yet"]["what"] == "not known to this version"


def test_a_note_of_an_erasure_that_was_cut_off_means_that_nothing_had_begun(command: Command, home: Path) -> None:
    in_store(lambda store: store.conversations.create("kept"))
    note = paths.database_file(StoreSettings()).with_name("hybridchat.db.erasing-everything")
    note.write_bytes(b'{"settings":fal')
    assert "kept" in command("history", "list").out
    assert not note.exists()


def test_what_is_too_old_is_erased_at_the_start_and_told(
    program: Program, command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def keep(store: Store) -> None:
        kept = await fill(store, GONE)
        statement = "UPDATE conversation SET updated_at = '2020-01-01T00:00:00.000000+00:00' WHERE id = ?"
        await store._writer.write(lambda connection: connection.execute(statement, (kept,)))

    in_store(keep)
    monkeypatch.setenv("HYBRIDCHAT_RETENTION_DAYS", "365")
    with program("four", "ask", "what is 2+2?") as process:
        out, err = process.communicate()
    assert out == b"four\n"
    assert b"1 conversation that nobody wrote to for 365 days erased" in err
    assert _traces(home) == []
    assert len(command("history", "list").out.splitlines()) == 1


def test_an_erasure_needs_no_event_loop_of_its_own(home: Path) -> None:
    settings = load().settings
    assert erasure.doomed(settings, with_settings=True) == []
    assert asyncio.run(erasure.finish(settings, _no_credentials())) == erasure.Erased(0, ())


def _no_credentials() -> Any:
    from hybridchat.cli import wiring  # noqa: PLC0415 - one use

    return wiring.new_credentials(load().settings)


class Keyring(KeyringBackend):
    """A keyring that can be locked, and loses its lock in the middle of things."""

    priority = 5

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.locked_for = ""

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked_for and self.locked_for in username:
            raise KeyringError("locked")
        return self.entries.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[username]


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyring]:
    before, held = keyring.get_keyring(), Keyring()
    keyring.set_keyring(held)
    yield held
    keyring.set_keyring(before)


def test_the_keyrings_entries_are_named_and_erased_but_not_handed_over(
    command: Command, home: Path, keys: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRESET", "custom")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_URL", "https://own.example/v1")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_KEY_NAME", "own")
    _kept_everywhere(home, monkeypatch)
    assert command("keys", "set", "own", stdin="sk-hidden\n").code == 0
    assert command("store", "encrypt").code == 0
    assert command("data", "export", str(home / "mine")).code == 0
    there = json.loads((home / "mine" / "keyring.json").read_text("utf-8"))
    assert {name for name, found in there.items() if found} == set(keys.entries)
    assert len(keys.entries) == 4
    everything = b"".join(file.read_bytes() for file in (home / "mine").rglob("*") if file.is_file())
    assert not any(secret.encode() in everything for secret in keys.entries.values())
    ended = command("data", "erase", "--everything", "--yes")
    assert ended.code == 0
    assert len(keys.entries) == 2  # of the new ledger
    verified = command("egress", "verify")
    assert verified.out == "intact: 1 row\n"


def test_what_a_keyring_does_not_give_up_is_told(
    command: Command, home: Path, keys: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kept_everywhere(home, monkeypatch)
    keys.locked_for = "ledger-head"
    ended = command("data", "erase", "--everything", "--yes")
    assert "stays in the OS keyring" in ended.err
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRESET", "none")
    assert command("data", "export", str(home / "mine")).code == 0
    assert "cannot be used" in (home / "mine" / "keyring.json").read_text("utf-8")
