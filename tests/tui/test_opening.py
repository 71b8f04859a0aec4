from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.pilot import Pilot

from hybridchat.config.settings import ChatSettings
from hybridchat.tui import app as app_module
from hybridchat.tui.app import ChatApp
from hybridchat.tui.dialogs import TextDialog
from hybridchat.tui.opening import OpeningScreen
from tests.tui.conftest import Chat


class Gate:
    """Holds the loading of the chat up until it is opened."""

    def __init__(self, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
        self._open = asyncio.Event()
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(
            app_module,
            "_load_chat",
            lambda: asyncio.run_coroutine_threadsafe(self._open.wait(), loop).result(),
        )
        self.app = ChatApp(chat.assistant, ChatSettings(keys=("help=f12",)))

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[tuple[Pilot[None], OpeningScreen]]:
        async with self.app.run_test() as pilot:
            assert isinstance(self.app.screen, OpeningScreen)
            yield pilot, self.app.screen
            await self.ready(pilot)
            await self.app.chat.close_turn()

    async def ready(self, pilot: Pilot[None]) -> None:
        self._open.set()
        while not self.app._exit and (  # noqa: ASYNC110 -- Textual tells of it by no event
            not self.app.is_ready or self.app.chat.is_busy
        ):
            await asyncio.sleep(0.001)
        await pilot.pause()


@pytest.fixture
async def gate(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(chat, monkeypatch)


async def test_what_is_typed_before_the_chat_is_loaded_shows_at_once_and_stays(gate: Gate) -> None:
    async with gate.opening() as (pilot, opening):
        await pilot.press("h", "i")
        assert opening.composer.text == "hi"
        await gate.ready(pilot)
        assert gate.app.chat.composer.text == "hi"
        assert gate.app.focused is gate.app.chat.composer
        await pilot.press("!")
        assert gate.app.chat.composer.text == "hi!"


async def test_keys_that_only_the_chat_knows_wait_for_it_and_are_not_overtaken(gate: Gate) -> None:
    async with gate.opening() as (pilot, opening):
        await pilot.press("a", "c", "left", "b", "enter", "d")
        assert opening.composer.text == "ac"
        await gate.ready(pilot)
        assert [str(message.content) for message in gate.app.chat.conversation.branches.path()][:1] == ["abc"]
        assert gate.app.chat.composer.text == "d"


async def test_a_paste_before_the_chat_is_loaded_is_kept(gate: Gate) -> None:
    async with gate.opening() as (pilot, _):
        gate.app.post_message(events.Paste("two\nlines"))
        await pilot.press("f12")
        await gate.ready(pilot)
        assert gate.app.chat.composer.text == "two\nlines"
        assert isinstance(gate.app.screen, TextDialog)


async def test_the_opening_says_where_help_is_under_the_key_that_the_user_gave_it(gate: Gate) -> None:
    async with gate.opening() as (_, opening):
        assert "F12 help" in str(opening.query_one("StatusLine").render())


async def test_the_program_can_be_left_before_the_chat_is_loaded(gate: Gate) -> None:
    async with gate.opening() as (pilot, _):
        await pilot.press("ctrl+q")
        await gate.ready(pilot)
        assert gate.app._exit
