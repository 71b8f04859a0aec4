from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest

from hybridchat.errors import BadConfiguration, CannotWrite, HybridChatError, InputError
from hybridchat.messages import Status
from hybridchat.store.database import Store
from hybridchat.store.failures import explained
from hybridchat.store.migrations import APPLICATION_ID
from hybridchat.store.schema import MIGRATIONS
from tests.store.conftest import LOCAL


def _run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in [folder, *folder.rglob("*")]}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
async def test_folder_and_files_are_for_their_owner_alone(path: Path) -> None:
    async with Store.open(path) as store:
        conversation = await store.conversations.create("one")
        await store.conversations.begin_answer(conversation.id, None, LOCAL)
        modes = _modes(path.parent)
    folders = {"data", "hybridchat.db.sessions"}
    assert {"hybridchat.db", "hybridchat.db-wal", "hybridchat.db-shm"} | folders <= set(modes)
    assert {mode for name, mode in modes.items() if name in folders} == {0o700}
    assert {mode for name, mode in modes.items() if name not in folders} == {0o600}


async def test_each_connection_keeps_the_rules(path: Path) -> None:
    def rules(connection: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "foreign_keys", "secure_delete")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    async with Store.open(path) as store:
        assert await store._writer.run(rules) == await store._reader.run(rules) == ["wal", 1, 1]
        with pytest.raises(CannotWrite):
            await store._reader.run(lambda connection: connection.execute("DELETE FROM message"))


