from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hybridchat.errors import CannotWrite
from hybridchat.messages import Status, TokenLogprob
from hybridchat.store import erasing
from hybridchat.store.connection import connect
from hybridchat.store.database import Store
from hybridchat.store.migrations import backup_path
from hybridchat.store.records import Outcome, Sent
from hybridchat.store.retention import apply_retention
from tests.killing import STOPS
from tests.store.conftest import LOCAL
from tests.store.guards import MemoryGuard

GONE, KEPT = "wolpertinger", "elwetritsch"


async def fill(store: Store, word: str) -> str:
    """Keep ``word`` wherever a conversation can have it, and return the conversation's id."""
    conversation = await store.conversations.create(f"{word} in a title")
    asked = await store.conversations.add_user_message(conversation.id, None, f"{word.upper()}{'x' * 5000}{word}")
    answer = await store.conversations.begin_answer(conversation.id, asked.id, LOCAL)
    store.conversations.journal(answer.id, f"{word} in the journal", [TokenLogprob(word, -0.5)])
    await store.conversations.flush()
    await store.conversations.finish_answer(answer.id, Status.COMPLETE, LOCAL)
    for number in range(30):
        await store.conversations.add_user_message(conversation.id, answer.id, f"{word}{number} again")
    await store.conversations.rename(conversation.id, f"{word} in another title")
    await store.contexts.add_private_words(conversation.id, [f"{word} is private"])
    return conversation.id


def traces(path: Path, word: str) -> list[str]:
    """Return the files that hold ``word`` in any case or encoding."""
    needles = [needle.encode(code) for needle in (word, word.upper()) for code in ("utf-8", "utf-16-le", "utf-16-be")]
    files = [file for file in path.parent.rglob("*") if file.is_file()]
    return [file.name for file in files if any(needle in file.read_bytes() for needle in needles)]


def back_up(path: Path) -> None:
    with closing(connect(path, 1.0)) as source, closing(sqlite3.connect(backup_path(path, 1))) as copy:
        source.backup(copy)


def test_what_is_erased_leaves_no_byte_in_any_file(path: Path) -> None:
    async def erase() -> None:
        async with Store.open(path) as store:
            gone = await fill(store, GONE)
            await fill(store, KEPT)
            back_up(path)
            assert "hybridchat.db.version-1.backup" in traces(path, GONE)
            extent = await store.erasing.extent([gone])
            assert (extent.conversations, extent.messages, len(extent.backups)) == ((gone,), 32, 1)
            await store.erasing.erase([gone])
            assert traces(path, GONE) == []  # while the store is still open
            assert [hit.message is None for hit in await store.search(KEPT)][:1] == [True]
            assert await store.search(GONE) == []

    asyncio.run(erase())
    assert traces(path, GONE) == []
    assert traces(path, KEPT) == ["hybridchat.db"]
    assert sorted(file.name for file in path.parent.glob("*.erasing*")) == []


ERASES = (
    STOPS
    + """
import asyncio, os, signal, sys
from pathlib import Path
from hybridchat.store import erasing
from hybridchat.store.database import Store

path, moment, conversation = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

async def main():
    async with Store.open(path) as store:
        for name in ("open", "fsync"):
            setattr(os, name, stops(getattr(os, name)))
        Path.unlink, Path.open, erasing.transaction = stops(Path.unlink), stops(Path.open), stops(erasing.transaction)
        store._writer._connection.set_trace_callback(lambda statement: stops(lambda: None)())
        await store.erasing.erase([conversation])

asyncio.run(main())
"""
)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_an_erasure_that_is_killed_is_brought_to_its_end_at_the_next_start(path: Path) -> None:
    async def made() -> str:
        async with Store.open(path) as store:
            await fill(store, KEPT)
            return await fill(store, GONE)

    async def open_again() -> int:
        async with Store.open(path) as store:
            return len(await store.conversations.list())

    gone = asyncio.run(made())
    back_up(path)
    files = {file: file.read_bytes() for file in path.parent.glob("hybridchat.db*") if file.is_file()}
    left: list[int] = []
    for moment in range(1, 200, 2):
        for file in path.parent.glob("hybridchat.db*"):
            if file.is_file():
                file.unlink()
        for file, content in files.items():
            file.write_bytes(content)
        command = [sys.executable, "-c", ERASES, str(path), str(moment), gone]
        done = subprocess.run(command, capture_output=True, check=False)
        begun = path.with_name("hybridchat.db.erasing").exists() and done.returncode != 0
        left.append(asyncio.run(open_again()))
        if left[-1] == 1:
            assert traces(path, GONE) == []
        assert left[-1] == 1 or not begun or moment < 4
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert left == sorted(left, reverse=True)
    assert set(left) == {1, 2}


