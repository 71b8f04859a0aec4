from __future__ import annotations

from hybridchat.messages import Role
from hybridchat.store.database import Store


async def test_each_conversation_and_the_one_to_come_have_a_draft_of_their_own(store: Store) -> None:
    conversation = await store.conversations.create("one")
    await store.drafts.keep(conversation.id, "half a thou")
    await store.drafts.keep(conversation.id, "half a thought\0")
    await store.drafts.keep(None, "another")
    await store.drafts.keep(None, "another one")
    assert await store.drafts.get(conversation.id) == "half a thought\N{REPLACEMENT CHARACTER}"
    assert await store.drafts.get(None) == "another one"
    await store.drafts.keep(None, "")
    assert await store.drafts.get(None) == ""


async def test_a_draft_goes_with_its_conversation_and_none_is_kept_for_one_that_is_gone(store: Store) -> None:
    conversation = await store.conversations.create("one")
    await store.drafts.keep(conversation.id, "unsent")
    await store.conversations.delete(conversation.id)
    await store.drafts.keep(conversation.id, "late")
    assert await store.drafts.get(conversation.id) == ""


async def test_the_newest_messages_of_a_role_come_from_all_conversations(store: Store) -> None:
    for number in range(3):
        conversation = await store.conversations.create("one")
        await store.conversations.add_user_message(conversation.id, None, f"q{number}")
    assert [message.content for message in await store.conversations.newest(Role.USER, 2)] == ["q2", "q1"]
    assert await store.conversations.newest(Role.ASSISTANT, 2) == []
