from __future__ import annotations

import asyncio

import pytest
from textual import events

from hybridchat.backends.protocol import Accepted, Ended, Piece, Waiting
from hybridchat.backends.scripted import script
from hybridchat.errors import CannotWrite, Unreachable
from hybridchat.messages import DataPolicy, FinishReason, Status, TokenLogprob
from hybridchat.store.conversations import Conversations
from hybridchat.tui.answer import Answer
from hybridchat.tui.provenance import Fold, Question
from tests.engine.policies import SURE, ScriptedPolicy
from tests.tui.conftest import Chat


async def test_a_question_is_answered_and_says_who_spoke(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask("What is the capital of France?")
        assert running.questions == ["You: What is the capital of France?"]
        assert running.speakers == ["● scripted · on this machine"]
        assert running.answers == ["Paris. Yes"]
        (note,) = running.notes
        assert "scripted (on this machine, ollama), unsure (20%, uncalibrated), 3 tokens" in note
        assert "the local model answers first" in note


async def test_the_answer_streams_as_it_comes(chat: Chat) -> None:
    more = asyncio.Event()
    chat.local_says([Accepted("small"), Piece("half"), more, Piece(" and whole"), Ended(FinishReason.STOP)])
    async with chat.running() as running:
        await running.send("go")
        await running.until(lambda: running.answers == ["half"])
        assert "small answers · on this machine · 1 token" in running.status
        more.set()
        await running.idle()
        assert running.answers == ["half and whole"]


async def test_a_local_answer_is_a_draft_until_its_confidence_passes(chat: Chat) -> None:
    more, last = asyncio.Event(), asyncio.Event()
    chat.policy = ScriptedPolicy(doubt_after=99, confidence=SURE)
    first = Piece("Paris", (TokenLogprob("Paris", -0.1, ()),))
    chat.local_says([Accepted("small"), Piece("", ()), more, first, last, Ended(FinishReason.STOP)])
    async with chat.running() as running:
        await running.send("go")
        await running.until(lambda: len(running.screen.query(Answer)) == 1 or chat.local.asked.is_set())
        more.set()
        await running.until(lambda: running.answers == ["Paris"])
        await running.until(lambda: not running.screen.query_one(Answer).draft)
        last.set()
        await running.idle()


async def test_escape_stops_and_keeps_what_was_said(chat: Chat) -> None:
    chat.local_says([Accepted("small"), Piece("half an"), asyncio.Event()], script(["the rest"]))
    async with chat.running() as running:
        await running.send("go")
        await running.until(lambda: running.answers == ["half an"])
        await running.press("escape")
        await running.idle()
        assert running.answers == ["half an"]
        assert running.notes[-1].startswith("stopped: what was said is kept")
        answer = running.screen.conversation.last_answer
        assert answer is not None
        assert (answer.content, answer.status) == ("half an", Status.PARTIAL)
        await running.press("f5")
        await running.until(lambda: running.answers == ["half an", "the rest"])
        await running.idle()


async def test_ctrl_c_stops_too(chat: Chat) -> None:
    chat.local_says([Accepted("small"), Piece("half an"), asyncio.Event()])
    async with chat.running() as running:
        await running.send("go")
        await running.until(lambda: running.answers == ["half an"])
        await running.press("ctrl+c")
        await running.idle()
        assert "stopped" in running.notes[-1]
        await running.press("ctrl+c")
        assert running.told == ["Ctrl+Q leaves; everything is kept"]


async def test_prompts_sent_while_an_answer_streams_wait_for_their_turn(chat: Chat) -> None:
    more = asyncio.Event()
    chat.local_says(
        [Accepted("small"), more, Piece("one"), Ended(FinishReason.STOP)], script(["two"]), script(["three"])
    )
    async with chat.running() as running:
        await running.send("first")
        await running.send("second")
        await running.send("third")
        assert running.screen.queued == ("second", "third")
        assert "waits: second" in str(running.screen.waiting.render())
        more.set()
        await running.idle()
        assert running.answers == ["one", "two", "three"]
        assert not running.screen.waiting.display


async def test_stopping_gives_back_what_waited(chat: Chat) -> None:
    chat.local_says([Accepted("small"), Piece("one"), asyncio.Event()])
    async with chat.running() as running:
        await running.send("first")
        await running.until(lambda: running.answers == ["one"])
        await running.send("second")
        await running.write("third, unfinished")
        await running.press("escape")
        await running.idle()
        assert running.screen.composer.text == "second\nthird, unfinished"


async def test_doubt_folds_the_draft_and_the_remote_answer_stands_below_a_seam(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    chat.policy = ScriptedPolicy(doubt_after=2)
    async with chat.running() as running:
        await running.ask()
        assert running.answers == ["It is Paris"]
        assert running.speakers[1] == "↗ llama · remote, huggingface"
        (fold,) = running.folds
        assert fold.startswith("▸ local draft set aside after 2 tokens, unsure (20%, uncalibrated): the local model is")
        running.screen.query_one(Fold).focus()
        await running.press("enter")
        assert running.folds[0].startswith("▾")
        assert running.answers[0].startswith("Paris.")


async def test_what_kept_the_remote_model_away_is_said(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    chat.policy = ScriptedPolicy(doubt_after=2)
    chat.remote_says([Unreachable("nobody answers", endpoint="huggingface", hint="Look at the network.")])
    async with chat.running() as running:
        await running.ask()
        assert running.answers == ["Paris. Yes"]
        assert running.notes[0] == "the local answer stands: nobody answers\nLook at the network."


async def test_a_failure_is_told_with_its_hint_and_the_partial_answer_stays(chat: Chat) -> None:
    broken = Unreachable("the server went away", endpoint="ollama", hint="Start it again.")
    chat.remote = None
    chat.local_says([Accepted("small"), Piece("half"), broken])
    async with chat.running() as running:
        await running.ask()
        assert running.answers == ["half"]
        assert running.notes == ["failed: the server went away\nStart it again.\nWhat was said before is kept."]


async def test_loading_and_a_stand_in_are_told(chat: Chat) -> None:
    loaded = asyncio.Event()
    chat.local_says(
        [Accepted("tiny", stand_in="tiny stands in"), Waiting("is being loaded"), loaded, *script(["Hi"])[1:]]
    )
    async with chat.running() as running:
        await running.send("go")
        await running.until(
            lambda: running.speakers == ["… phi3.5: is being loaded"] or "loaded" in running.speakers[0]
        )
        assert "is being loaded" in running.status
        loaded.set()
        await running.idle()
        assert "tiny stands in" in running.notes


async def test_prompts_written_before_the_assistant_is_there_are_sent_when_it_is(chat: Chat) -> None:
    async with chat.running() as running:
        running.screen._assistant, assistant = None, running.screen.assistant
        await running.send("early")
        assert running.screen.queued == ("early",)
        await running.screen.start_with(assistant)
        await running.idle()
        assert running.answers == ["Paris. Yes"]


async def test_a_window_that_fills_is_told_before_turns_are_left_out(chat: Chat) -> None:
    chat.policy = ScriptedPolicy()
    chat.remote = None
    async with chat.running(size=(140, 40)) as running:
        await running.ask("word " * 1800)
        assert "context 8" in running.status
        assert "nearly full" in running.status
        assert running.told[0].startswith("the conversation takes 8")
        await running.ask("word " * 1800)
        assert "oldest turns left out" in running.status
        assert any("the oldest 1 turn left out" in note for note in running.notes)


async def test_a_turn_that_could_not_be_saved_says_so_and_the_chat_goes_on(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise CannotWrite("the disk is full")

    async with chat.running() as running:
        with monkeypatch.context() as patched:
            patched.setattr(Conversations, "create", full)
            await running.ask("first")
        assert "this turn is not saved: the disk is full" in running.notes[0]
        assert running.told == []
        await running.ask("second")
        assert running.answers == ["Paris. Yes", "Paris. Yes"]
        assert running.notes[1].count("not saved") == 0


async def test_a_conversation_is_opened_where_the_user_last_stood(chat: Chat, store: object) -> None:
    async with chat.running() as running:
        await running.ask("first")
        await running.ask("second")
    chat.conversation = (await chat.store.conversations.list())[0]
    chat.local_says(script(["third answer"]))
    async with chat.running() as running:
        assert running.questions == ["You: first", "You: second"]
        assert running.answers == ["Paris. Yes", "Paris. Yes"]
        await running.press("up")
        assert running.screen.composer.text == "second"
        await running.ask(" again")
        assert running.answers[-1] == "third answer"
        assert len(chat.local.requests[-1].messages) == 5


async def test_the_transcript_is_scrolled_while_the_user_writes_and_followed_again(chat: Chat) -> None:
    more = asyncio.Event()
    chat.local_says(
        script(["line\n\n"] * 60), [Accepted("small"), Piece("one"), more, Piece(" two"), Ended(FinishReason.STOP)]
    )
    async with chat.running(size=(80, 24)) as running:
        await running.ask("first")
        await running.send("second")
        await running.until(lambda: running.answers[1:] == ["one"])
        transcript = running.screen.transcript
        await running.press("pageup")
        assert not transcript.following
        at = transcript.scroll_y
        more.set()
        await running.idle()
        assert transcript.scroll_y == at
        await running.press("pagedown", "ctrl+end")
        assert transcript.following
        assert running.answers[1:] == ["one two"]


async def test_what_is_typed_or_pasted_is_written_wherever_the_focus_is(chat: Chat) -> None:
    async with chat.running() as running:
        await running.ask("first")
        running.screen.transcript.focus()
        await running.pilot.pause()
        await running.press("h", "i")
        running.screen.query(Question).first().focus()
        await running.pilot.pause()
        running.app.post_message(events.Paste(" there"))
        await running.pilot.pause()
        assert running.screen.composer.text == "hi there"
        assert running.screen.composer.has_focus


async def test_escape_leads_back_to_where_one_writes(chat: Chat) -> None:
    async with chat.running() as running:
        await running.press("tab")
        assert not running.screen.composer.has_focus
        await running.press("escape")
        assert running.screen.composer.has_focus
