from __future__ import annotations

import pytest
from textual.widgets import Input, OptionList, Static

from hybridchat.assistant import Assistant
from hybridchat.backends.scripted import script
from hybridchat.errors import CannotWrite, InputError
from hybridchat.messages import DataPolicy
from hybridchat.tui.conversations import ConversationsScreen
from hybridchat.tui.dialogs import ChoiceDialog, ConfirmDialog, LineDialog, TextDialog
from tests.tui.conftest import Chat, Running


async def listed(running: Running) -> list[str]:
    screen = await running.dialog(ConversationsScreen)
    options = screen.query_one(OptionList)
    await running.until(lambda: "found" in str(screen.query_one("#found", Static).render()))
    return [str(options.get_option_at_index(index).prompt) for index in range(options.option_count)]


async def three_conversations(running: Running) -> None:
    for question in ("about whales", "about cheese", "about [/] stars"):
        await running.press("ctrl+n")
        await running.ask(question)


async def test_conversations_are_listed_and_opened(chat: Chat) -> None:
    async with chat.running() as running:
        await three_conversations(running)
        assert running.questions == ["You: about [/] stars"]
        await running.press("ctrl+o")
        rows = await listed(running)
        assert [row.split("  ")[1] for row in rows] == ["about [/] stars", "about cheese", "about whales"]
        await running.press("down", "down", "up", "enter")
        await running.until(lambda: running.questions == ["You: about cheese"])


async def test_they_are_searched_while_the_user_types(chat: Chat) -> None:
    chat.local_says(script(["no \x1b[31mbig fish"]))
    async with chat.running() as running:
        await three_conversations(running)
        await running.press("ctrl+o")
        await listed(running)
        screen = running.app.screen
        screen.query_one(Input).value = "whales"
        await running.until(lambda: screen.query_one(OptionList).option_count == 1)  # by its title and by its question
        assert "about whales" in str(screen.query_one(OptionList).get_option_at_index(0).prompt)
        screen.query_one(Input).value = "nowhere to be found"
        await running.until(lambda: "nothing found" in str(screen.query_one("#found", Static).render()))
        await running.press("enter", "down", "escape")
        assert running.app.screen is running.screen


async def test_a_search_that_fails_says_so(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise InputError("the database is damaged")

    async with chat.running() as running:
        monkeypatch.setattr(Assistant, "conversations", fail)
        await running.press("ctrl+o")
        screen = await running.dialog(ConversationsScreen)
        await running.until(lambda: "damaged" in str(screen.query_one("#found", Static).render()))


async def test_a_conversation_is_renamed(chat: Chat) -> None:
    async with chat.running() as running:
        await running.send("/rename Too early")
        await running.until(lambda: bool(running.told))
        assert running.told == ["this conversation begins with its first question"]
        await running.ask("about whales")
        await running.send("/rename Of whales")
        await running.until(lambda: running.told[-1] == "it is now called: Of whales")
        await running.send("/rename ")
        dialog = await running.dialog(LineDialog)
        dialog.query_one(Input).value = "Of all whales"
        await running.press("enter")
        await running.until(lambda: running.told[-1] == "it is now called: Of all whales")
        await running.send("/rename ")
        await running.dialog(LineDialog)
        await running.press("escape")
        assert (await chat.store.conversations.list())[0].title == "Of all whales"


async def test_deleting_asks_first(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask("about whales")
        await running.send("/delete")
        await running.dialog(ConfirmDialog)
        await running.press("n")
        assert len(await chat.store.conversations.list()) == 1
        await running.send("/delete")
        dialog = await running.dialog(ConfirmDialog)
        dialog.query_one("#yes").focus()
        await running.press("enter")
        await running.until(lambda: running.questions == [])
        assert await chat.store.conversations.list() == []


async def test_what_left_is_shown(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    async with chat.running() as running:
        await running.send("/egress")
        dialog = await running.dialog(TextDialog)
        assert "Nothing ever left." in "".join(str(widget.render()) for widget in dialog.query(Static))
        await running.press("escape")
        await running.ask("mail joe@example.org")
        await running.press("ctrl+r")
        await running.idle()
        await running.send("/egress")
        dialog = await running.dialog(TextDialog)
        text = "".join(str(widget.render()) for widget in dialog.query(Static))
        assert "to llama at huggingface: complete, replaced 1 e-mail address" in text


async def test_themes_are_chosen(chat: Chat) -> None:
    async with chat.running() as running:
        await running.send("/theme high-contrast")
        await running.until(lambda: running.app.theme == "high-contrast")
        await running.send("/theme nonsense")
        await running.until(lambda: running.told[-1] == "there is no theme nonsense: /theme lists them")
        await running.send("/theme ")
        await running.dialog(ChoiceDialog)
        await running.press("enter")
        await running.until(lambda: running.app.screen is running.screen)
        assert running.app.theme == min(running.app.available_themes)


async def test_help_shows_every_command_and_its_key(chat: Chat) -> None:
    async with chat.running() as running:
        await running.press("f1")
        dialog = await running.dialog(TextDialog)
        text = "\n".join(str(widget.render()) for widget in dialog.query(Static))
        assert "Ctrl+R     /escalate" in text
        assert "/rename TITLE" in text


async def test_the_palette_finds_an_action_by_its_letters(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask()
        await running.press("ctrl+p")
        await running.until(lambda: running.app.screen is not running.screen)
        await running.press(*"retry")
        await running.until(lambda: running.app.screen.query_one("CommandList", OptionList).option_count in {1, 2})
        await running.press("enter")
        await running.until(lambda: len(running.answers) == 2)
        await running.idle()


async def test_a_store_that_fails_is_told_and_leaves_the_screen_alive(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise CannotWrite("the disk is full", hint="Make room.")

    async with chat.running() as running:
        await running.ask()
        monkeypatch.setattr(Assistant, "rename", fail)
        monkeypatch.setattr(Assistant, "egress", fail)
        await running.send("/rename x")
        await running.until(lambda: running.told == ["the disk is full\nMake room."])
        await running.send("/egress")
        await running.until(lambda: len(running.told) == 2)
