from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hybridchat.errors import BadConfiguration, CannotWrite, HybridChatError, InputError, KeyMissing
from hybridchat.messages import Status
from hybridchat.store import conversion, encryption, migrations
from hybridchat.store.connection import connect
from hybridchat.store.database import Store
from hybridchat.store.encryption import FileKey
from hybridchat.store.records import Outcome, Sent
from hybridchat.store.schema import MIGRATIONS
from tests.killing import STOPS
from tests.store.conftest import LOCAL
from tests.store.guards import MemoryGuard

SECRET = "Wolpertinger"
OLD, NEW = FileKey(b"o" * 32, b"a" * 16), FileKey(b"n" * 32, b"b" * 16)
GUARD = MemoryGuard(b"k" * 32)


@pytest.fixture(autouse=True)
def _empty_keyring() -> None:
    GUARD.head = None


def unlock(*keys: FileKey) -> encryption.Unlock:
    def find(_salt: bytes) -> Iterator[FileKey]:
        yield from keys

    return find


async def _fill(path: Path, *keys: FileKey) -> None:
    async with Store.open(path, guard=GUARD, unlock=unlock(*keys)) as store:
        conversation = await store.conversations.create(f"about a {SECRET}")
        for number in range(20):
            asked = await store.conversations.add_user_message(conversation.id, None, f"{SECRET} {number} Größe")
            answer = await store.conversations.begin_answer(conversation.id, asked.id, LOCAL)
            store.conversations.journal(answer.id, f"answer {number}")
            await store.conversations.finish_answer(answer.id, Status.COMPLETE, LOCAL)
        await store.ledger.outcome(
            await store.ledger.sent(Sent("c", "m", "r", "e", "u", "m", b"")), Outcome("complete")
        )


async def _check(path: Path, *keys: FileKey) -> None:
    """Everything that ``_fill`` kept is there, is found, and can be added to."""
    async with Store.open(path, guard=GUARD, unlock=unlock(*keys)) as store:
        (conversation, *_) = await store.conversations.list()
        messages = await store.conversations.tree(conversation.id)
        assert [message.content for message in messages[:2]] == [f"{SECRET} 0 Größe", "answer 0"]
        assert len(messages) == 40
        assert len(await store.search("wolpertinger grosse")) == 0
        assert len(await store.search("wolpertinger größe 7")) == 1
        assert (await store.ledger.verify()).intact
        await store.conversations.rename(conversation.id, "another title")


def _bytes_of(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.rglob("*") if file.is_file())


