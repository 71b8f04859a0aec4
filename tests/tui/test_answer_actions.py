from __future__ import annotations

import asyncio

import pytest
from textual.selection import Selection
from textual.widgets import Static

from hybridchat.backends.protocol import Accepted, Ended, Piece
from hybridchat.backends.scripted import script
from hybridchat.messages import GO_ON, DataPolicy, FinishReason, Role
from hybridchat.tui import answer_actions
from hybridchat.tui.answer import Answer
from hybridchat.tui.block_view import BlockView
from hybridchat.tui.clipboard import Copied
from hybridchat.tui.comparison import ComparisonDialog, diff
from hybridchat.tui.confidence_map import ConfidenceLegend, ConfidenceMap
from hybridchat.tui.consent import ConsentDialog
from hybridchat.tui.dialogs import ChoiceDialog, TextDialog
from hybridchat.tui.provenance import Fold, Question
from tests.engine.policies import ScriptedPolicy
from tests.tui.conftest import Chat, Running


def text_of(running: Running) -> str:
    return "\n".join(str(widget.render()) for widget in running.app.screen.query(Static))


async def test_a_key_escalates_the_last_answer_and_both_stand(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    async with chat.running() as running:
        await running.ask()
        await running.press("ctrl+r")
        await running.idle()
        assert running.answers == ["Paris. Yes", "It is Paris"]
        exchange = running.screen.conversation.last
        assert exchange is not None
        assert [answer.content for answer in exchange.answers] == ["Paris. Yes", "It is Paris"]
        assert exchange.answer is not None
        assert exchange.answer.content == "It is Paris"


async def test_only_what_is_selected_is_escalated(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    async with chat.running() as running:
        await running.ask()
        running.screen.query_one(Answer).text_select_all()
        await running.press("ctrl+r")
        await running.idle()
        assert running.questions[-1] == "You: Check this part, and answer it better:\n\n> Paris. Yes"
        assert running.answers[-1] == "It is Paris"
        assert chat.remote is not None
        assert [message.content for message in chat.remote.requests[0].messages] == [
            "Check this part, and answer it better:\n\n> Paris. Yes"
        ]


async def test_without_a_remote_model_escalating_says_so(chat: Chat) -> None:
    chat.remote = None
    async with chat.running() as running:
        await running.press("ctrl+r")
        await running.ask()
        await running.press("ctrl+r")
        assert running.told[0] == "there is no question yet"
        assert "no remote model is configured" in running.told[1]


async def test_retrying_gives_a_sibling_and_the_arrow_keys_go_between_them(chat: Chat) -> None:
    chat.local_says(script(["one"]), script(["two"]))
    async with chat.running() as running:
        await running.ask()
        await running.press("ctrl+t")
        await running.idle()
        assert running.answers == ["one", "two"]
        await running.press("alt+left")
        await running.until(lambda: running.answers == ["one"])
        assert running.folds[0].startswith("▸ another answer: scripted, on this machine")
        await running.press("alt+right")
        await running.until(lambda: running.answers == ["two"])
        conversation = (await chat.store.conversations.list())[0]
        last = running.screen.conversation.last_answer
        assert last is not None
        assert conversation.head_id == last.id


async def test_an_edited_question_begins_a_branch_and_the_old_one_is_kept(chat: Chat) -> None:
    chat.local_says(script(["one"]), script(["two"]), script(["three"]))
    async with chat.running() as running:
        await running.ask("first")
        await running.ask("second")
        running.screen.query(Question).first().focus()
        await running.press("enter")
        await running.until(lambda: running.screen.composer.text == "first")
        assert "editing" in running.status
        await running.ask(", edited")
        assert running.questions == ["You: first, edited"]
        assert running.answers == ["three"]
        await running.press("alt+left")
        await running.until(lambda: len(running.questions) == 2)
        assert running.questions == ["You (1 of 2): first", "You: second"]
        assert running.answers == ["one", "two"]


async def test_escape_leaves_an_edit(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask("first")
        await running.press("f8")
        assert running.screen.composer.editing is not None
        await running.press("escape")
        assert running.screen.composer.text == ""
        await running.ask("not an edit")
        assert running.questions == ["You: first", "You: not an edit"]


async def test_a_question_that_is_not_there_cannot_be_edited(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask("first")
        await running.send("/edit 7")
        assert running.told == ["there is no such question"]


async def test_branches_can_be_chosen_from_a_list(chat: Chat) -> None:
    chat.local_says(script(["one"]), script(["two"]))
    async with chat.running() as running:
        await running.ask()
        await running.send("/branches")
        await running.until(lambda: bool(running.told))
        assert "one branch only" in running.told[0]
        await running.press("ctrl+t")
        await running.idle()
        await running.send("/branches ")
        await running.dialog(ChoiceDialog)
        await running.press("down", "enter")
        await running.until(lambda: running.answers == ["one"])


async def test_why_shows_the_signals_and_the_threshold(chat: Chat) -> None:
    chat.policy = ScriptedPolicy()
    async with chat.running() as running:
        await running.press("f2")
        assert running.told == ["there is no answer yet"]
        await running.ask()
        await running.press("f2")
        await running.dialog(TextDialog)
        assert "threshold    50%, below: the remote model is asked" in text_of(running)
        await running.press("escape")
        assert running.app.screen is running.screen


async def test_a_reopened_conversation_tells_the_same_as_the_live_one(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    chat.allow(DataPolicy.ALLOW)
    chat.remote_says(script(["It is", " Paris"], None, model="llama"))
    told: list[tuple[list[str], list[str], list[str], str]] = []
    for _ in range(2):
        async with chat.running() as running:
            if not told:
                await running.ask("Write to joe@example.org")
            await running.press("f2")
            await running.dialog(TextDialog)
            why = text_of(running)
            await running.press("escape")
            told.append((running.folds, running.speakers[-1:], running.notes, why))
            chat.conversation = await running.screen.assistant.latest()
    assert told[0] == told[1]
    assert "set aside after 2 tokens: the local model is unsure" in told[0][3]
    assert "threshold    50%" in told[0][3]
    assert "placeholders for 1 e-mail address" in told[1][1][0]


async def test_the_confidence_map_underlines_what_the_model_was_unsure_of(chat: Chat) -> None:
    chat.local_says([*script(["Par"], -0.01)[:2], *script(["is"], -1.2)[1:]])
    async with chat.running() as running:
        await running.ask()
        await running.press("f3")
        await running.until(lambda: bool(running.screen.query(ConfidenceLegend)))
        assert "(1 of 2 tokens)" in str(running.screen.query_one(ConfidenceLegend).render())
        view = running.screen.query_one(BlockView)
        assert view.get_selection(Selection(None, None)) == ("Paris", "\n\n")
        assert "~ Paris" in "".join(segment.text for segment in view.render_line(0))
        await running.press("f3")
        await running.until(lambda: not running.screen.query(ConfidenceLegend))
        assert "~" not in "".join(segment.text for segment in view.render_line(0))
        await running.send("/confidence raw")
        await running.until(lambda: bool(running.screen.query(ConfidenceMap)))
        await running.press("f3")
        await running.until(lambda: not running.screen.query(ConfidenceMap))


async def test_an_answer_without_probabilities_has_no_map(chat: Chat) -> None:
    chat.local_says(script(["Paris"], None))
    async with chat.running() as running:
        await running.ask()
        await running.press("f3")
        await running.until(lambda: bool(running.told))
        assert "no token probabilities" in running.told[0]


async def test_two_answers_are_compared_and_either_is_kept(chat: Chat) -> None:
    chat.local_says(script(["one"]), script(["two"]))
    async with chat.running() as running:
        await running.ask()
        await running.press("f4")
        await running.until(lambda: bool(running.told))
        assert "only one answer" in running.told[0]
        await running.press("ctrl+t")
        await running.idle()
        await running.press("f4")
        await running.dialog(ComparisonDialog)
        await running.press("d")
        assert "- one\n+ two" in text_of(running)
        await running.press("d", "1")
        await running.until(lambda: running.answers == ["one"])


async def test_any_two_of_several_answers_are_compared_and_an_older_one_is_kept(chat: Chat) -> None:
    chat.local_says(script(["one"]), script(["two"]), script(["three"]))
    async with chat.running() as running:
        await running.ask()
        for _ in range(2):
            await running.press("ctrl+t")
            await running.idle()
        await running.press("f4")
        dialog = await running.dialog(ComparisonDialog)
        await running.until(lambda: [answer.source for answer in dialog.query(Answer)] == ["two", "three"])
        await running.press("left")
        await running.until(lambda: [answer.source for answer in dialog.query(Answer)] == ["one", "three"])
        assert "[1] 1 of 3: scripted" in text_of(running)
        await running.press("d", "right")
        await running.until(lambda: "- one\n+ two" in text_of(running))
        await running.press("1")
        await running.until(lambda: running.answers == ["one"])
        assert running.speakers == ["● scripted · on this machine · answer 1 of 3"]


async def test_leaving_the_comparison_changes_nothing(chat: Chat) -> None:
    chat.local_says(script(["one"]), script(["two"]))
    async with chat.running() as running:
        await running.ask()
        await running.press("ctrl+t")
        await running.idle()
        await running.press("f4")
        await running.dialog(ComparisonDialog)
        await running.press("escape")
        assert running.answers == ["one", "two"]


async def test_continuing_by_the_remote_model(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    chat.local_says([Accepted("small"), Piece("half"), asyncio.Event()])
    async with chat.running() as running:
        await running.send("/continue")
        assert running.told == ["there is no question yet"]
        await running.send("go")
        await running.until(lambda: running.answers == ["half"])
        await running.press("ctrl+t")
        assert running.told[-1] == "an answer is under way: stop it first"
        await running.press("escape")
        await running.idle()
        await running.send("/continue remote")
        await running.idle()
        assert running.answers == ["half", "It is Paris"]
        assert running.questions == ["You: go"]
        assert running.speakers[-1] == "↗ continued by llama · remote, huggingface"
        await running.send("/continue")
        assert "nothing to go on with" in running.told[-1]


async def test_an_answer_is_copied_from_its_source(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def copy(text: str, _write: object) -> Copied:
        copied.append(text)
        return Copied(True, f"copied {len(text)}")

    monkeypatch.setattr(answer_actions, "copy", copy)
    source = "Look:\n\n```python\nprint(1)\n```\n\n**Done**"
    chat.local_says(script([source]))
    async with chat.running() as running:
        await running.press("f9")
        await running.until(lambda: bool(running.told))
        assert running.told == ["there is no answer to copy yet"]
        await running.ask()
        await running.press("f9")
        await running.until(lambda: len(copied) == 1)
        await running.send("/copy 1")
        await running.until(lambda: len(copied) == 2)
        assert copied == [source, "print(1)\n"]
        await running.send("/copy 2")
        await running.until(lambda: running.told[-1] == "the last answer has no code block 2")


async def test_an_edit_gives_back_what_was_being_written(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask("first")
        await running.write("a draft")
        await running.press("f8")
        assert running.screen.composer.text == "first"
        await running.press("escape")
        assert running.screen.composer.text == "a draft"
        await running.press("f8")
        await running.ask(" again")
        assert running.questions == ["You: first again"]
        assert running.screen.composer.text == "a draft"


async def test_an_edit_ends_with_its_conversation(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask("first")
        await running.press("f8", "ctrl+n")
        await running.pilot.pause()
        assert running.screen.composer.text == ""
        await running.ask("second")
        assert running.questions == ["You: second"]
        assert running.answers == ["Paris. Yes"]


async def test_an_edited_question_waits_in_the_composer_while_an_answer_streams(chat: Chat) -> None:
    more = asyncio.Event()
    chat.local_says(script(["first"]), [Accepted("small"), Piece("half"), more, Ended(FinishReason.STOP)])
    async with chat.running() as running:
        await running.ask("one")
        await running.press("f8", "ctrl+t")
        await running.until(lambda: "half" in running.answers)
        await running.send("!")
        assert running.told == ["an answer is under way\nStop it before the edited question is sent."]
        assert running.screen.composer.text == "one!"
        more.set()
        await running.idle()
        await running.press("enter")
        await running.until(lambda: running.questions == ["You: one!"])
        await running.idle()


async def test_the_confidence_of_a_draft_counts_the_tokens_that_are_shown_of_it(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.send("go")
        dialog = await running.dialog(ConsentDialog)
        assert isinstance(dialog, ConsentDialog)
        shown = running.screen.query_one(Answer).source
        dialog.arm()
        dialog.action_answer("send")
        await running.idle()
        await running.press("f3")
        await running.until(lambda: bool(running.screen.query(ConfidenceLegend)))
        answer = next(one for one in running.screen.query(Answer) if one.query(ConfidenceLegend))
        assert answer.source == shown
        kept = await running.screen.assistant.logprobs(answer.id.removeprefix("answer-") if answer.id else "")
        told = str(running.screen.query_one(ConfidenceLegend).render())
        assert len(kept) == 3
        assert "of 2 tokens)" in told


async def test_the_confidence_of_a_folded_draft_is_shown_unfolded(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=2)
    chat.allow(DataPolicy.ALLOW)
    async with chat.running() as running:
        await running.ask()
        assert running.answers == ["It is Paris"]
        await running.press("f3")
        await running.until(lambda: len(running.screen.query(ConfidenceLegend)) == 1)
        assert len(running.answers) == 2
        running.screen.query(Fold).first().action_unfold()
        await running.press("f3")
        await running.until(lambda: len(running.answers) == 2)
        assert len(running.screen.query(ConfidenceLegend)) == 1


async def test_a_mistyped_command_goes_to_no_model(chat: Chat) -> None:
    async with chat.running() as running:
        await running.send("/nope")
        assert running.told == ["there is no command /nope\n/help lists them all."]
        assert running.screen.composer.text == "/nope"
        assert chat.local.requests == []


def test_two_long_answers_that_resemble_each_other_are_compared_by_whole_lines() -> None:
    shown = diff("a\nb 1\nc", "a\nb 2\nc")
    assert shown.plain == "  a\n- b 1\n+ b 2\n  c"
    first, second = ("\n".join(f"line {i} says {word} {i}" for i in range(2_000)) for word in ("this", "that"))
    assert diff(first, second).plain.count("\n") == 3_999


async def test_what_was_stopped_before_its_first_word_is_continued_from_its_beginning(chat: Chat) -> None:
    never = asyncio.Event()
    chat.local_says([never], [Accepted("small"), Piece("half"), never], [never], script(["the rest"]))
    async with chat.running() as running:

        async def stop_and_continue(said: list[str]) -> None:
            await running.until(lambda: running.screen._turn is not None and running.answers == said)
            await running.press("escape")
            await running.idle()
            await running.press("f5")

        await running.send("go")
        await stop_and_continue([])
        await stop_and_continue(["half"])
        await stop_and_continue(["half"])
        await running.until(lambda: running.answers == ["half", "the rest"])
        await running.idle()
        assert running.told == []
        messages = await running.screen.assistant.messages(running.screen.conversation.id or "")
    assert [message.content for message in messages if message.role is Role.USER] == ["go", GO_ON]


async def test_a_continued_answer_shows_its_seam_when_it_is_reopened_and_is_no_question_to_edit(chat: Chat) -> None:
    chat.local_says([Accepted("small"), Piece("half"), asyncio.Event()], script(["the rest"]))
    async with chat.running() as running:
        await running.send("go")
        await running.until(lambda: running.answers == ["half"])
        await running.press("escape")
        await running.idle()
        await running.press("f5")
        await running.idle()
        chat.conversation = await running.screen.assistant.latest()
    assert [question.text for question in chat.policy.questions] == ["go", "go"]
    async with chat.running() as running:
        assert running.questions == ["You: go"]
        assert running.answers == ["half", "the rest"]
        assert running.speakers[-1] == "● continued by scripted · on this machine"
        await running.press("f8")
        assert running.screen.composer.text == "go"
        await running.press("escape", "ctrl+t")
        await running.idle()
        assert running.speakers[-1] == "● continued by scripted · on this machine"
