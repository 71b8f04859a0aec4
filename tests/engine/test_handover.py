from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from hybridchat.backends.protocol import Accepted, ChatRequest, Piece
from hybridchat.backends.scripted import ScriptedBackend, Step, script
from hybridchat.config.settings import HandoverSettings
from hybridchat.engine import condenser, local_context
from hybridchat.engine.condenser import BackgroundCondenser, condensed, older_turns
from hybridchat.errors import ContextOverflow, InputError, Unreachable
from hybridchat.events import (
    Consent,
    ContextCondensed,
    ContextTrimmed,
    Event,
    Finished,
    FollowUp,
    HandOver,
    KeptLocal,
    Revise,
)
from hybridchat.handover.summary import MOST_PIECES, TOO_LONG
from hybridchat.messages import Message, Place
from hybridchat.privacy.explanation import EXPLANATION
from hybridchat.privacy.fence import fenced
from hybridchat.store.contexts import Summary
from tests.engine.conftest import LOCAL, REMOTE, Bench
from tests.engine.policies import ScriptedPolicy
from tests.engine.replies import a_conversation, saying

DOCUMENT = "\n".join(f"Paragraph {number} speaks of nothing." for number in range(120)) + "\nIt was signed by Ada."


@pytest.fixture(autouse=True)
def _nothing_is_condensed_because_a_test_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condenser, "IDLE", 3600.0)


def said(*answers: str) -> list[list[Step]]:
    return [script([answer]) for answer in answers]


async def the_path(bench: Bench, conversation_id: str) -> list[Message]:
    conversation = await bench.store.conversations.get(conversation_id)
    assert conversation.head_id is not None
    return await bench.store.conversations.path(conversation.head_id)


def hand_over(bench: Bench, form: HandOver = HandOver.VERBATIM, **more: int | bool) -> None:
    bench.settings = replace(bench.settings, handover=HandoverSettings(form, **more))  # type: ignore[arg-type]  # each test names real fields


def contents(request: ChatRequest) -> list[str]:
    return [message.content for message in request.messages]