def test_an_encrypted_store_keeps_everything_finds_it_and_shows_nothing(path: Path) -> None:
    asyncio.run(_fill(path))
    assert SECRET.encode() in _bytes_of(path)
    conversion.convert(path, None, NEW)
    assert encryption.salt_of(path) == NEW.salt
    assert path.stat().st_mode & 0o777 == 0o600
    asyncio.run(_check(path, NEW))
    content = _bytes_of(path)
    for trace in (SECRET, SECRET.lower(), "answer 7", "CREATE TABLE", "SQLite format"):
        assert trace.encode() not in content
    conversion.convert(path, NEW, OLD)
    asyncio.run(_check(path, OLD))
    conversion.convert(path, OLD, None)
    asyncio.run(_check(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        connection.execute("INSERT INTO content_index (content_index, rank) VALUES ('integrity-check', 1)")


def test_what_is_written_to_an_encrypted_store_is_encrypted_too(path: Path) -> None:
    async def write() -> bytes:
        async with Store.open(path, unlock=unlock(NEW)) as store:
            conversation = await store.conversations.create(SECRET)
            answer = await store.conversations.begin_answer(conversation.id, None, LOCAL)
            store.conversations.journal(answer.id, SECRET)
            await store.conversations.flush()
            return _bytes_of(path)

    asyncio.run(_fill(path))
    conversion.convert(path, None, NEW)
    assert SECRET.encode() not in asyncio.run(write())
    assert SECRET.lower().encode() not in _bytes_of(path)


def test_two_stores_of_one_process_share_an_encrypted_file(path: Path) -> None:
    async def both() -> None:
        async with Store.open(path, unlock=unlock(NEW)) as one, Store.open(path, unlock=unlock(NEW)) as two:
            made = await one.conversations.create("from one")
            assert (await two.conversations.get(made.id)).title == "from one"

    asyncio.run(_fill(path))
    conversion.convert(path, None, NEW)
    asyncio.run(both())


def test_a_wrong_key_is_an_error_and_changes_nothing(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_fill(path))
    conversion.convert(path, None, NEW)
    before = path.read_bytes()
    with pytest.raises(KeyMissing, match="does not open") as wrong:
        Store.open(path, unlock=unlock(OLD))
    assert wrong.value.exit_code == 77
    with pytest.raises(KeyMissing, match="no key was given"):
        Store.open(path)
    assert path.read_bytes() == before
    assert capfd.readouterr() == ("", "")
    asyncio.run(_check(path, OLD, NEW))  # the second one fits


def test_without_the_package_an_encrypted_store_says_what_is_missing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_fill(path))
    conversion.convert(path, None, NEW)
    monkeypatch.setitem(sys.modules, "sqlcipher3", None)
    with pytest.raises(BadConfiguration, match="SQLCipher") as missing:
        Store.open(path, unlock=unlock(NEW))
    assert "hybridchat[encryption]" in missing.value.hint


def test_a_passphrase_makes_the_same_key_however_it_is_typed() -> None:
    salt = encryption.new_salt()
    composed = FileKey.from_passphrase("Gr\u00f6\u00dfe", salt)
    assert FileKey.from_passphrase("Gro\u0308\u00dfe", salt).as_sql == composed.as_sql
    assert FileKey.from_passphrase("Gr\u00f6\u00dfe", encryption.new_salt()).as_sql != composed.as_sql
    assert composed.as_sql not in repr(composed)


def test_a_damaged_encrypted_store_is_told_and_left_alone(path: Path) -> None:
    asyncio.run(_fill(path))
    conversion.convert(path, None, NEW)
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        asyncio.run(_check(path, NEW))
    with pytest.raises(HybridChatError):
        conversion.convert(path, NEW, None)
    assert not path.with_name(path.name + ".fresh").exists()


def test_a_store_that_is_open_is_not_converted(path: Path) -> None:
    async def attempt() -> None:
        async with Store.open(path) as store:
            await store.conversations.list()
            holder = await asyncio.create_subprocess_exec(
                sys.executable, "-c", CONVERTS, path, "0", stderr=asyncio.subprocess.PIPE
            )
            _, told = await holder.communicate()
            assert holder.returncode == 1
            assert b"Another hybridchat has" in told

    asyncio.run(_fill(path))
    asyncio.run(attempt())
    asyncio.run(_check(path))


def test_only_one_conversion_runs_at_a_time(path: Path) -> None:
    asyncio.run(_fill(path))
    with conversion._conversion_lock(path), pytest.raises(CannotWrite, match="just encrypting"):
        conversion.convert(path, None, NEW)


def test_a_copy_that_differs_is_thrown_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_fill(path))
    monkeypatch.setattr(conversion, "_equal", lambda _: False)
    with pytest.raises(HybridChatError, match="differs"):
        conversion.convert(path, None, NEW)
    asyncio.run(_check(path))
    assert not path.with_name(path.name + ".fresh").exists()


def test_a_copy_that_lacks_a_row_differs(path: Path, tmp_path: Path) -> None:
    asyncio.run(_fill(path))
    fresh = tmp_path / "fresh.db"
    with closing(encryption.connect(str(path), 1.0, None)) as connection:
        connection.execute("ATTACH DATABASE ? AS fresh KEY ''", (str(fresh),))
        connection.execute("SELECT sqlcipher_export('fresh')")
        assert conversion._equal(connection)
        connection.execute("DELETE FROM fresh.journal")
        connection.execute("UPDATE fresh.message SET content = 'other' WHERE number = 3")
        assert not conversion._equal(connection)
        connection.execute("DROP TABLE fresh.journal")
        assert not conversion._equal(connection)