def test_who_still_reads_the_old_pages_puts_the_end_off(path: Path) -> None:
    async def erase() -> None:
        async with Store.open(path, patience=0.05) as store:
            gone = await fill(store, GONE)
            with closing(sqlite3.connect(path, isolation_level=None)) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM message").fetchone()
                with pytest.raises(CannotWrite, match=r"log|holds"):
                    await store.erasing.erase([gone])
                assert await store.conversations.list() == []
                async with Store.open(path, patience=0.05) as other:  # the end is put off once more
                    assert await other.conversations.list() == []
                assert path.with_name("hybridchat.db.erasing").exists()

    async def open_again() -> None:
        async with Store.open(path):
            pass

    asyncio.run(erase())
    asyncio.run(open_again())
    assert traces(path, GONE) == []
    assert not path.with_name("hybridchat.db.erasing").exists()


def test_a_note_that_was_not_written_to_its_end_means_that_nothing_had_begun(path: Path) -> None:
    async def made() -> None:
        async with Store.open(path) as store:
            await fill(store, KEPT)

    async def count() -> int:
        async with Store.open(path) as store:
            return len(await store.conversations.list())

    asyncio.run(made())
    note = path.with_name("hybridchat.db.erasing")
    note.write_bytes(b'["01')
    assert asyncio.run(count()) == 1
    assert not note.exists()


async def test_conversations_are_chosen_by_when_something_was_said(store: Store) -> None:
    long_ago, now = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC)
    conversation = await fill(store, KEPT)
    day = timedelta(days=1)
    assert await store.erasing.in_period(None, None) == (conversation,)
    assert await store.erasing.in_period(long_ago, now - day) == ()
    assert await store.erasing.in_period(now - day, now + day) == (conversation,)
    assert await store.erasing.in_period(now + day, None) == ()
    assert await store.erasing.unused_since(now - day) == ()
    assert await store.erasing.unused_since(now + day) == (conversation,)
    await store.conversations.begin_answer(conversation, None, LOCAL)
    assert await store.erasing.unused_since(now + day) == ()


def test_unsent_drafts_go_by_when_they_were_last_changed(path: Path) -> None:
    now, day = datetime.now(UTC), timedelta(days=1)

    async def erase() -> None:
        async with Store.open(path) as store:
            conversation = (await store.conversations.create("old")).id
            await store.drafts.keep(None, f"{GONE} for a new chat")
            await store.drafts.keep(conversation, f"{GONE} for an old one")
            assert await store.erasing.drafts_in_period(None, now - day) == ()
            assert await store.erasing.drafts_in_period(now + day, None) == ()
            drafts = await store.erasing.drafts_in_period(now - day, now + day)
            assert set(drafts) == {"", conversation}
            assert (await store.erasing.extent([], drafts)).drafts == drafts
            await store.erasing.erase([], drafts)
            assert [one.id for one in await store.conversations.list()] == [conversation]
            assert traces(path, GONE) == []

    asyncio.run(erase())


async def test_retention_takes_old_drafts_and_leaves_what_is_still_written_to(store: Store) -> None:
    old, answered = [(await store.conversations.create(title)).id for title in ("old", "answered")]
    for place in (None, old, answered):
        await store.drafts.keep(place, "unsent")

    def age(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE conversation SET updated_at = '2020' WHERE id = ?", (old,))
        connection.execute("UPDATE draft SET kept_at = '2020' WHERE conversation_id IS NOT ?", (old,))

    await store._writer.run(age)
    assert await apply_retention(store, 1, None) == "2 unsent drafts not changed for 1 day erased"
    assert [await store.drafts.get(place) for place in (None, old, answered)] == ["", "unsent", ""]


async def test_what_is_kept_in_memory_can_be_erased_too() -> None:
    async with Store.open(None) as store:
        await store.erasing.erase([await fill(store, GONE)])
        assert await store.conversations.list() == []
    erasing.resume(store._writer._connection, None)


async def test_retention_erases_what_is_old_and_says_so(path: Path) -> None:
    guard = MemoryGuard(b"k" * 32)
    async with Store.open(path, guard=guard) as store:
        old, new = await fill(store, GONE), await fill(store, KEPT)
        await store.ledger.outcome(
            await store.ledger.sent(Sent("c", "m", "r", "e", "u", "m", b"")), Outcome("complete")
        )
        assert await apply_retention(store, 30, 30) == ""
        long_ago = (datetime.now(UTC) - timedelta(days=40)).isoformat()
        await store._writer.write(
            lambda connection: connection.execute(
                "UPDATE conversation SET updated_at = ? WHERE id = ?", (long_ago, old)
            )
        )
        assert await apply_retention(store, None, None) == ""
        assert await apply_retention(store, 30, None) == "1 conversation that nobody wrote to for 30 days erased"
        assert [one.id for one in await store.conversations.list()] == [new]
        guard.secret = None
        await store.conversations.delete(new)
    async with Store.open(path, guard=guard) as store:
        told = await apply_retention(store, None, -1)  # everything until tomorrow
        assert told.startswith("what is too old could not be erased: nothing was sent")
        guard.secret = b"k" * 32
        assert await apply_retention(store, None, -1) == "2 rows of the ledger older than -1 days dropped"
        assert (await store.ledger.verify()).intact
