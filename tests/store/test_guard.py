from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hybridchat.errors import Blocked, CannotWrite, KeyMissing, KeyUnusable
from hybridchat.store import chain
from hybridchat.store.chain import Seal
from hybridchat.store.database import Store
from hybridchat.store.guard import GuardedChain, KeptHead
from hybridchat.store.records import Outcome, Sent
from tests.store.guards import FileGuard, MemoryGuard

KEY = b"k" * 32
SENT = Sent("c", "m", "asked", "huggingface", "https://example.org", "llama", b"{}")


async def _fill(store: Store, calls: int = 3) -> None:
    for _ in range(calls):
        await store.ledger.outcome(await store.ledger.sent(SENT), Outcome("complete", cost=0.5))


def _tamper(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for trigger in ("ledger_is_not_changed", "ledger_is_not_deleted", "ledger_has_no_gaps"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("left", range(6))
async def test_a_cut_off_end_is_noticed_and_stops_sending(path: Path, left: int) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        await _fill(store)
        found = await store.ledger.verify()
        assert (found.intact, found.head_is_kept, found.keyed) == (True, True, 6)
    _tamper(path, f"DELETE FROM ledger WHERE number > {left}")
    async with Store.open(path, guard=guard) as store:
        found = await store.ledger.verify()
        assert (found.broken_at, found.problem) == (left + 1, f"Rows {left + 1} to 6 were cut off.")
        with pytest.raises(Blocked, match="nothing was sent") as refused:
            await store.ledger.sent(SENT)
        assert "egress restart" in refused.value.hint
        assert len(await store.ledger.raw()) == left


def test_a_database_put_back_from_an_older_copy_is_noticed(path: Path) -> None:
    guard = MemoryGuard(KEY)

    async def fill() -> None:
        async with Store.open(path, guard=guard) as store:
            await _fill(store, 1)

    async def problem() -> str:
        async with Store.open(path, guard=guard) as store:
            return (await store.ledger.verify()).problem

    asyncio.run(fill())
    older = path.read_bytes()
    asyncio.run(fill())
    path.write_bytes(older)
    assert asyncio.run(problem()) == "Rows 3 to 4 were cut off."
    path.unlink()
    assert asyncio.run(problem()) == "Rows 1 to 4 were cut off."


async def test_rows_that_were_replaced_by_others_under_the_same_numbers_are_noticed(path: Path) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        await _fill(store)
    _tamper(path, "DELETE FROM ledger WHERE number > 4")
    async with Store.open(path, guard=None) as store:  # someone with the program, but without the keyring
        await _fill(store)
    async with Store.open(path, guard=guard) as store:
        found = await store.ledger.verify()
        assert found.broken_at == 6
        assert "rewritten" in found.problem
        with pytest.raises(Blocked):
            await store.ledger.sent(SENT)


async def test_a_change_cannot_be_covered_up_by_a_row_that_begins_a_new_chain(path: Path) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        await _fill(store)
    _tamper(path, "UPDATE ledger SET entry = replace(entry, 'asked', 'forced') WHERE number = 3")
    async with Store.open(path, guard=None) as store:
        await store.ledger.restart(guarded=False)
    async with Store.open(path, guard=guard) as store:
        assert (await store.ledger.verify()).broken_at == 3


async def test_a_new_chain_tells_what_was_wrong_with_the_old_one(path: Path) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        await _fill(store)
    _tamper(
        path,
        "UPDATE ledger SET entry = replace(entry, 'asked', 'forced') WHERE number = 3",
        "DELETE FROM ledger WHERE number = 6",
    )
    async with Store.open(path, guard=guard) as store:
        assert await store.ledger.restart(guarded=True) == 6
        await _fill(store, 1)
        found = await store.ledger.verify()
        assert (found.intact, found.rows) == (True, 3)
        assert "the user began a new chain" in found.notes[0]
        assert "did not fit at row 3" in found.notes[0]


async def test_a_locked_keyring_stops_sending_where_the_chain_is_guarded(path: Path) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        await _fill(store, 1)
    async with Store.open(path, guard=MemoryGuard(None)) as store:
        with pytest.raises(KeyMissing, match="no keyring here") as refused:
            await store.ledger.sent(SENT)
        assert "--unguarded" in refused.value.hint
        with pytest.raises(KeyMissing):
            await store.ledger.verify()
        await store.ledger.restart(guarded=False)
        await _fill(store, 1)
        found = await store.ledger.verify()
        assert (found.intact, found.keyed, found.head_is_kept) == (True, 0, False)
        assert "no key guards" in found.notes[0]


async def test_without_any_keyring_the_chain_stands_unguarded_and_says_so(path: Path) -> None:
    async with Store.open(path, guard=MemoryGuard(None)) as store:
        await _fill(store)
        found = await store.ledger.verify()
        assert (found.rows, found.keyed, found.intact, found.head_is_kept) == (6, 0, True, False)
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        await _fill(store)
        found = await store.ledger.verify()
        assert (found.rows, found.keyed, found.intact, found.head_is_kept) == (12, 6, True, True)


async def test_a_keyring_that_gives_another_key_each_time_stops_sending(path: Path) -> None:
    async with Store.open(path, guard=MemoryGuard(KEY)) as store:
        await _fill(store, 1)
    async with Store.open(path, guard=MemoryGuard(b"another")) as store:
        with pytest.raises(Blocked, match="its key in the OS keyring"):
            await store.ledger.sent(SENT)


async def test_a_keyring_that_holds_nonsense_is_an_error(path: Path) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        await _fill(store, 1)
        guard.head = "nonsense"
        for attempt in (store.ledger.sent(SENT), store.ledger.verify()):
            with pytest.raises(KeyUnusable, match="damaged"):
                await attempt
        assert await store.ledger.restart(guarded=True) == 3
        assert (await store.ledger.verify()).intact


async def test_a_keyring_that_fails_while_a_row_is_announced_sends_nothing(path: Path) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        number = await store.ledger.sent(SENT)
        guard.secret = None
        with pytest.raises(KeyMissing):
            await store.ledger.sent(SENT)
        await store.ledger.outcome(number, Outcome("complete"))  # what has happened is kept all the same
        guard.secret = KEY
        found = await store.ledger.verify()
        assert (found.rows, found.intact) == (2, True)
        await _fill(store, 1)
        assert (await store.ledger.verify()).intact


async def test_a_program_without_the_lock_cannot_come_in_between(path: Path) -> None:
    async with Store.open(path) as store:
        row = await store._writer.run(lambda connection: chain.following(connection, Seal(None), None, "{}"))
        await store.ledger.sent(SENT)
        with pytest.raises(CannotWrite, match="at the same time"):
            await store._writer.write(lambda connection: chain.append(connection, row))


async def test_who_waits_too_long_for_another_process_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock  # noqa: PLC0415 - only this test needs it

    monkeypatch.setattr("hybridchat.store.guard._PATIENCE", 0.0)
    async with Store.open(path) as store:
        with (
            FileLock(path.with_name(path.name + ".ledger.lock")),
            pytest.raises(CannotWrite, match="does not come to an end"),
        ):
            await store.ledger.sent(SENT)


async def test_a_cancelled_append_comes_to_its_end(path: Path) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        task = asyncio.create_task(store.ledger.sent(SENT))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        found = await store.ledger.verify()
        assert found.intact
        await _fill(store, 1)
        assert (await store.ledger.verify()).intact


DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from hybridchat.store import guard
from hybridchat.store.connection import Worker
from hybridchat.store.database import Store
from hybridchat.store.records import Sent
from tests.store.guards import FileGuard

place, keyring, moment = sys.argv[1:]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def at(name):
    def call(text):
        step = "settling" if '"announced":null' in text else "announcing"
        if moment == f"{name} {step}":
            die()
    return call

real = guard.chain.append
def append(connection, row):
    if moment == "before appending":
        die()
    real(connection, row)
    if moment == "before committing":
        die()
guard.chain.append = append

async def main():
    async with Store.open(Path(place), guard=FileGuard(Path(keyring), at("before"), at("after"))) as store:
        await store.ledger.sent(Sent("c", "m", "r", "e", "u", "m", b"x"))
        print("settled", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("moment", "rows"),
    [
        ("before announcing", 2),
        ("after announcing", 2),
        ("before appending", 2),
        ("before committing", 2),
        ("before settling", 3),
        ("after settling", 3),
    ],
)
async def test_a_process_killed_while_it_appends_is_no_tampering(
    path: Path, tmp_path: Path, moment: str, rows: int
) -> None:
    keyring = tmp_path / "keyring"
    async with Store.open(path, guard=FileGuard(keyring)) as store:
        await _fill(store, 1)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, path, keyring, moment, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert printed == b""  # so that nothing was sent
    async with Store.open(path, guard=FileGuard(keyring)) as store:
        found = await store.ledger.verify()
        assert (found.rows, found.intact) == (rows, True)
        await _fill(store, 1)
        found = await store.ledger.verify()
        assert (found.rows, found.intact, found.head_is_kept) == (rows + 2, True, True)
    _tamper(path, f"DELETE FROM ledger WHERE number = {rows + 2}")
    async with Store.open(path, guard=FileGuard(keyring)) as store:
        assert (await store.ledger.verify()).broken_at == rows + 2


WRITES = """
import asyncio, sys
from pathlib import Path
from hybridchat.store.database import Store
from hybridchat.store.records import Outcome, Sent
from tests.store.guards import FileGuard

async def main():
    async with Store.open(Path(sys.argv[1]), guard=FileGuard(Path(sys.argv[2]))) as store:
        for _ in range(10):
            number = await store.ledger.sent(Sent("c", "m", "r", "e", "u", "m", b""))
            await store.ledger.outcome(number, Outcome("complete"))

asyncio.run(main())
"""


async def test_several_processes_keep_the_head_right(path: Path, tmp_path: Path) -> None:
    keyring = tmp_path / "keyring"
    async with Store.open(path, guard=FileGuard(keyring)):
        processes = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", WRITES, path, keyring) for _ in range(3)
        ]
        assert await asyncio.gather(*(process.wait() for process in processes)) == [0, 0, 0]
    async with Store.open(path, guard=FileGuard(keyring)) as store:
        found = await store.ledger.verify()
        assert (found.rows, found.keyed, found.intact, found.head_is_kept) == (60, 60, True, True)
        head = await store._writer.run(chain.head)
        assert await GuardedChain(store._writer, FileGuard(keyring), None).kept_head() == KeptHead(head or (0, b""))


async def test_old_rows_are_dropped_so_that_the_rest_still_fits_and_says_so(path: Path) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        assert await store.ledger.drop_before(datetime.now(UTC)) == 0
        await _fill(store, 2)
        late = await store.ledger.sent(SENT)
        between = datetime.now(UTC)
        await store.ledger.outcome(late, Outcome("complete"))
        await _fill(store, 1)
        assert await store.ledger.drop_before(between - timedelta(days=1)) == 0
        assert await store.ledger.drop_before(between) == 4  # the late outcome's other half stays with it
        found = await store.ledger.verify()
        assert (found.rows, found.intact, found.head_is_kept) == (5, True, True)
        assert "4 rows up to row 4 were dropped" in found.notes[0]
        assert [entry.number for entry in await store.ledger.list()] == [7, 5]
        assert await store.ledger.drop_before(datetime.now(UTC) + timedelta(days=1)) == 5
        assert await store.ledger.list() == []
        await _fill(store, 1)
        assert (await store.ledger.verify()).intact
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            store._writer._connection.execute("DELETE FROM ledger")
    _tamper(path, "DELETE FROM ledger WHERE number = 12")
    async with Store.open(path, guard=guard) as store:
        assert not (await store.ledger.verify()).intact


async def test_dropping_cannot_be_forged_without_the_key(path: Path) -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(path, guard=guard) as store:
        await _fill(store, 2)
    async with Store.open(path) as store:
        await store.ledger.sent(SENT)
        before = (await store.ledger.raw())[1][4]
    forged = f'{{"event":"dropped","last":2,"mac":"{before}","rows":2,"note":"x","time":"2026"}}'
    async with Store.open(path) as store:

        def forge(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO ledger SELECT 6, NULL, ?, 'sha256', ?", (forged, b""))
            row = chain.following(connection, Seal(None), None, forged)
            connection.execute("UPDATE ledger SET mac = ? WHERE number = 6", (row.mac,))

        store._writer._connection.executescript(
            "DROP TRIGGER IF EXISTS ledger_is_not_changed; DROP TRIGGER IF EXISTS ledger_is_not_deleted"
        )
        await store._writer.write(forge)
        await store._writer.write(lambda c: c.execute("DELETE FROM ledger WHERE number <= 2"))
    async with Store.open(path, guard=guard) as store:
        assert (await store.ledger.verify()).broken_at == 1