CONVERTS = (
    STOPS
    + """
import os, signal, sys
from pathlib import Path
from hybridchat.store import conversion, private
from hybridchat.store.encryption import FileKey

path, moment = Path(sys.argv[1]), int(sys.argv[2])

for name in ("open", "link", "fsync"):
    setattr(os, name, stops(getattr(os, name)))
Path.replace, Path.unlink, Path.open = stops(Path.replace), stops(Path.unlink), stops(Path.open)
conversion._equal = stops(conversion._equal)
keys = {"old": FileKey(b"o" * 32, b"a" * 16), "new": FileKey(b"n" * 32, b"b" * 16), "none": None}
old, new = (sys.argv[3:] or ["none", "new"])
conversion.convert(path, keys[old], keys[new])
"""
)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize(("old", "new"), [("none", "new"), ("old", "new"), ("old", "none")])
def test_killed_at_any_step_the_store_opens_with_the_old_or_the_new_key(path: Path, old: str, new: str) -> None:
    keys = {"old": OLD, "new": NEW, "none": None}
    asyncio.run(_fill(path))
    if keys[old] is not None:
        conversion.convert(path, None, keys[old])
    original = path.read_bytes()
    outcomes: list[str] = []
    for moment in range(1, 40):
        with contextlib.suppress(FileNotFoundError):
            for file in path.parent.glob("hybridchat.db*"):
                if file.is_file():
                    file.unlink()
        path.write_bytes(original)
        done = subprocess.run(
            [sys.executable, "-c", CONVERTS, str(path), str(moment), old, new], capture_output=True, check=False
        )
        salt = encryption.salt_of(path)
        outcomes.append("new" if salt == (None if new == "none" else NEW.salt) else "old")
        asyncio.run(_check(path, OLD, NEW))
        left = {file.name for file in path.parent.glob("*") if file.is_file() and file.stat().st_size}
        assert left == {path.name}
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    else:
        pytest.fail("it never came to its end")
    assert len(outcomes) > 8
    assert outcomes == sorted(outcomes, reverse=True)  # old, old ... new, new
    assert {"old", "new"} == set(outcomes)


def test_the_old_content_is_overwritten_before_it_is_removed(path: Path) -> None:
    asyncio.run(_fill(path))
    link = path.with_name("second name")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    link.hardlink_to(path)
    conversion.convert(path, None, NEW)
    assert SECRET.encode() not in link.read_bytes()
    assert set(link.read_bytes()) == {0}


def test_a_disk_without_hard_links_is_no_hindrance(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise OSError("not supported")

    asyncio.run(_fill(path))
    monkeypatch.setattr("os.link", link)
    conversion.convert(path, None, NEW)
    asyncio.run(_check(path, NEW))


def test_backups_of_migrations_are_encrypted_as_the_store_is(path: Path) -> None:
    def more(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE conversation ADD COLUMN note TEXT")

    asyncio.run(_fill(path))
    conversion.convert(path, None, NEW)
    with closing(connect(path, 1.0, NEW)) as connection:
        migrations.migrate(connection, path, 1.0, (*MIGRATIONS, more), NEW)
    (backup,) = migrations.backups(path)
    assert encryption.salt_of(backup) == NEW.salt
    assert SECRET.encode() not in backup.read_bytes()
    asyncio.run(_check(backup, NEW))


def test_who_opens_the_store_during_the_swap_finds_the_new_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_fill(path))
    real = encryption.find_key
    swapped: list[bool] = []

    def late(place: Path | None, unlocking: encryption.Unlock | None) -> FileKey | None:
        found = real(place, unlocking)
        if not swapped:
            swapped.append(True)
            done = subprocess.run([sys.executable, "-c", CONVERTS, str(path), "0"], check=True)
            assert done.returncode == 0
        return found

    monkeypatch.setattr(encryption, "find_key", late)
    asyncio.run(_check(path, NEW))
    assert swapped
    assert encryption.salt_of(path) == NEW.salt
