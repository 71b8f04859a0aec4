from __future__ import annotations

import asyncio
import math
import sqlite3
from pathlib import Path

import pytest

from hybridchat.errors import CannotWrite
from hybridchat.messages import Status, TokenLogprob
from hybridchat.store import journal
from hybridchat.store.database import Store
from tests.store.conftest import LOCAL


async def _answer(store: Store) -> str:
    one = await store.conversations.create("one")
    question = await store.conversations.add_user_message(one.id, None, "?")
    return (await store.conversations.begin_answer(one.id, question.id, LOCAL)).id


async def test_pieces_are_committed_while_the_answer_streams(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await _answer(store)
    committed = asyncio.Event()
    loop = asyncio.get_running_loop()
    commit = journal.Journal.commit

    def announced(self: journal.Journal, connection: sqlite3.Connection) -> None:
        commit(self, connection)
        loop.call_soon_threadsafe(committed.set)

    monkeypatch.setattr(journal.Journal, "commit", announced)
    for text in ("one ", "two ", "three"):
        store.conversations.journal(answer, text)
    assert (await store.conversations.message(answer)).content == ""
    await committed.wait()
    message = await store.conversations.message(answer)
    assert (message.content, message.status) == ("one two three", Status.STREAMING)
    committed.clear()
    store.conversations.journal(answer, " four")
    await committed.wait()
    assert (await store.conversations.path(answer))[-1].content == "one two three four"


async def test_the_chosen_tokens_come_back_with_their_logprobs(store: Store) -> None:
    answer = await _answer(store)
    tokens = [
        TokenLogprob("Hel", -0.5),
        TokenLogprob("lo", -1.25),
        TokenLogprob(" ", -0.0001),
        TokenLogprob("\ud83d", -9999.0),
    ]
    store.conversations.journal(answer, "Hel", tokens[:1])
    await store.conversations.flush()
    assert await store.conversations.logprobs(answer) == [("Hel", -0.5)]
    store.conversations.journal(answer, "lo ", tokens[1:3])
    await store.conversations.flush()
    store.conversations.journal(answer, "", tokens[3:])
    await store.conversations.finish_answer(answer, Status.COMPLETE, LOCAL)
    kept = await store.conversations.logprobs(answer)
    assert [token for token, _ in kept] == ["Hel", "lo", " ", "\ufffd"]
    assert [logprob for _, logprob in kept] == pytest.approx([-0.5, -1.25, -0.0001, -9999.0], rel=1e-6)


async def test_an_answer_without_logprobs_has_none(store: Store) -> None:
    answer = await _answer(store)
    store.conversations.journal(answer, "hello")
    await store.conversations.finish_answer(answer, Status.COMPLETE, LOCAL)
    assert await store.conversations.logprobs(answer) == []


def test_logprobs_that_no_32_bit_float_holds_do_no_harm() -> None:
    values = [-math.inf, math.inf, -1e300, math.nan, -1.0]
    kept = [logprob for _, logprob in journal.unpack(journal.pack([("x", value) for value in values]))]
    assert kept[0] == kept[2] < -3e38
    assert kept[1] > 3e38
    assert math.isnan(kept[3])
    assert kept[4] == -1.0


def test_logprobs_are_kept_compactly() -> None:
    packed = journal.pack([(" the", -0.123456789)] * 1000)
    assert packed is not None
    assert len(packed) < 1000 * 10


async def test_journalling_does_nothing_but_fill_a_buffer(store: Store) -> None:
    answer = await _answer(store)
    await store.conversations.flush()
    statements: list[str] = []
    await store._writer.run(lambda connection: connection.set_trace_callback(statements.append))
    for _ in range(1000):
        store.conversations.journal(answer, "word ")
    await store._writer.run(lambda connection: None)
    assert statements == []
    await store.conversations.flush()
    assert sum("INSERT INTO journal" in statement for statement in statements) == 1
    assert len((await store.conversations.message(answer)).content) == 5000


async def test_user_messages_and_ends_of_answers_are_synchronised_and_deltas_are_not(path: Path) -> None:
    async with Store.open(path) as store:
        one = await store.conversations.create("one")
        statements: list[str] = []
        await store._writer.run(lambda connection: connection.set_trace_callback(statements.append))
        question = await store.conversations.add_user_message(one.id, None, "?")
        assert statements[0] == "PRAGMA synchronous = FULL"
        assert statements[-1] == "COMMIT"
        answer = await store.conversations.begin_answer(one.id, question.id, LOCAL)
        statements.clear()
        store.conversations.journal(answer.id, "x")
        await store.conversations.flush()
        assert statements[0] == "PRAGMA synchronous = NORMAL"
        assert statements[-1] == "COMMIT"
        statements.clear()
        await store.conversations.finish_answer(answer.id, Status.COMPLETE, LOCAL)
        assert statements[0] == "PRAGMA synchronous = FULL"
        assert statements[-1] == "COMMIT"


async def test_an_answer_left_unfinished_when_the_store_is_closed_is_partial(path: Path) -> None:
    async with Store.open(path) as store:
        answer = await _answer(store)
        store.conversations.journal(answer, "half of")
    async with Store.open(path) as store:
        message = await store.conversations.message(answer)
        assert (message.content, message.status) == ("half of", Status.PARTIAL)
        assert (await store.conversations.get(message.conversation_id)).head_id == answer
    assert list(path.with_name("hybridchat.db.sessions").iterdir()) == []


async def test_recovery_does_not_move_a_head_that_moved_on_nor_to_an_empty_answer(path: Path) -> None:
    async with Store.open(path) as store:
        empty = await _answer(store)
        left = await _answer(store)
        store.conversations.journal(left, "half")
        conversation_id = (await store.conversations.message(left)).conversation_id
        elsewhere = await store.conversations.add_user_message(conversation_id, None, "something else")
        below = await store.conversations.add_user_message(conversation_id, elsewhere.id, "and more")
    async with Store.open(path) as store:
        assert (await store.conversations.get(conversation_id)).head_id == below.id
        unanswered = await store.conversations.message(empty)
        assert unanswered.status is Status.PARTIAL
        assert (await store.conversations.get(unanswered.conversation_id)).head_id == unanswered.parent_id


async def test_an_answer_whose_end_was_cancelled_is_ended_once(store: Store) -> None:
    answer = await _answer(store)
    store.conversations.journal(answer, "said once")
    ending = asyncio.ensure_future(store.conversations.finish_answer(answer, Status.PARTIAL, LOCAL))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    await store.conversations.flush()
    message = await store.conversations.message(answer)
    assert (message.content, message.status) == ("said once", Status.PARTIAL)


async def test_what_a_full_disk_did_not_take_is_kept_once_there_is_room(path: Path) -> None:
    async with Store.open(path) as store:
        answer = await _answer(store)
        await store._writer.run(_fill)
        store.conversations.journal(answer, "x" * 100_000)
        with pytest.raises(CannotWrite, match="did not take") as full:
            await store.conversations.flush()
        assert full.value.hint
        with pytest.raises(CannotWrite):
            await store.conversations.finish_answer(answer, Status.COMPLETE, LOCAL)
        assert (await store.conversations.message(answer)).status is Status.STREAMING
        await store._writer.run(_make_room)
        store.conversations.journal(answer, "y")
        message = await store.conversations.finish_answer(answer, Status.COMPLETE, LOCAL)
        assert message.content == "x" * 100_000 + "y"


async def test_a_failed_write_fails_alone(path: Path) -> None:
    async with Store.open(path) as store:
        one = await store.conversations.create("one")
        await store._writer.run(_fill)
        small = store.conversations.rename(one.id, "uno")
        results = await asyncio.gather(
            store.conversations.add_user_message(one.id, None, "x" * 1_000_000),
            small,
            return_exceptions=True,
        )
        assert isinstance(results[0], CannotWrite)
        assert not isinstance(results[1], BaseException)
        await store._writer.run(_make_room)
        await store.conversations.add_user_message(one.id, None, "x" * 1_000_000)


async def test_closing_tells_what_could_not_be_written(path: Path) -> None:
    store = Store.open(path)
    answer = await _answer(store)
    await store._writer.run(_fill)
    store.conversations.journal(answer, "x" * 100_000)
    with pytest.raises(CannotWrite):
        await store.aclose()
    async with Store.open(path) as again:
        assert (await again.conversations.message(answer)).status is Status.PARTIAL


def _fill(connection: sqlite3.Connection) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")


def _make_room(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA max_page_count = 1000000")
