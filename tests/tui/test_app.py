from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from hybridchat.assistant import Assistant
from hybridchat.backends.protocol import Accepted, Piece
from hybridchat.backends.scripted import script
from hybridchat.config.settings import ChatSettings
from hybridchat.errors import BadConfiguration, CannotWrite
from hybridchat.tui import clipboard
from hybridchat.tui.app import ChatApp
from hybridchat.tui.clipboard import Copied
from tests.tui.conftest import Chat


def never() -> Assistant:
    raise AssertionError("nothing is built before the screen stands")


def test_a_theme_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(BadConfiguration, match="no theme 'high-contrst'") as raised:
        ChatApp(never, ChatSettings(theme="high-contrst"))
    assert raised.value.hint == "Did you mean high-contrast?"
    with pytest.raises(BadConfiguration) as raised:
        ChatApp(never, ChatSettings(theme="xxxxxx"))
    assert raised.value.hint.startswith("There are: ")


async def test_what_keeps_the_assistant_from_being_built_ends_the_program_with_its_error() -> None:
    refusal = CannotWrite("the disk is full")

    def build() -> Assistant:
        raise refusal

    app = ChatApp(build, ChatSettings())
    async with app.run_test() as pilot:
        while app.failure is None:
            await pilot.pause()
    assert app.failure is refusal


async def test_the_first_frame_does_not_wait_for_the_assistant(chat: Chat) -> None:
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    def build() -> Assistant:
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return chat.assistant()

    app = ChatApp(build, ChatSettings())
    async with app.run_test() as pilot:
        await pilot.press("h", "i", "enter")
        while app.is_opening:
            await pilot.pause()
        assert (app.is_ready, app.chat.queued) == (False, ("hi",))
        await pilot.press("ctrl+o", "ctrl+n", "f2", "f3", "f4", "f9", "ctrl+r", "alt+left", "f8")
        assert app.screen is app.chat
        go_on.set()
        while not app.is_ready or app.chat.is_busy:
            await pilot.pause()
        assert app.chat.conversation.last_answer is not None


async def test_converse_closes_what_was_built(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    app = ChatApp(chat.assistant, ChatSettings())
    chat.local_says([Accepted("small"), Piece("half"), asyncio.Event()])

    async def run_async() -> None:
        async with app.run_test() as pilot:
            while not app.is_ready:
                await pilot.pause()
            app.chat.composer.insert("go")
            await pilot.press("enter")
            while app.chat.status.work is None or not app.chat.status.work.tokens:
                await pilot.pause()
            await pilot.press("ctrl+q")

    monkeypatch.setattr(app, "run_async", run_async)
    await app.converse()
    assert app.chat.is_busy is False
    assert chat.store._closed


async def test_a_fault_of_our_own_ends_the_program_without_a_traceback_on_the_screen(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = ChatApp(chat.assistant, ChatSettings())

    async def run_async() -> None:
        with suppress(ZeroDivisionError):  # which a test's app raises again
            async with app.run_test() as pilot:
                while not app.is_ready:
                    await pilot.pause()
                app.call_later(lambda: 1 / 0)
                await pilot.pause()

    monkeypatch.setattr(app, "run_async", run_async)
    with pytest.raises(ZeroDivisionError):
        await app.converse()
    assert "Traceback" not in "".join(capsys.readouterr())


async def test_a_copied_selection_says_how_it_went(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    async def copy(text: str, _write: object) -> Copied:
        return Copied(False, f"sent {text}")

    monkeypatch.setattr(clipboard, "copy", copy)
    async with chat.running() as running:
        await running.write("word")
        await running.press("shift+home", "ctrl+c")
        await running.until(lambda: running.told == ["sent word"])


async def test_a_terminal_too_small_says_so_and_loses_nothing(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask()
        await running.write("draft")
        await running.pilot.resize_terminal(30, 8)
        assert running.screen.too_small.display
        assert "30x8" in str(running.screen.too_small.render())
        await running.pilot.resize_terminal(100, 30)
        assert not running.screen.too_small.display
        assert running.screen.composer.text == "draft"


async def test_foreign_text_is_neither_markup_nor_escape_sequence(chat: Chat) -> None:
    chat.local_says(script(["\x1b]0;owned\x07[/bold] 你好 שלום"]))
    async with chat.running() as running:
        await running.ask("[/red] \x1b[31m")
        assert running.answers == ["[/bold] 你好 שלום"]
        assert running.questions == ["You: [/red] "]


async def test_a_megabyte_without_a_line_break_is_asked_and_answered(chat: Chat) -> None:
    chat.local_says(script(["y" * 200_000]))
    chat.remote = None  # the question is too long for the local model, which is asked all the same
    async with chat.running() as running:
        await running.ask("x" * 1_000_000)
        assert running.answers == ["y" * 200_000]
        assert running.questions[0].endswith("996,000 more characters")
        assert len(chat.local.requests[0].messages[-1].content) == 1_000_000


async def test_no_colour_is_needed(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with chat.running() as running:
        await running.ask()
        assert running.app.no_color
        assert "on this machine" in running.speakers[0]


async def test_a_long_conversation_opens_at_its_end_and_its_beginning_is_loaded_on_demand(chat: Chat) -> None:
    conversation = await chat.store.conversations.create("long")
    parent = None
    for number in range(60):
        parent = (await chat.store.conversations.add_user_message(conversation.id, parent, f"q{number}")).id
    chat.conversation = await chat.store.conversations.get(conversation.id)
    async with chat.running() as running:
        assert running.screen.transcript.earlier == 40
        assert running.questions[-1] == "You: q59"
        await running.screen.transcript.load_earlier()
        await running.pilot.pause()
        assert running.questions[0] == "You: q30"
