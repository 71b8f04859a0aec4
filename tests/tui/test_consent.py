from __future__ import annotations

import asyncio

from textual.widgets import Static

from hybridchat.backends.protocol import Accepted, Ended, Piece
from hybridchat.backends.scripted import script
from hybridchat.errors import ModelMissing
from hybridchat.events import Revise
from hybridchat.messages import DataPolicy, FinishReason
from hybridchat.privacy.explanation import EXPLANATION
from hybridchat.tui.consent import ConsentDialog
from hybridchat.tui.dialogs import ChoiceDialog
from hybridchat.tui.payload import to_redact
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


def title(dialog: ConsentDialog) -> str:
    return str(dialog.query_one("#consent-title", Static).render())


def summary(dialog: ConsentDialog) -> str:
    return str(dialog.query_one("#summary", Static).render())


async def press(running: Running, letter: str) -> None:
    """Press a letter, and wait until it was taken for an answer."""
    dialog = running.app.screen
    assert isinstance(dialog, ConsentDialog)
    await running.press(letter)
    await running.until(lambda: dialog._letter is None)
    await running.pilot.pause()


async def third_question(chat: Chat, running: Running) -> ConsentDialog:
    """Ask twice, and a third time with a doubt."""
    await running.ask("Who is Lise Meitner?")
    await running.ask("Write to joe@example.org")
    chat.policy.doubt_after = 2
    await running.send("And Otto Hahn?")
    return await consent(running)


async def test_exactly_what_would_leave_is_shown_and_sent_on_a_yes(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.send("Write to joe@example.org [/bold]")
        dialog = await consent(running)
        assert payload(dialog) == f"── system\n{EXPLANATION}\n── user\nWrite to HIDDEN_EMAIL_1 [/bold]\n"
        assert "https://remote.test/v1" in summary(dialog)
        assert "1 e-mail address" in summary(dialog)
        assert "at most $0.00212" in summary(dialog)
        await press(running, "o")
        assert "joe@example.org" in payload(dialog)
        assert "not what is sent" in payload(dialog)
        await running.press("s")
        await running.idle()
        assert running.answers == ["It is Paris"]
        assert "placeholders for 1 e-mail address" in running.speakers[-1]
        assert chat.remote is not None
        assert chat.remote.requests[0].messages[-1].content == "Write to HIDDEN_EMAIL_1 [/bold]"


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
        await press(running, "s")
        await press(running, "a")
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
        await running.press("s", "o", " ", "t", "h", "a", "t", "enter")
        assert running.app.screen is dialog
        assert running.screen.composer.text == "so that"
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


async def test_the_oldest_turns_are_trimmed_away_and_taken_in_again(chat: Chat) -> None:
    async with chat.running() as running:
        dialog = await third_question(chat, running)
        assert "Lise Meitner" in payload(dialog)
        await press(running, "t")
        await running.until(lambda: "Lise Meitner" not in payload(dialog))
        assert "without the oldest 1 turn" in summary(dialog)
        await press(running, "t")
        await running.until(lambda: "Write to" not in payload(dialog))
        await press(running, "t")
        assert "no older turn is left" in title(dialog)
        await press(running, "T")
        await running.until(lambda: "Write to" in payload(dialog))
        await press(running, "s")
        await running.idle()
        assert chat.remote is not None
        sent = [message.content for message in chat.remote.requests[0].messages]
        assert sent == [EXPLANATION, "Write to HIDDEN_EMAIL_1", "Paris. Yes", "And Otto Hahn?"]


async def test_single_messages_are_left_out_from_a_list(chat: Chat) -> None:
    async with chat.running() as running:
        dialog = await third_question(chat, running)
        await press(running, "p")
        assert "Lise Meitner" in str(dialog.parts.get_option_at_index(0).prompt)
        await running.press("space")
        await running.until(lambda: str(dialog.parts.get_option_at_index(0).prompt).startswith("[ ]"))
        await running.press("escape")
        assert dialog.is_current
        assert "Lise Meitner" not in payload(dialog)
        assert "without 1 part" in summary(dialog)


async def test_typed_words_are_taken_out_before_anything_is_sent(chat: Chat) -> None:
    async with chat.running() as running:
        dialog = await third_question(chat, running)
        await press(running, "r")
        await running.press(*"Hahn", "enter")
        await running.until(lambda: "Hahn" not in payload(dialog))
        assert "1 word of yours" in summary(dialog)
        await press(running, "s")
        await running.idle()
        assert chat.remote is not None
        assert "Hahn" not in str(chat.remote.requests[0].messages)


async def test_words_that_stand_nowhere_are_told(chat: Chat) -> None:
    async with chat.running() as running:
        dialog = await third_question(chat, running)
        await press(running, "r")
        await running.press(*"Planck", "enter")
        await running.until(lambda: "“Planck” does not stand there" in summary(dialog))


async def test_what_is_selected_is_taken_out(chat: Chat) -> None:
    async with chat.running() as running:
        dialog = await third_question(chat, running)
        shown = dialog.query_one("#payload-text", Static)
        rows = [shown.render_line(row).text.strip() for row in range(shown.size.height)]
        line = rows.index("And Otto Hahn?")
        await running.pilot.mouse_down(shown, offset=(4, line))
        await running.pilot.hover(shown, offset=(13, line))
        await running.pilot.mouse_up(shown, offset=(13, line))
        assert (dialog.get_selected_text() or "").strip("?") == "Otto Hahn"
        await press(running, "r")
        await running.until(lambda: "Otto Hahn" not in payload(dialog))


async def test_a_no_while_it_is_prepared_anew_is_heard(chat: Chat) -> None:
    async with chat.running() as running:
        dialog = await third_question(chat, running)
        revised: list[Revise] = []
        dialog._revise = revised.append
        await press(running, "t")
        assert revised == [Revise(turns_left_out=1)]
        await press(running, "s")
        await press(running, "l")
        assert dialog.is_current
        assert running.screen._turn is not None
        running.screen._turn.answer(revised[0])
        await running.idle()
        assert running.notes[-2] == "the local answer stands: you chose to stay local"
        assert chat.remote is not None
        assert chat.remote.requests == []


async def test_escape_closes_the_line_of_words_before_it_closes_the_dialog(chat: Chat) -> None:
    async with chat.running() as running:
        dialog = await third_question(chat, running)
        await press(running, "r")
        assert dialog.words.display
        await running.press("escape")
        assert dialog.is_current
        assert not dialog.words.display
        await running.press("escape")
        await running.idle()
        assert running.app.screen is running.screen


def test_a_selection_is_taken_out_without_headings_and_placeholders() -> None:
    assert to_redact("── user\nWrite to HIDDEN_EMAIL_1 about Ada\n") == ("Write to", "about Ada")
    assert to_redact("a") == ()