def of(kind: type[Event], events: Sequence[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


class TestCondense:
    async def test_a_summary_of_all_turns_but_the_last_is_sent_with_what_it_lost(self, bench: Bench) -> None:
        hand_over(bench, HandOver.CONDENSE)
        bench.local = ScriptedBackend(LOCAL, *said("Hello.", "Fine.", "They talked about chairs."))
        conversation_id = await a_conversation(bench, "We have 42 chairs.", "and tables?")
        asked, on = saying(Consent.SEND)
        events = await bench.run("How many?", conversation_id=conversation_id, choice=Place.REMOTE, can_ask=True, on=on)
        assert asked[0].form is HandOver.CONDENSE
        assert HandOver.DISTIL in asked[0].forms
        first, answer, last = contents(bench.remote.requests[0])
        assert "They talked about chairs.\n\nWord for word" in first
        assert "We have 42 chairs." in first
        assert first.endswith("and tables?")
        assert (answer, last) == ("Fine.", "How many?")
        (told,) = of(ContextCondensed, events)
        assert isinstance(told, ContextCondensed)
        assert (told.place, told.turns, told.messages) == (Place.REMOTE, 1, 2)

    async def test_a_summary_is_kept_and_gone_on_from(self, bench: Bench) -> None:
        hand_over(bench, HandOver.CONDENSE)
        bench.local = ScriptedBackend(LOCAL, *said("A.", "B.", "first summary", "C.", "second summary"))
        conversation_id = await a_conversation(bench, "one", "two")
        await bench.run("three", conversation_id=conversation_id, choice=Place.REMOTE, allow_remote=True)
        await bench.run("three and a half", conversation_id=conversation_id, choice=Place.LOCAL)
        await bench.run("four", conversation_id=conversation_id, choice=Place.REMOTE, allow_remote=True)
        asked = contents(bench.local.requests[-1])[-1]
        assert "first summary" in asked
        assert "User: two" in asked
        assert "User: one" not in asked
        path = await the_path(bench, conversation_id)
        kept = await bench.store.contexts.summary([message.id for message in path])
        assert kept is not None
        assert kept.text.startswith("second summary")

    async def test_of_a_conversation_far_too_long_the_last_pieces_are_read(self, bench: Bench) -> None:
        bench.local = ScriptedBackend(LOCAL, *said("A.", "B.", "in short"))
        long = "\n".join(f"word {number} and some more of them" for number in range(6000))
        path = await the_path(bench, await a_conversation(bench, long, "two"))
        bench.local.requests.clear()
        summary = await condensed(bench.engine, older_turns(path))
        assert summary.text.startswith("in short")
        assert len(bench.local.requests) == MOST_PIECES
        assert TOO_LONG in contents(bench.local.requests[0])[-1]
        assert "word 5999 " in contents(bench.local.requests[-1])[-1]

    async def test_a_local_model_that_cannot_leaves_the_conversation_as_it_stands_and_it_is_told(
        self, bench: Bench
    ) -> None:
        hand_over(bench, HandOver.CONDENSE)
        bench.local = ScriptedBackend(LOCAL, script(["A."]), [Unreachable("the server is gone", endpoint="ollama")])
        conversation_id = await a_conversation(bench, "one")
        last = (await bench.run("two", conversation_id=conversation_id, choice=Place.REMOTE, allow_remote=True))[-1]
        assert isinstance(last, Finished)
        assert last.notes == ("not the form condense, but the conversation as it stands: the server is gone",)
        assert contents(bench.remote.requests[0]) == ["one", "A.", "two"]

    async def test_a_model_that_writes_nothing_is_told_too(self, bench: Bench) -> None:
        hand_over(bench, HandOver.CONDENSE)
        bench.local = ScriptedBackend(LOCAL, *said("A.", " "))
        conversation_id = await a_conversation(bench, "one")
        asked, on = saying(Consent.STAY_LOCAL)
        await bench.run("two", conversation_id=conversation_id, choice=Place.REMOTE, can_ask=True, on=on)
        assert asked[0].form is HandOver.VERBATIM
        assert "wrote no summary" in asked[0].note

    async def test_a_long_conversation_is_condensed_unless_the_user_wants_it_as_it_stands(self, bench: Bench) -> None:
        hand_over(bench, condense_over=100)
        bench.local = ScriptedBackend(LOCAL, *said("A.", "in short"))
        conversation_id = await a_conversation(bench, "word " * 300)
        asked, on = saying(Revise(form=HandOver.VERBATIM), Consent.SEND)
        await bench.run("two", conversation_id=conversation_id, choice=Place.REMOTE, can_ask=True, on=on)
        assert [outgoing.form for outgoing in asked] == [HandOver.CONDENSE, HandOver.VERBATIM]
        assert len(bench.remote.requests[0].messages) == 3

    async def test_what_the_user_left_out_is_in_no_summary(self, bench: Bench) -> None:
        hand_over(bench, HandOver.CONDENSE)
        bench.local = ScriptedBackend(LOCAL, *said("A.", "B.", "C.", "of all", "of the rest"))
        conversation_id = await a_conversation(bench, "the secret is 1234", "two", "three")
        asked, on = saying(Revise(turns_left_out=1), Consent.SEND)
        await bench.run("four", conversation_id=conversation_id, choice=Place.REMOTE, can_ask=True, on=on)
        assert "1234" in asked[0].redacted[0].content
        assert "1234" not in "".join(contents(bench.local.requests[-1]))
        assert "1234" not in "".join(contents(bench.remote.requests[0]))
        assert "of the rest" in contents(bench.remote.requests[0])[0]

    async def test_a_prompt_too_long_for_the_remote_takes_the_prepared_summary_and_asks_again(
        self, bench: Bench
    ) -> None:
        conversation_id = await a_conversation(bench, "one", "two")
        path = await the_path(bench, conversation_id)
        await bench.store.contexts.keep_summary(Summary(path[1].id, "prepared", "phi3.5"))
        too_long = ContextOverflow("too long", endpoint="huggingface")
        bench.remote = ScriptedBackend(REMOTE, [too_long], [too_long], script(["It is"]))
        asked, on = saying(Consent.SEND, Consent.SEND)
        events = await bench.run("three", conversation_id=conversation_id, choice=Place.REMOTE, can_ask=True, on=on)
        assert [outgoing.form for outgoing in asked] == [HandOver.VERBATIM, HandOver.CONDENSE]
        assert "prepared" in contents(bench.remote.requests[1])[0]
        assert contents(bench.remote.requests[2]) == ["two", "Paris. Yes", "three"]  # less than was agreed to
        assert of(ContextTrimmed, events)
        assert isinstance(events[-1], Finished)


class TestDistil:
    async def test_one_question_leaves_and_no_history(self, bench: Bench) -> None:
        hand_over(bench, HandOver.DISTIL)
        bench.local = ScriptedBackend(LOCAL, *said("It is Paris.", "What is the capital of Germany?"))
        conversation_id = await a_conversation(bench, "What is the capital of France?")
        asked, on = saying(Consent.SEND)
        await bench.run("And of Germany?", conversation_id=conversation_id, choice=Place.REMOTE, can_ask=True, on=on)
        assert asked[0].form is HandOver.DISTIL
        assert contents(bench.remote.requests[0]) == ["What is the capital of Germany?"]
        assert "User: What is the capital of France?" in contents(bench.local.requests[-1])[-1]

    async def test_a_question_that_lost_something_is_not_sent(self, bench: Bench) -> None:
        bench.local = ScriptedBackend(LOCAL, *said("It is Paris.", "What is the capital?"))
        conversation_id = await a_conversation(bench, "What is the capital of France?")
        asked, on = saying(Revise(form=HandOver.DISTIL), Consent.SEND)
        await bench.run("And of Germany?", conversation_id=conversation_id, choice=Place.REMOTE, can_ask=True, on=on)
        assert asked[1].form is HandOver.VERBATIM
        assert "lost Germany" in asked[1].note
        assert len(bench.remote.requests[0].messages) == 3

    async def test_a_first_question_needs_no_distilling(self, bench: Bench) -> None:
        hand_over(bench, HandOver.DISTIL)
        asked, on = saying(Consent.SEND)
        await bench.run("hi", choice=Place.REMOTE, can_ask=True, on=on)
        assert (asked[0].form, asked[0].forms) == (HandOver.VERBATIM, (HandOver.VERBATIM,))
        assert bench.local.requests == []

    async def test_a_form_that_is_set_but_not_possible_keeps_nobody_from_revising(self, bench: Bench) -> None:
        hand_over(bench, HandOver.DISTIL)
        asked, on = saying(Revise(redact=("France",)), Consent.SEND)
        await bench.run("Is France large?", choice=Place.REMOTE, can_ask=True, on=on)
        assert asked[1].note == ""
        assert contents(bench.remote.requests[0]) == [EXPLANATION, "Is HIDDEN_WORD_1 large?"]

    async def test_more_redaction_does_not_make_the_local_model_write_again(self, bench: Bench) -> None:
        hand_over(bench, HandOver.DISTIL)
        bench.local = ScriptedBackend(LOCAL, *said("It is Paris.", "What is the capital of Germany?"))
        conversation_id = await a_conversation(bench, "What is the capital of France?")
        _, on = saying(Revise(redact=("Germany",)), Consent.SEND)
        await bench.run("And of Germany?", conversation_id=conversation_id, choice=Place.REMOTE, can_ask=True, on=on)
        assert len(bench.local.requests) == 2
        assert "Germany" not in contents(bench.remote.requests[0])[0]


class TestExtract:
    QUESTION = f"Who signed?\n\n{fenced(DOCUMENT, 'deed.txt')}"

    @pytest.fixture(autouse=True)
    def _extracting(self, bench: Bench) -> None:
        hand_over(bench, HandOver.EXTRACT)
        bench.local = ScriptedBackend(LOCAL, *said("Ada did, ada@example.org."))

    async def test_the_document_stays_and_its_answers_go_the_same_way_as_everything(self, bench: Bench) -> None:
        bench.remote = ScriptedBackend(REMOTE, script(["ASK: Who ", "signed it?\n"], None), script(["Ada."], None))
        asked, on = saying(Consent.SEND, Consent.SEND)
        events = await bench.run(self.QUESTION, choice=Place.REMOTE, can_ask=True, on=on)
        first, second = (contents(request)[-1] for request in bench.remote.requests)
        assert "Paragraph 7" not in first + second
        assert "deed.txt" in first
        assert "Ada did, HIDDEN_EMAIL_1." in second
        assert [event for event in events if isinstance(event, FollowUp)] == [
            FollowUp(1, "deed.txt", "Who signed it?"),
            FollowUp(1, "deed.txt", "Who signed it?", "Ada did, ada@example.org."),
        ]
        assert len(asked) == 2
        assert len(await bench.store.ledger.list(10)) == 2
        last = events[-1]
        assert isinstance(last, Finished)
        assert last.text == "Ada."

    async def test_it_is_answered_from_that_document_alone(self, bench: Bench) -> None:
        bench.remote = ScriptedBackend(REMOTE, script(["ASK: Who signed it?"], None), script(["Ada."], None))
        await bench.run(self.QUESTION, choice=Place.REMOTE, allow_remote=True, system="my own rules")
        (request,) = bench.local.requests
        assert "It was signed by Ada." in contents(request)[-1]
        assert "my own rules" not in "".join(contents(request))

    async def test_at_most_two_questions_are_answered_and_a_second_round_is_only_text(self, bench: Bench) -> None:
        bench.remote = ScriptedBackend(
            REMOTE, script(["ASK: A?\nASK: B?\nASK: C?"], None), script(["ASK: one more?"], None)
        )
        events = await bench.run(self.QUESTION, choice=Place.REMOTE, allow_remote=True)
        assert len(of(FollowUp, events)) == 4
        assert len(bench.remote.requests) == 2
        last = events[-1]
        assert isinstance(last, Finished)
        assert last.text == "ASK: one more?"

    async def test_an_answer_at_once_is_the_answer(self, bench: Bench) -> None:
        bench.remote = ScriptedBackend(REMOTE, script(["No", " idea."], None))
        events = await bench.run(self.QUESTION, choice=Place.REMOTE, allow_remote=True)
        last = events[-1]
        assert isinstance(last, Finished)
        assert (last.text, last.provenance.usage.completion_tokens) == ("No idea.", 2)
        assert bench.local.requests == []

    async def test_no_to_the_second_call_keeps_what_was_found(self, bench: Bench) -> None:
        bench.remote = ScriptedBackend(REMOTE, script(["ASK: Who?"], None), script(["never"], None))
        asked, on = saying(Consent.SEND, Consent.STAY_LOCAL)
        await bench.run(self.QUESTION, choice=Place.REMOTE, can_ask=True, on=on)
        assert len(asked) == 2
        assert len(bench.remote.requests) == 1
        (entry,) = await bench.store.ledger.list(10)
        assert entry.outcome is not None
        assert entry.outcome.status == "complete"

    async def test_always_covers_the_second_call(self, bench: Bench) -> None:
        bench.remote = ScriptedBackend(REMOTE, script(["ASK: Who?"], None), script(["Ada."], None))
        asked, on = saying(Consent.ALWAYS)
        await bench.run(self.QUESTION, choice=Place.REMOTE, can_ask=True, on=on)
        assert (len(asked), len(bench.remote.requests)) == (1, 2)

    async def test_a_local_model_that_cannot_look_it_up_says_so(self, bench: Bench) -> None:
        bench.local = ScriptedBackend(LOCAL, [Unreachable("the server is gone", endpoint="ollama")])
        bench.remote = ScriptedBackend(REMOTE, script(["ASK: Who?"], None), script(["Nobody knows."], None))
        events = await bench.run(self.QUESTION, choice=Place.REMOTE, allow_remote=True)
        answers = [event.answer for event in events if isinstance(event, FollowUp)]
        assert answers == [None, "(the local model could not look it up: the server is gone)"]
        assert isinstance(events[-1], Finished)

    async def test_a_question_without_a_document_goes_as_it_stands(self, bench: Bench) -> None:
        bench.remote = ScriptedBackend(REMOTE, script(["ASK: Who?"], None))
        events = await bench.run("hi", choice=Place.REMOTE, allow_remote=True)
        assert contents(bench.remote.requests[0]) == ["hi"]
        assert of(FollowUp, events) == []

    async def test_a_remote_that_breaks_while_it_asks_is_a_failure_with_its_outcome(self, bench: Bench) -> None:

        bench.remote = ScriptedBackend(
            REMOTE, [Accepted("llama"), Piece("ASK: "), Unreachable("gone", endpoint="huggingface")]
        )
        await bench.run(self.QUESTION, choice=Place.REMOTE, allow_remote=True)
        (entry,) = await bench.store.ledger.list(10)
        assert entry.outcome is not None
        assert entry.outcome.status == "unreachable"


class TestDraft:
    @pytest.mark.parametrize("wanted", [True, False])
    async def test_the_local_draft_goes_along_where_that_is_set(self, bench: Bench, wanted: bool) -> None:

        hand_over(bench, draft=wanted)
        bench.policy = ScriptedPolicy(doubt_after=0)
        asked, on = saying(Consent.SEND)
        await bench.run(can_ask=True, on=on)
        (content,) = contents(bench.remote.requests[0])
        assert ("Paris. Yes" in content) is wanted
        assert ([part.id for part in asked[0].parts] == ["draft"]) is wanted

    async def test_a_word_that_stands_in_it_is_found_there(self, bench: Bench) -> None:
        hand_over(bench, draft=True)
        bench.policy = ScriptedPolicy(doubt_after=0)
        asked, on = saying(Revise(redact=("Yes",)), Consent.SEND)
        await bench.run(can_ask=True, on=on)
        assert asked[1].note == ""
        assert "Yes" not in contents(bench.remote.requests[0])[0]

    async def test_it_can_be_left_out(self, bench: Bench) -> None:

        hand_over(bench, draft=True)
        bench.policy = ScriptedPolicy(doubt_after=0)
        _, on = saying(Revise(left_out=("draft",)), Consent.SEND)
        await bench.run(can_ask=True, on=on)
        assert contents(bench.remote.requests[0]) == ["What is the capital of France?"]


class TestLocalContext:
    async def test_a_summary_stands_for_the_older_turns_until_it_is_taken_back(self, bench: Bench) -> None:
        bench.local = ScriptedBackend(LOCAL, *said("and so on " * 50, "B.", "in short", "C.", "D."))
        conversation_id = await a_conversation(bench, "one", "two")
        path = await the_path(bench, conversation_id)
        event = await local_context.condense(bench.engine, path)
        assert (event.place, event.turns, event.messages) == (Place.LOCAL, 1, 2)
        events = await bench.run("three", conversation_id=conversation_id, choice=Place.LOCAL)
        assert of(ContextCondensed, events) == [event]
        first, answer, last = contents(bench.local.requests[-1])
        assert "in short" in first
        assert first.endswith("two")
        assert (answer, last) == ("B.", "three")
        assert await local_context.undo(bench.engine, await the_path(bench, conversation_id))
        await bench.run("four", conversation_id=conversation_id, choice=Place.LOCAL)
        assert contents(bench.local.requests[-1])[0] == "one"
        assert not await local_context.undo(bench.engine, path)

    async def test_turns_are_left_out_one_after_the_other_and_nothing_is_deleted(self, bench: Bench) -> None:
        conversation_id = await a_conversation(bench, "one", "two", "three")
        path = await the_path(bench, conversation_id)
        assert (await local_context.trim(bench.engine, path, 1)).turns == 1
        assert (await local_context.trim(bench.engine, path, 1)).turns == 2
        await bench.run("four", conversation_id=conversation_id, choice=Place.LOCAL)
        assert contents(bench.local.requests[-1]) == ["three", "Paris. Yes", "four"]
        assert len(await the_path(bench, conversation_id)) == 8

    async def test_the_remote_model_is_sent_what_the_local_one_is_not_given(self, bench: Bench) -> None:
        conversation_id = await a_conversation(bench, "one")
        await local_context.trim(bench.engine, await the_path(bench, conversation_id), 1)
        await bench.run("two", conversation_id=conversation_id, choice=Place.REMOTE, allow_remote=True)
        assert contents(bench.remote.requests[0]) == ["one", "Paris. Yes", "two"]

    @pytest.mark.parametrize("turns", [0, 2, -1])
    async def test_turns_that_are_not_there_cannot_be_left_out(self, bench: Bench, turns: int) -> None:
        path = await the_path(bench, await a_conversation(bench, "one"))
        with pytest.raises(InputError, match="there are 1"):
            await local_context.trim(bench.engine, path, turns)
        with pytest.raises(InputError, match="there is none"):
            await local_context.trim(bench.engine, [], 1)

    async def test_a_summary_that_is_no_shorter_is_not_taken(self, bench: Bench) -> None:
        bench.local = ScriptedBackend(LOCAL, *said("A.", "B.", "a long summary of a short talk"))
        path = await the_path(bench, await a_conversation(bench, "one", "two"))
        with pytest.raises(InputError, match="no shorter than they are"):
            await local_context.condense(bench.engine, path)
        assert bench.engine.local_context.of(path).cut is None

    async def test_one_turn_cannot_be_condensed(self, bench: Bench) -> None:
        path = await the_path(bench, await a_conversation(bench, "one"))
        with pytest.raises(InputError, match="no older turn"):
            await local_context.condense(bench.engine, path)


class TestAhead:
    async def test_a_summary_is_prepared_where_it_is_likely_to_be_used(self, bench: Bench) -> None:
        hand_over(bench, HandOver.CONDENSE)
        conversation_id = await a_conversation(bench, "one", "two")
        path = await the_path(bench, conversation_id)
        await BackgroundCondenser(bench.engine).run(path[-1].id)
        assert await bench.store.contexts.summary([message.id for message in path]) is not None

    async def test_none_is_where_it_is_not(self, bench: Bench) -> None:
        path = await the_path(bench, await a_conversation(bench, "one", "two"))
        asked = len(bench.local.requests)
        await BackgroundCondenser(bench.engine).run(path[-1].id)
        assert len(bench.local.requests) == asked

    async def test_it_leaves_off_at_once_when_the_user_goes_on(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hand_over(bench, HandOver.CONDENSE)
        path = await the_path(bench, await a_conversation(bench, "one", "two"))
        bench.local.requests.clear()
        bench.local._scripts[:] = [[asyncio.Event()], script(["on"])]
        bench.local.asked.clear()
        monkeypatch.setattr(condenser, "IDLE", 0)
        bench.engine.condensing.begin(path[-1].id)
        await bench.local.asked.wait()
        events = await bench.run("three", conversation_id=path[0].conversation_id, choice=Place.LOCAL)
        assert isinstance(events[-1], Finished)
        assert bench.local.closed == 1
        await bench.engine.condensing.aclose()
        assert await bench.store.contexts.summary([message.id for message in path]) is None

    async def test_a_model_that_fails_troubles_nobody(self, bench: Bench) -> None:
        hand_over(bench, HandOver.CONDENSE)
        path = await the_path(bench, await a_conversation(bench, "one", "two"))
        asked = len(bench.local.requests)
        bench.local._scripts[:] = [[Unreachable("gone", endpoint="ollama")]]
        await BackgroundCondenser(bench.engine).run(path[-1].id)
        assert len(bench.local.requests) == asked + 1
        assert await bench.store.contexts.summary([message.id for message in path]) is None


async def test_a_refusal_keeps_the_local_answer_whatever_the_form(bench: Bench) -> None:

    hand_over(bench, HandOver.DISTIL)
    bench.policy = ScriptedPolicy(doubt_after=0)
    bench.local = ScriptedBackend(LOCAL, *said("A.", "B.", "What is two?"))
    conversation_id = await a_conversation(bench, "one")
    _, on = saying(Consent.STAY_LOCAL)
    events = await bench.run("two", conversation_id=conversation_id, can_ask=True, on=on)
    assert of(KeptLocal, events)
    assert isinstance(events[-1], Finished)
