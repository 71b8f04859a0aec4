from __future__ import annotations

import asyncio

import pytest
from textual import events

from hybridchat.backends.protocol import Accepted, Piece
from hybridchat.errors import CannotWrite
from hybridchat.tui.conversations import ConversationsScreen
from tests.tui.conftest import Chat, Running


async def kept(running: Running, text: str) -> None:
    assistant, conversation = running.screen.assistant, running.screen.conversation
    while await assistant.draft(conversation.id) != text:
        await running.pilot.pause()
        await asyncio.sleep(0.001)


async def test_what_is_written_is_kept_without_being_sent_and_comes_back(chat: Chat) -> None:
    async with chat.running() as running:
        await running.write("half a thou")
        await kept(running, "half a thou")
    async with chat.running() as running:
        assert running.screen.composer.text == "half a thou"
        await running.send("ght")
        await running.idle()
        assert running.questions == ["You: half a thought"]
        await running.screen.close_turn()
        assert await running.screen.assistant.draft(None) == ""


async def test_each_conversation_has_what_was_written_in_it(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask()
        await running.write("for the first")
        await running.press("ctrl+n")
        assert running.screen.composer.text == ""
        await running.write("for the new")
        await running.press("ctrl+o")
        screen = await running.dialog(ConversationsScreen)
        await running.until(lambda: bool(screen._found))
        await running.press("enter")
        await running.until(lambda: running.screen.composer.text == "for the first")
        await running.press("ctrl+n")
        await running.until(lambda: running.screen.composer.text == "for the new")


async def test_prompts_that_wait_for_their_turn_are_kept_too(chat: Chat) -> None:
    chat.local_says([Accepted("small"), Piece("half"), asyncio.Event()])
    async with chat.running() as running:
        await running.send("first")
        await running.until(lambda: running.answers == ["half"])
        await running.send("second")
        await running.write("third")
        await running.until(lambda: running.screen.conversation.id is None)
        await kept(running, "second\nthird")


async def test_an_edit_under_way_is_kept_beside_what_it_put_by(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask("one")
        await running.write("put by")
        await running.press("f8")
        await running.write(" more")
        await kept(running, "put by\none more")


async def test_a_disk_that_takes_no_draft_is_told_once_and_disturbs_nobody(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chat.running() as running:

        async def refuse(*_: object) -> None:
            raise CannotWrite("the disk is full")

        monkeypatch.setattr(running.screen.assistant, "keep_draft", refuse)
        monkeypatch.setattr(running.screen.assistant, "draft", refuse)
        await running.write("text")
        assert running.screen._unsent is not None
        await running.screen._unsent.keep()
        await running.screen._unsent.enter()
        await running.screen._unsent.keep()
        assert running.screen.composer.text == "text"
        told = ["what you write is not kept until you send it: the disk is full"]
        await running.until(lambda: running.told == told)
        await running.pilot.pause()
        assert running.told == told


async def test_prompts_of_all_conversations_come_back_those_of_the_open_one_first(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask("older")
        await running.press("ctrl+n")
        await running.ask("newer")
        chat.conversation = (await running.screen.assistant.conversations())[1]
    async with chat.running() as running:
        for wanted in ("older", "newer"):
            await running.press("up")
            assert running.screen.composer.text == wanted


async def test_a_megabyte_without_a_line_break_is_a_mark_until_it_is_sent(chat: Chat) -> None:
    chat.remote = None  # the question is too long for the local model, which is asked all the same
    async with chat.running() as running:
        running.app.post_message(events.Paste("x" * 1_000_000))
        await running.until(lambda: bool(running.screen.composer.text))
        assert running.screen.composer.text == "[pasted text 1: 1,000,000 characters]"
        await kept(running, "x" * 1_000_000)
        await running.send(" what is this?")
        await running.idle()
        sent = chat.local.requests[0].messages[-1].content
        assert sent == "x" * 1_000_000 + " what is this?"
        await running.press("up")
        assert running.screen.composer.text == "[pasted text 1: 1,000,000 characters] what is this?"


async def test_an_empty_chat_says_what_can_be_written(chat: Chat) -> None:
    async with chat.running() as running:
        assert "@file" in str(running.screen.composer.placeholder)
