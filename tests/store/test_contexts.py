from __future__ import annotations

from hybridchat.messages import Message
from hybridchat.store.contexts import Cut, Summary
from hybridchat.store.database import Store


async def a_path(store: Store, length: int = 3) -> list[Message]:
    conversation = await store.conversations.create("one")
    path: list[Message] = []
    for number in range(length):
        parent = path[-1].id if path else None
        path.append(await store.conversations.add_user_message(conversation.id, parent, f"{number}"))
    return path


async def test_the_summary_that_covers_most_of_a_path_is_found(store: Store) -> None:
    path = [message.id for message in await a_path(store)]
    assert await store.contexts.summary(path) is None
    assert await store.contexts.summary([]) is None
    second, first = Summary(path[1], "both", "phi3.5"), Summary(path[0], "the first", "phi3.5")
    await store.contexts.keep_summary(second)
    await store.contexts.keep_summary(first)
    assert await store.contexts.summary(path) == second
    assert await store.contexts.summary(path[:1]) == first


async def test_a_summary_holds_only_for_branches_through_its_message(store: Store) -> None:
    path = await a_path(store)
    beside = await store.conversations.add_user_message(path[0].conversation_id, path[0].id, "another second")
    await store.contexts.keep_summary(Summary(path[1].id, "of the first branch", "phi3.5"))
    assert await store.contexts.summary([path[0].id, beside.id]) is None


async def test_what_is_kept_of_a_message_that_is_gone_goes_nowhere(store: Store) -> None:
    await store.contexts.keep_summary(Summary("nowhere", "text", "phi3.5"))
    await store.contexts.keep_cut("nowhere", condensed=True)
    await store.contexts.add_private_words("nowhere", ["Aurora"])
    assert await store.contexts.summary(["nowhere"]) is None
    assert await store.contexts.cuts("nowhere") == []
    assert await store.contexts.private_words("nowhere") == []


async def test_cuts_are_kept_in_their_order_with_the_summary_that_stands_for_them(store: Store) -> None:
    path = await a_path(store)
    conversation_id = path[0].conversation_id
    await store.contexts.keep_summary(Summary(path[0].id, "the first", "phi3.5"))
    await store.contexts.keep_cut(path[1].id, condensed=False)
    await store.contexts.keep_cut(path[0].id, condensed=True)
    trimmed, condensed = Cut(path[1].id), Cut(path[0].id, "the first")
    assert await store.contexts.cuts(conversation_id) == [trimmed, condensed]
    await store.contexts.keep_cut(path[1].id, condensed=False)
    assert await store.contexts.cuts(conversation_id) == [condensed, trimmed]
    await store.contexts.drop_cut(path[1].id)
    assert await store.contexts.cuts(conversation_id) == [condensed]


async def test_a_path_longer_than_a_statement_takes_values_is_searched_in_parts(store: Store) -> None:
    path = [message.id for message in await a_path(store, 2)]
    last = Summary(path[-1], "all", "phi3.5")
    await store.contexts.keep_summary(last)
    assert await store.contexts.summary([*(f"{number}" for number in range(40_000)), *path]) == last


async def test_words_are_kept_once_and_go_with_the_conversation(store: Store) -> None:
    conversation_id = (await a_path(store))[0].conversation_id
    await store.contexts.add_private_words(conversation_id, ["Aurora", "Aurora", "Zeus\0"])
    assert await store.contexts.private_words(conversation_id) == ["Aurora", "Zeus\N{REPLACEMENT CHARACTER}"]
    await store.conversations.delete(conversation_id)
    assert await store.contexts.private_words(conversation_id) == []
