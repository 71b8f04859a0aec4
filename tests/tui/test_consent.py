from __future__ import annotations

import asyncio

from textual.widgets import Static

from hybridchat.backends.protocol import Accepted, Ended, Piece
from hybridchat.backends.scripted import script
from hybridchat.errors import ModelMissing
from hybridchat.messages import DataPolicy, FinishReason
from hybridchat.tui.dialogs import ChoiceDialog, ConsentDialog
from tests.engine.policies import ScriptedPolicy
from tests.tui.conftest import Chat, Running


async def consent(running: Running, *, armed: bool = True) -> ConsentDialog:
    dialog = await running.dialog(ConsentDialog)
    assert isinstance(dialog, ConsentDialog)
    if armed:
        dialog.arm()
        await running.pilot.pause()
    return dialog


def payload(dialog: ConsentDialog) -> str:
    return str(dialog.query_one("#payload-text", Static).render())


async def test_exactly_what_would_leave_is_shown_and_sent_on_a_yes(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.send("Write to joe@example.org [/bold]")
        dialog = await consent(running)
        assert payload(dialog) == "── user\nWrite to <EMAIL_1> [/bold]\n"
        summary = " ".join(str(widget.render()) for widget in dialog.query(Static))
        assert "https://remote.test/v1" in summary
        assert "1 EMAIL" in summary
        await running.press("o")
        assert "joe@example.org" in payload(dialog)
        assert "not what is sent" in payload(dialog)
        await running.press("s")
        await running.idle()
        assert running.answers == ["It is Paris"]
        assert "placeholders for 1 EMAIL" in running.speakers[-1]
        assert chat.remote is not None
        assert chat.remote.requests[0].messages[-1].content == "Write to <EMAIL_1> [/bold]"


async def test_the_local_answer_goes_on_unseen_and_stands_on_a_no(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.send("go")
        await consent(running)
        await running.press("l")
        await running.idle()
        assert running.answers == ["Paris. Yes"]
        assert running.notes[0] == "the local answer stands: you chose to stay local"


async def test_nothing_is_agreed_to_on_a_terminal_too_small_to_show_it(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.send("go")
        dialog = await consent(running)
        await running.pilot.resize_terminal(30, 8)
        await running.press("s")
        await running.press("a")
        assert dialog.is_current
        assert chat.remote is not None
        assert chat.remote.requests == []
        await running.pilot.resize_terminal(80, 24)
        await running.press("s")
        await running.idle()
        assert running.answers == ["It is Paris"]


async def test_always_is_remembered_in_this_conversation(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.send("go")
        dialog = await consent(running)
        dialog.query_one("#always").focus()
        await running.press("enter")
        await running.idle()
        await running.ask("again")
        assert running.answers == ["It is Paris", "It is Paris"]


async def test_what_is_being_typed_when_the_question_appears_is_no_answer_to_it(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.send("go")
        dialog = await consent(running, armed=False)
        await running.press("s", "a", "enter")
        assert running.app.screen is dialog
        assert running.screen.composer.text == "sa"
        assert chat.remote is not None
        assert chat.remote.requests == []
        dialog.arm()
        await running.press("escape")
        await running.idle()
        assert running.answers == ["Paris. Yes"]


async def test_typing_that_goes_on_after_a_pause_is_no_answer(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.send("go")
        dialog = await consent(running)
        await running.press("t", "a", "s", "k", "enter")
        assert running.app.screen is dialog
        assert running.screen.composer.text == "task"
        assert chat.remote is not None
        assert chat.remote.requests == []
        dialog.arm()
        await running.press("l")
        await running.idle()
        assert running.answers == ["Paris. Yes"]


async def test_a_turn_that_ends_takes_its_question_away(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=1)
    chat.local_says([Accepted("small"), Piece("half"), asyncio.Event(), Ended(FinishReason.STOP)])
    async with chat.running() as running:
        await running.send("go")
        await consent(running)
        running.screen.action_stop()
        await running.idle()
        assert running.app.screen is running.screen
        assert "stopped" in running.notes[-1]


async def test_another_model_is_offered_where_the_remote_one_is_gone(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    chat.policy = ScriptedPolicy(doubt_after=2)
    gone = ModelMissing("gone", endpoint="huggingface", alternatives=("b", "c"))
    chat.remote_says([gone], script(["from b"], None))
    async with chat.running() as running:
        await running.send("go")
        await running.dialog(ChoiceDialog)
        await running.press("enter")
        await running.idle()
        assert running.answers == ["from b"]


async def test_declining_other_models_stays_local(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    chat.policy = ScriptedPolicy(doubt_after=2)
    chat.remote_says([ModelMissing("gone", endpoint="huggingface", alternatives=("b", "c"))])
    async with chat.running() as running:
        await running.send("go")
        await running.dialog(ChoiceDialog)
        await running.press("escape")
        await running.idle()
        assert running.answers == ["Paris. Yes"]
