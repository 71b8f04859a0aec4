from __future__ import annotations

import asyncio
import hashlib
import hmac
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hybridchat.errors import InputError, InputMissing, KeyMissing
from hybridchat.store.database import Store
from hybridchat.store.records import Outcome, Sent
from tests.store.guards import MemoryGuard

KEY = b"k" * 32
SENT = Sent(
    conversation_id="c1",
    message_id="m1",
    reason="The local model was unsure.",
    endpoint="huggingface",
    url="https://router.huggingface.co/v1/chat/completions",
    model="llama",
    payload=b'{"messages": []}',
    placeholders={"EMAIL": 2, "KEY": 1},
)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def _store(path: Path | None, key: bytes | None = KEY) -> Store:
    return Store.open(path, guard=MemoryGuard(key))


async def _fill(store: Store, turns: int = 3) -> None:
    for _ in range(turns):
        number = await store.ledger.sent(SENT)
        await store.ledger.outcome(number, Outcome("complete", 10, 20, 0.25, 1.5))


def _tamper(path: Path, *statements: str) -> None:
    """Do what someone with the file, but without the key, can do."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for trigger in ("ledger_is_not_changed", "ledger_is_not_deleted", "ledger_has_no_gaps"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            connection.execute(statement)


async def test_what_was_sent_is_listed_with_its_outcome_the_last_first() -> None:
    async with _store(None) as store:
        first = await store.ledger.sent(SENT)
        second = await store.ledger.sent(SENT)
        outcome = Outcome("try_later", error="Rate limit", seconds=0.5)
        await store.ledger.outcome(first, outcome)
        newest, oldest = await store.ledger.list()
        assert (newest.number, newest.outcome) == (second, None)
        assert (oldest.number, oldest.outcome) == (first, outcome)
        assert oldest.placeholders == {"EMAIL": 2, "KEY": 1}
        assert oldest.bytes == len(SENT.payload)
        assert (oldest.conversation_id, oldest.message_id, oldest.reason) == ("c1", "m1", SENT.reason)
        assert (oldest.endpoint, oldest.url, oldest.model) == (SENT.endpoint, SENT.url, SENT.model)
        assert datetime.now(UTC) - oldest.time < timedelta(hours=1)
        assert [entry.number for entry in await store.ledger.list(limit=1)] == [second]


async def test_the_payload_is_kept_as_a_hash_under_the_key_and_not_as_text(path: Path) -> None:
    secret = b"a very guessable sentence"
    async with _store(path) as store:
        await store.ledger.sent(Sent("c", "m", "r", "e", "u", "m", secret))
        (entry,) = await store.ledger.list()
    algorithm, _, digest = entry.payload_hash.partition(":")
    assert algorithm == entry.chained_with
    assert algorithm.startswith("hmac-sha256/")
    assert digest == hmac.digest(KEY, secret, "sha256").hex()
    content = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert secret not in content
    assert hashlib.sha256(secret).hexdigest().encode() not in content
    assert KEY not in content


async def test_without_a_key_rows_are_chained_all_the_same_and_say_so() -> None:
    async with Store.open(None) as store:
        await _fill(store)
        (entry, *_) = await store.ledger.list()
        assert entry.chained_with == "sha256"
        assert entry.payload_hash == f"sha256:{hashlib.sha256(SENT.payload).hexdigest()}"
        verification = await store.ledger.verify()
        assert (verification.rows, verification.keyed, verification.intact) == (6, 0, True)


async def test_a_row_is_synchronised_before_sent_returns(path: Path) -> None:
    async with _store(path) as store:
        statements: list[str] = []
        await store._writer.run(lambda connection: connection.set_trace_callback(statements.append))
        await store.ledger.sent(SENT)
        assert statements.index("PRAGMA synchronous = FULL") < statements.index("BEGIN IMMEDIATE")
        assert statements[-1] == "COMMIT"
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT count(*) FROM ledger").fetchone() == (1,)


async def test_rows_can_be_neither_changed_nor_deleted_nor_replaced_nor_inserted_elsewhere() -> None:
    async with _store(None) as store:
        await _fill(store)
        for statement in (
            "UPDATE ledger SET entry = '{}'",
            "DELETE FROM ledger",
            "REPLACE INTO ledger SELECT * FROM ledger WHERE number = 2",
            "INSERT INTO ledger SELECT number + 100, NULL, entry, algorithm, mac FROM ledger WHERE number = 1",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="the ledger"):
                store._writer._connection.execute(statement)
        assert (await store.ledger.verify()).intact


@pytest.mark.parametrize(
    ("damage", "broken_at"),
    [
        ("UPDATE ledger SET entry = replace(entry, 'unsure', 'sure') WHERE number = 3", 3),
        ("UPDATE ledger SET algorithm = 'sha256' WHERE number = 3", 3),
        ("UPDATE ledger SET sent_number = NULL WHERE number = 4", 4),
        ("DELETE FROM ledger WHERE number IN (3, 4)", 3),
        ("DELETE FROM ledger WHERE number IN (1, 2)", 1),
    ],
)
async def test_a_changed_or_dropped_row_is_noticed(path: Path, damage: str, broken_at: int) -> None:
    async with _store(path) as store:
        await _fill(store)
        assert (await store.ledger.verify()).intact
    _tamper(path, damage)
    async with _store(path) as store:
        verification = await store.ledger.verify()
        assert not verification.intact
        assert verification.broken_at == broken_at
        assert verification.problem


async def test_reordered_rows_are_noticed(path: Path) -> None:
    async with _store(path) as store:
        await _fill(store)
    _tamper(
        path,
        "PRAGMA foreign_keys = OFF",
        "UPDATE ledger SET number = -5 WHERE number = 5",
        "UPDATE ledger SET number = 5 WHERE number = 3",
        "UPDATE ledger SET number = 3 WHERE number = -5",
    )
    async with _store(path) as store:
        assert (await store.ledger.verify()).broken_at == 3


async def test_a_dropped_row_is_noticed_when_the_others_close_the_gap(path: Path) -> None:
    async with _store(path) as store:
        for _ in range(4):
            await store.ledger.sent(SENT)
    _tamper(path, "DELETE FROM ledger WHERE number = 2", "UPDATE ledger SET number = number - 1 WHERE number > 2")
    async with _store(path) as store:
        assert (await store.ledger.verify()).broken_at == 2


async def test_rows_under_another_key_are_counted_as_such(path: Path) -> None:
    async with _store(path) as store:
        await _fill(store, 1)
    async with _store(path, b"another") as store:
        verification = await store.ledger.verify()
        assert (verification.unverifiable, verification.broken_at, verification.intact) == (2, None, False)
    async with _store(path, None) as store:
        with pytest.raises(KeyMissing, match="no keyring"):
            await store.ledger.verify()


async def test_the_key_is_asked_for_once_and_only_when_needed() -> None:
    guard = MemoryGuard(KEY)
    async with Store.open(None, guard=guard) as store:
        await store.ledger.list()
        assert guard.calls == []
        await asyncio.gather(*(store.ledger.sent(SENT) for _ in range(5)))
        await store.ledger.verify()
        assert guard.calls.count("key") == 1


async def test_an_outcome_belongs_to_something_sent_and_is_recorded_once() -> None:
    async with _store(None) as store:
        number = await store.ledger.sent(SENT)
        outcome = await store.ledger.outcome(number, Outcome("complete"))
        for wrong in (number, outcome, 99):
            with pytest.raises(InputMissing):
                await store.ledger.outcome(wrong, Outcome("complete"))
        assert (await store.ledger.verify()).rows == 2


async def test_costs_are_summed_since_a_time() -> None:
    async with _store(None) as store:
        assert await store.ledger.spent(LONG_AGO) == 0.0
        await _fill(store, 3)
        await store.ledger.outcome(await store.ledger.sent(SENT), Outcome("failed", cost=None))
        assert await store.ledger.spent(LONG_AGO) == 0.75
        assert await store.ledger.spent(datetime.now(UTC) + timedelta(hours=1)) == 0.0


async def test_the_ledger_outlives_the_conversation_it_tells_of() -> None:
    async with _store(None) as store:
        conversation = await store.conversations.create("x")
        await store.ledger.sent(Sent(conversation.id, "m", "r", "e", "u", "m", b""))
        await store.conversations.delete(conversation.id)
        assert [entry.conversation_id for entry in await store.ledger.list()] == [conversation.id]


async def test_odd_text_is_recorded_and_verified() -> None:
    async with _store(None) as store:
        await store.ledger.sent(Sent("c", "m", "\ud800\x00ü\u2028", "e", "u", "m\udfff", b"\xff\x00", {"\ud800": 1}))
        (entry,) = await store.ledger.list()
        assert (entry.reason, entry.model, entry.placeholders) == ("\ufffd\ufffdü\u2028", "m\ufffd", {"\ufffd": 1})
        assert (await store.ledger.verify()).intact


async def test_rows_of_several_writers_form_one_chain(path: Path) -> None:
    async with _store(path) as one, _store(path) as two:
        await asyncio.gather(*(_fill(store, 10) for store in (one, two)))
        verification = await one.ledger.verify()
        assert (verification.rows, verification.intact) == (40, True)


@pytest.mark.parametrize(
    "entry",
    [
        "not json",
        "[1]",
        "{}",
        """{"event": "dropped"}""",
        """{"event": "dropped", "last": 0, "mac": "zz"}""",
        """{"event": "dropped", "last": [], "mac": 1}""",
    ],
)
@pytest.mark.parametrize("number", [1, 2, 6])
async def test_a_row_changed_to_something_else_is_noticed_and_breaks_nothing(
    path: Path, entry: str, number: int
) -> None:
    async with _store(path) as store:
        await _fill(store)
    _tamper(path, f"UPDATE ledger SET entry = '{entry}' WHERE number = {number}")
    async with _store(path) as store:
        assert (await store.ledger.verify()).broken_at == number
        assert len(await store.ledger.raw()) == 6
        assert await store.ledger.spent(LONG_AGO) == (0.75 if number == 1 else 0.5)
        if "event" not in entry or number != 1:
            with pytest.raises(InputError, match=rf"Row {number - (number + 1) % 2} of the ledger"):
                await store.ledger.list()


async def test_a_ledger_that_is_not_there_any_more_is_no_fault_of_the_program(path: Path) -> None:
    async with _store(path) as store:
        await _fill(store)
    _tamper(path, "DROP TABLE ledger")
    async with _store(path) as store:
        with pytest.raises(InputError, match="changed outside of hybridchat"):
            await store.ledger.verify()
        with pytest.raises(InputError, match="changed outside of hybridchat"):
            await store.ledger.sent(SENT)
