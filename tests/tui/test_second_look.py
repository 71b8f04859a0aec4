from __future__ import annotations

import asyncio

from textual.widgets import Static

from hybridchat.backends.protocol import Accepted, Piece
from hybridchat.backends.scripted import Step, script
from hybridchat.tui.dialogs import TextDialog
from tests.engine.test_second_look import GreyPolicy, word
from tests.tui.conftest import Chat


async def test_what_the_local_model_finds_when_it_looks_again_stands_below_its_answer(chat: Chat) -> None:
    chat.policy = GreyPolicy()
    chat.local_says(script(["It is", " Lyon"]), word("No", -0.1))
    async with chat.running() as running:
        await running.ask()
        await running.until(lambda: "looked again" in running.notes[-1])
        assert running.notes[-1].endswith("(/escalate asks the remote model)")
        await running.press("f2")
        dialog = await running.dialog(TextDialog)
        assert "p true" in "\n".join(str(widget.render()) for widget in dialog.query(Static))


async def test_the_next_question_ends_the_second_look(chat: Chat) -> None:
    chat.policy = GreyPolicy()
    endless: list[Step] = [Accepted("m"), Piece("never"), asyncio.Event()]
    chat.local_says(script(["It is", " Lyon"]), endless, script(["next"]), endless)
    async with chat.running() as running:
        await running.ask()
        await running.until(lambda: len(chat.local.requests) == 2)
        await running.send("And Germany?")
        await running.until(lambda: running.answers[-1:] == ["next"])
        assert not any("looked again" in note for note in running.notes)
