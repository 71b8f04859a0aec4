from __future__ import annotations

import pytest

from hybridchat.store.database import Store
from hybridchat.store.judgements import Judgement
from tests.store.conftest import LOCAL

SURE = Judgement("phi3.5", "sha256:1", 0.8, kept=True)


async def answer(store: Store) -> str:
    conversation = await store.conversations.create("one")
    return (await store.conversations.begin_answer(conversation.id, None, LOCAL)).id


async def test_a_judgement_is_kept_with_what_the_user_made_of_the_answer(store: Store) -> None:
    message_id = await answer(store)
    await store.judgements.add(message_id, SURE)
    assert await store.judgements.get(message_id) == SURE
    assert await store.judgements.signalled("phi3.5") == []
    assert await store.judgements.signal(message_id, "up")
    assert await store.judgements.signalled("phi3.5") == [Judgement("phi3.5", "sha256:1", 0.8, kept=True, signal="up")]
    assert await store.judgements.models() == ["phi3.5"]


async def test_a_signal_about_what_was_never_judged_does_not_count(store: Store) -> None:
    assert not await store.judgements.signal(await answer(store), "up")
    await store.judgements.add("nowhere", SURE)
    assert await store.judgements.get("nowhere") is None


@pytest.mark.parametrize(("replacing", "kept"), [(None, "down"), (("quiet",), "up"), (("up",), "down")])
async def test_a_signal_gives_way_only_to_stronger_ones(
    store: Store, replacing: tuple[str, ...] | None, kept: str
) -> None:
    message_id = await answer(store)
    await store.judgements.add(message_id, SURE)
    await store.judgements.signal(message_id, "up")
    assert await store.judgements.signal(message_id, "down", replacing) is (kept == "down")
    assert [one.signal for one in await store.judgements.signalled("phi3.5")] == [kept]


async def test_a_signal_can_be_taken_back(store: Store) -> None:
    message_id = await answer(store)
    await store.judgements.add(message_id, SURE)
    await store.judgements.signal(message_id, "up")
    assert await store.judgements.signal(message_id, None)
    assert await store.judgements.signalled("phi3.5") == []


async def test_signals_come_in_their_order_and_only_the_last_ones(store: Store) -> None:
    ids = [await answer(store) for _ in range(3)]
    for message_id in ids:
        await store.judgements.add(message_id, SURE)
    for message_id, signal in zip((ids[2], ids[0], ids[1]), ("up", "down", "quiet"), strict=True):
        await store.judgements.signal(message_id, signal)
    assert [one.signal for one in await store.judgements.signalled("phi3.5")] == ["up", "down", "quiet"]
    assert [one.signal for one in await store.judgements.signalled("phi3.5", limit=2)] == ["down", "quiet"]


async def test_a_judgement_goes_with_its_conversation(store: Store) -> None:
    message_id = await answer(store)
    await store.judgements.add(message_id, SURE)
    conversation_id = (await store.conversations.message(message_id)).conversation_id
    await store.conversations.delete(conversation_id)
    assert await store.judgements.get(message_id) is None
