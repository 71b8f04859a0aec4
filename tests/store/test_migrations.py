from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from hybridchat.errors import BadConfiguration, CannotWrite, HybridChatError
from hybridchat.store import migrations
from hybridchat.store.connection import connect
from hybridchat.store.database import Store
from hybridchat.store.schema import MIGRATIONS, Migration


def _add_a_note(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE conversation ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")


def _break(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE conversation ADD COLUMN half TEXT")
    connection.execute("SELECT * FROM nowhere")


LATER: tuple[Migration, ...] = (*MIGRATIONS, _add_a_note)


async def _one_conversation(path: Path) -> None:
    async with Store.open(path) as store:
        conversation = await store.conversations.create("kept")
        await store.conversations.add_user_message(conversation.id, None, "hello")


def _migrate(path: Path, steps: tuple[Migration, ...]) -> None:
    with closing(connect(path, 1.0)) as connection:
        migrations.migrate(connection, path, 1.0, steps)


def _value(path: Path, statement: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchone()[0]


async def test_a_new_database_needs_no_backup(path: Path) -> None:
    await _one_conversation(path)
    assert _value(path, "PRAGMA user_version") == len(MIGRATIONS)
    assert list(path.parent.glob("*.backup*")) == []


async def test_an_older_database_is_migrated_after_a_backup_that_only_its_owner_can_read(path: Path) -> None:
    await _one_conversation(path)
    _migrate(path, LATER)
    assert _value(path, "PRAGMA user_version") == len(LATER)
    assert _value(path, "SELECT note FROM conversation") == "none"
    backup = migrations.backup_path(path, len(MIGRATIONS))
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in path.parent.glob("*backup*")) == [backup.name]
    async with Store.open(backup) as store:
        assert [found.conversation.title for found in await store.search("hello")] == ["kept"]


async def test_a_migration_that_fails_leaves_the_database_as_it_was(path: Path) -> None:
    await _one_conversation(path)
    with pytest.raises(sqlite3.OperationalError):
        _migrate(path, (*MIGRATIONS, _break))
    assert _value(path, "PRAGMA user_version") == len(MIGRATIONS)
    assert _value(path, "SELECT count(*) FROM pragma_table_info('conversation') WHERE name = 'half'") == 0
    _migrate(path, LATER)
    assert _value(path, "PRAGMA user_version") == len(LATER)


async def test_migrations_before_the_one_that_fails_stay(path: Path) -> None:
    await _one_conversation(path)
    with pytest.raises(sqlite3.OperationalError):
        _migrate(path, (*LATER, _break))
    assert _value(path, "PRAGMA user_version") == len(LATER)
    assert [file.name for file in path.parent.glob("*backup*")] == [f"hybridchat.db.version-{len(MIGRATIONS)}.backup"]


async def test_without_room_for_a_backup_nothing_is_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await _one_conversation(path)
    backup = migrations.backup_path(path, len(MIGRATIONS))
    backup.with_name(f"{backup.name}.unfinished").mkdir()
    monkeypatch.setattr(migrations.migrate, "__defaults__", (LATER, None))
    with pytest.raises(CannotWrite):
        Store.open(path)
    assert _value(path, "PRAGMA user_version") == len(MIGRATIONS)


async def test_two_programs_that_migrate_at_once_do_so_once(path: Path) -> None:
    await _one_conversation(path)
    first_is_inside, second_waits = threading.Event(), threading.Event()
    times = 0

    def slow(connection: sqlite3.Connection) -> None:
        nonlocal times
        times += 1
        first_is_inside.set()
        assert second_waits.wait(30)
        _add_a_note(connection)

    def second() -> None:
        assert first_is_inside.wait(30)
        with closing(connect(path, 30.0)) as connection:
            connection.set_trace_callback(lambda sql: second_waits.set() if sql.startswith("BEGIN") else None)
            migrations.migrate(connection, path, 30.0, (*MIGRATIONS, slow))

    def first() -> None:
        with closing(connect(path, 30.0)) as connection:
            migrations.migrate(connection, path, 30.0, (*MIGRATIONS, slow))

    await asyncio.gather(asyncio.to_thread(first), asyncio.to_thread(second))
    assert times == 1
    assert _value(path, "PRAGMA user_version") == len(LATER)


def test_a_newer_database_is_refused_and_left_untouched(path: Path) -> None:
    asyncio.run(_one_conversation(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    with pytest.raises(BadConfiguration, match="newer hybridchat") as refused:
        Store.open(path)
    assert "Update hybridchat" in refused.value.hint
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_untouched(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    before = path.read_bytes()
    with pytest.raises(HybridChatError, match="another program's database"):
        Store.open(path)
    assert path.read_bytes() == before


async def test_many_may_open_a_new_database_at_once(path: Path) -> None:
    stores = await asyncio.gather(*(asyncio.to_thread(Store.open, path, patience=60.0) for _ in range(8)))
    await asyncio.gather(*(store.conversations.create("x") for store in stores))
    assert len(await stores[0].conversations.list()) == 8
    for store in stores:
        await store.aclose()