@pytest.mark.parametrize("content", [b"this is no database, but a letter to a friend. " * 50, bytes(range(256)) * 40])
def test_a_file_that_is_no_database_is_refused_and_left_untouched(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or is no hybridchat database") as refused:
        Store.open(path)
    assert "Move the file away" in refused.value.hint
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == ["hybridchat.db"]


def test_a_damaged_database_is_an_error_that_says_so(path: Path) -> None:
    async def fill() -> str:
        async with Store.open(path) as store:
            conversation = await store.conversations.create("one")
            for _ in range(200):
                await store.conversations.add_user_message(conversation.id, None, "words " * 200)
            return conversation.id

    async def read(conversation_id: str) -> None:
        async with Store.open(path) as store:
            await store.conversations.tree(conversation_id)

    conversation_id = asyncio.run(fill())
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        asyncio.run(read(conversation_id))
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file" / "hybridchat.db", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(CannotWrite, match="cannot be kept in") as error:
            Store.open(place)
        assert "store.path" in error.value.hint


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs Unix permissions")
def test_a_read_only_place_is_an_error_with_a_hint(path: Path) -> None:
    async def fill() -> None:
        async with Store.open(path) as store:
            await store.conversations.create("one")

    asyncio.run(fill())
    for folder in path.parents:
        if "pytest-" in str(folder):
            folder.chmod(0o755)
    path.chmod(0o444)
    done = _run(
        """
        import encodings.idna, os, sys
        from pathlib import Path
        from hybridchat.errors import CannotWrite
        from hybridchat.store.database import Store

        if os.getuid() == 0:
            os.setuid(65534)  # root may write everywhere
        for place in (Path(sys.argv[1]), Path(sys.argv[1]).parent / "new.db"):
            try:
                Store.open(place)
            except CannotWrite as error:
                print(error.message, error.hint)
        """,
        path,
    )
    assert done.stderr == ""
    for told in ("attempt to write a readonly database", "Permission denied"):
        assert done.stdout.count(told) == 1
    assert done.stdout.count("folder writable") == 2


async def test_a_database_that_another_program_holds_is_an_error_with_a_hint(path: Path) -> None:
    async with Store.open(path, patience=0.01) as store:
        conversation = await store.conversations.create("one")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(CannotWrite, match="Another program holds") as held:
                await store.conversations.rename(conversation.id, "two")
            assert "Close what else" in held.value.hint
            other.execute("ROLLBACK")
        assert (await store.conversations.rename(conversation.id, "two")).title == "two"


def test_opening_a_database_that_another_program_holds_alone_is_an_error(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CannotWrite, match="Another program holds"):
            Store.open(path, patience=0.05)


def test_making_a_database_that_another_program_is_making_waits_and_then_says_so(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CannotWrite, match="Another program holds"):
            Store.open(path, patience=0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no RLIMIT_FSIZE")
def test_a_disk_that_is_full_loses_nothing_that_was_confirmed(path: Path) -> None:
    done = _run(
        """
        import asyncio, resource, sys
        from pathlib import Path
        from hybridchat.errors import CannotWrite
        from hybridchat.store.database import Store

        async def main():
            async with Store.open(Path(sys.argv[1])) as store:
                conversation = await store.conversations.create("one")
                resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
                for count in range(1000):
                    try:
                        await store.conversations.add_user_message(conversation.id, None, "x" * 20_000)
                    except CannotWrite as error:
                        print(count, error.message, error.hint)
                        break
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                await store.conversations.add_user_message(conversation.id, None, "there is room again")

        asyncio.run(main())
        """,
        path,
    )
    assert done.stderr == ""
    confirmed, _, told = done.stdout.partition(" ")
    assert "The disk did not take a change" in told
    assert "Free some space" in told

    async def kept() -> list[str]:
        async with Store.open(path) as store:
            (conversation,) = await store.conversations.list()
            return [message.content for message in await store.conversations.tree(conversation.id)]

    assert asyncio.run(kept()) == ["x" * 20_000] * int(confirmed) + ["there is room again"]


def test_a_sqlite_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(BadConfiguration, match="is too old"):
        Store.open(None)


def test_a_sqlite_without_full_text_search_is_named() -> None:
    with pytest.raises(BadConfiguration, match="full-text search"), explained("memory"):
        raise sqlite3.OperationalError("no such module: fts5")


def test_an_error_of_our_own_is_told_as_such() -> None:
    with (
        pytest.raises(HybridChatError, match="syntax error") as fault,
        explained("memory"),
        closing(sqlite3.connect(":memory:")) as connection,
    ):
        connection.execute("SELECT FROM")
    assert fault.value.exit_code == 70


def test_a_table_that_somebody_took_away_is_no_fault_of_ours() -> None:
    with (
        pytest.raises(InputError, match="changed outside of hybridchat"),
        explained("memory"),
        closing(sqlite3.connect(":memory:")) as connection,
    ):
        connection.execute("SELECT * FROM nowhere")


async def test_a_text_beyond_what_sqlite_holds_is_an_error(path: Path) -> None:
    async with Store.open(path) as store:
        conversation = await store.conversations.create("one")
        await store._writer.run(lambda connection: connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000))
        with pytest.raises(InputError, match="too long"):
            await store.conversations.add_user_message(conversation.id, None, "x" * 20_000)
        await store.conversations.add_user_message(conversation.id, None, "x")


async def test_the_event_loop_runs_on_while_the_disk_is_slow(path: Path) -> None:
    async with Store.open(path) as store:
        gate = threading.Event()
        slow = asyncio.ensure_future(store._writer.run(lambda connection: gate.wait(60)))
        queued = asyncio.ensure_future(store.conversations.create("after the gate"))
        assert await store.conversations.list() == []
        gate.set()
        assert await slow
        created = await queued
        assert await store.conversations.list() == [created]


async def test_closing_waits_for_what_is_queued(path: Path) -> None:
    store = Store.open(path)
    queued = [asyncio.ensure_future(store.conversations.create(str(number))) for number in range(20)]
    await asyncio.sleep(0)
    await store.aclose()
    assert len(await asyncio.gather(*queued)) == 20


async def test_a_megabyte_of_text_comes_back(store: Store) -> None:
    text = "Größe 🦊 漢字\n" * 80_000
    conversation = await store.conversations.create("one")
    message = await store.conversations.add_user_message(conversation.id, None, text)
    answer = await store.conversations.begin_answer(conversation.id, message.id, LOCAL)
    store.conversations.journal(answer.id, text)
    await store.conversations.finish_answer(answer.id, Status.COMPLETE, LOCAL)
    assert [message.content for message in await store.conversations.path(answer.id)] == [text, text]


def test_importing_the_package_loads_no_database() -> None:
    done = _run("import sys, hybridchat.store, hybridchat.store.records; print('sqlite3' in sys.modules)")
    assert done.stdout.strip() == "False"


def test_opening_a_store_to_read_loads_no_file_locks() -> None:
    done = _run(
        """
        import sys
        from hybridchat.store.database import Store

        store = Store.open(None)
        print("filelock" in sys.modules)
        """
    )
    assert done.stdout.strip() == "False"


async def test_a_caller_that_is_cancelled_still_learns_what_was_written(tmp_path: Path) -> None:
    async with Store.open(tmp_path / "store.db") as store:
        made: list[str] = []

        async def begin() -> None:
            made.append((await store.conversations.create("one")).id)
            await asyncio.Event().wait()

        caller = asyncio.create_task(begin())
        await asyncio.sleep(0)  # it waits for the writer now
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert made == [conversation.id for conversation in await store.conversations.list()]


async def test_a_store_that_cannot_be_written_can_be_read(path: Path) -> None:
    async with Store.open(path) as store:
        conversation = await store.conversations.create("one")
        async with Store.open(path, read_only=True) as reading:  # the log is there: it is read, too
            assert [found.title for found in await reading.conversations.list()] == ["one"]
    async with Store.open(path, read_only=True) as store:
        assert (await store.conversations.get(conversation.id)).title == "one"
        assert [hit.conversation.title for hit in await store.search("one")] == ["one"]
        with pytest.raises(CannotWrite):
            await store.conversations.rename(conversation.id, "two")


def test_what_is_not_there_cannot_be_read(path: Path) -> None:
    with pytest.raises(CannotWrite, match="does not exist"):
        Store.open(path, read_only=True)
    assert not path.parent.exists()


def test_an_older_store_that_cannot_be_written_cannot_be_read(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        MIGRATIONS[0](connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    with pytest.raises(CannotWrite, match="older hybridchat"):
        Store.open(path, read_only=True)
