from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hybridchat.errors import Blocked
from hybridchat.messages import Spent
from hybridchat.store.database import Store

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

SPENDS = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from hybridchat.errors import Blocked
from hybridchat.messages import Spent
from hybridchat.store.database import Store

def permit(month, conversation):
    if month.tokens + 7 > 100:
        raise Blocked("too much")

async def main():
    granted = 0
    async with Store.open(Path(sys.argv[1])) as store:
        for _ in range(20):
            try:
                number = await store.spending.reserve("c", datetime(2020, 1, 1, tzinfo=UTC), Spent(1, 7, 0.5), permit)
            except Blocked:
                continue
            granted += 1
            if granted % 3 == 0:
                await store.spending.release(number)
            elif granted % 3 == 1:
                await store.spending.settle(number, Spent(1, 7, 0.25))

asyncio.run(main())
"""


def nothing_forbidden(month: Spent, conversation: Spent) -> None:
    return


async def test_a_reservation_counts_until_it_is_settled_or_released(store: Store) -> None:
    first = await store.spending.reserve("one", LONG_AGO, Spent(1, 100, 0.5), nothing_forbidden)
    second = await store.spending.reserve("two", LONG_AGO, Spent(1, 10, None), nothing_forbidden)
    assert await store.spending.since(LONG_AGO) == Spent(2, 110, 0.5)
    assert await store.spending.of("one") == Spent(1, 100, 0.5)
    await store.spending.settle(first, Spent(1, 60, 0.25))
    await store.spending.release(second)
    assert await store.spending.since(LONG_AGO) == Spent(1, 60, 0.25)
    assert await store.spending.of("two") == Spent(0, 0, 0.0)


async def test_what_is_settled_can_neither_be_settled_again_nor_released(store: Store) -> None:
    number = await store.spending.reserve("one", LONG_AGO, Spent(1, 100, 0.5), nothing_forbidden)
    await store.spending.settle(number, Spent(1, 60, 0.25))
    await store.spending.settle(number, Spent(1, 1, 0.0))
    await store.spending.release(number)
    assert await store.spending.since(LONG_AGO) == Spent(1, 60, 0.25)


async def test_what_is_not_permitted_is_not_reserved(store: Store) -> None:
    seen = []

    def refuse(month: Spent, conversation: Spent) -> None:
        seen.append((month, conversation))
        raise Blocked("no")

    await store.spending.reserve("one", LONG_AGO, Spent(1, 5, 0.5), nothing_forbidden)
    with pytest.raises(Blocked):
        await store.spending.reserve("two", LONG_AGO, Spent(1, 100, 0.5), refuse)
    assert seen == [(Spent(1, 5, 0.5), Spent(0, 0, 0.0))]
    assert await store.spending.since(LONG_AGO) == Spent(1, 5, 0.5)


async def test_what_was_spent_before_does_not_count_and_what_is_dated_later_does(store: Store) -> None:
    await store.spending.reserve("one", LONG_AGO, Spent(1, 5, 0.5), nothing_forbidden)
    assert await store.spending.since(datetime.now(UTC) + timedelta(days=1)) == Spent(0, 0, 0.0)
    assert await store.spending.since(datetime.now(UTC) - timedelta(days=40)) == Spent(1, 5, 0.5)


async def test_deleting_a_conversation_gives_no_money_back(store: Store) -> None:
    conversation = await store.conversations.create("one")
    await store.spending.reserve(conversation.id, LONG_AGO, Spent(1, 5, 0.5), nothing_forbidden)
    await store.conversations.delete(conversation.id)
    assert await store.spending.since(LONG_AGO) == Spent(1, 5, 0.5)


async def test_several_processes_together_do_not_spend_more_than_there_is(path: Path) -> None:
    async with Store.open(path) as store:
        processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", SPENDS, path) for _ in range(3)]
        assert await asyncio.gather(*(process.wait() for process in processes)) == [0] * 3
        spent = await store.spending.since(LONG_AGO)
    assert 100 - 2 * 7 < spent.tokens <= 100
