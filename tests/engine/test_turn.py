from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Literal, TypeVar
from unittest.mock import patch

import pytest

from hybridchat.backends.protocol import Accepted, Ended, Piece, Waiting
from hybridchat.backends.scripted import script
from hybridchat.context import estimate_prompt
from hybridchat.engine import Turn, local_answer
from hybridchat.errors import ContextOverflow, KeyMissing, ModelMissing, StreamBroken, TryLater, Unreachable
from hybridchat.events import (
    Consent,
    ConsentRequested,
    ContextTrimmed,
    Delta,
    Escalated,
    Event,
    Failed,
    Finished,
    KeptLocal,
    Loading,
    Measured,
    ModelChoiceRequested,
    Opened,
    Routed,
    SetAside,
)
from hybridchat.messages import DataPolicy, FinishReason, Place, Reading, Role, Status, Usage, Withdrawal
from hybridchat.store.database import Store
from tests.engine.conftest import Bench
from tests.engine.policies import ScriptedPolicy

T = TypeVar("T")


def of(kind: type[T], events: list[Event]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def shown(events: list[Event], place: Place) -> str:
    return "".join(event.text for event in of(Delta, events) if event.place is place)


class Signal(asyncio.Event):
    """A step of a script that does not wait, but lets another script go on."""

    def __init__(self, other: asyncio.Event) -> None:
        super().__init__()
        self._other = other

    async def wait(self) -> Literal[True]:
        self._other.set()
        return True


async def test_a_sure_local_answer_streams_and_stays(bench: Bench) -> None:
    events = await bench.run()
    assert isinstance(events[0], Routed)
    assert isinstance(events[1], Opened)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.text == shown(events, Place.LOCAL) == "Paris. Yes"
    assert last.provenance.place is Place.LOCAL
    assert last.provenance.model == "scripted"
    assert last.provenance.usage == Usage(10, 3)
    assert last.provenance.cost == 0.0
    assert bench.opened == []


async def test_question_and_answer_are_kept_with_their_provenance(bench: Bench) -> None:
    events = await bench.run("What is the capital of France?")
    routed, last = events[0], events[-1]
    assert isinstance(routed, Routed)
    assert isinstance(last, Finished)
    conversation = await bench.store.conversations.get(routed.conversation_id)
    assert conversation.title == "What is the capital of France?"
    assert conversation.head_id == last.message_id
    question, answer = await bench.store.conversations.path(last.message_id)
    assert (question.role, question.content) == (Role.USER, "What is the capital of France?")
    assert (answer.content, answer.status, answer.provenance) == ("Paris. Yes", Status.COMPLETE, last.provenance)


async def test_the_next_turn_of_a_conversation_sends_what_was_said_before(bench: Bench) -> None:
    first = await bench.run("My name is Ada.")
    assert isinstance(first[0], Routed)
    await bench.run("What is my name?", conversation_id=first[0].conversation_id)
    assert [m.content for m in bench.local.requests[1].messages] == [
        "My name is Ada.",
        "Paris. Yes",
        "What is my name?",
    ]


async def test_another_answer_to_the_same_question_is_a_sibling(bench: Bench) -> None:
    first = await bench.run()
    assert isinstance(first[0], Routed)
    second = await bench.run("", answer_to=first[0].user_message_id)
    assert isinstance(second[0], Routed)
    assert second[0].user_message_id == first[0].user_message_id
    siblings = await bench.store.conversations.children(first[0].user_message_id)
    assert len(siblings) == 2


async def test_the_system_prompt_of_the_call_replaces_the_one_of_the_settings(bench: Bench) -> None:
    bench.settings = replace(bench.settings, answer=replace(bench.settings.answer, system="be brief"))
    await bench.run()
    await bench.run(system="be long")
    assert [r.messages[0].content for r in bench.local.requests] == ["be brief", "be long"]


async def test_confidence_is_told_at_checkpoints_and_kept(bench: Bench) -> None:
    events = await bench.run()
    assert [m.tokens for m in of(Measured, events)] == [1, 3]
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.provenance.confidence == of(Measured, events)[-1].confidence


async def test_an_answer_below_the_confidence_asked_for_ends_with_exit_code_10(bench: Bench) -> None:
    last = (await bench.run(min_confidence=0.5))[-1]
    assert isinstance(last, Finished)
    assert last.exit_code == 10
    assert last.notes == ("unsure: 20%, below the 50% asked for",)


async def test_an_answer_cut_at_its_limit_says_so(bench: Bench) -> None:
    bench.scripts(local=script(["never", " ending"], finish_reason=FinishReason.LENGTH))
    last = (await bench.run())[-1]
    assert isinstance(last, Finished)
    assert "cut off" in last.notes[0]


async def test_model_text_is_safe_for_a_terminal_before_anyone_sees_it(bench: Bench) -> None:
    bench.scripts(local=script(["a\x1b]0;owned\x07b", "\x1b[2", "Jc"]))
    events = await bench.run()
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.text == shown(events, Place.LOCAL) == "abc"
    assert (await bench.store.conversations.path(last.message_id))[-1].content == "abc"


async def test_thinking_is_shown_apart_and_is_no_part_of_the_answer(bench: Bench) -> None:
    bench.scripts(local=[Accepted("m"), Piece("hm", thinking=True), Piece("42"), Ended(FinishReason.STOP, Usage(1, 2))])
    events = await bench.run()
    assert [(d.text, d.thinking) for d in of(Delta, events)] == [("hm", True), ("42", False)]
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.text == "42"


async def test_waiting_for_a_model_is_told(bench: Bench) -> None:
    bench.scripts(local=[Waiting("phi3.5 is being loaded"), *script(["hi"])])
    assert of(Loading, await bench.run())[0].reason == "phi3.5 is being loaded"


async def test_a_model_that_says_nothing_still_finishes(bench: Bench) -> None:
    bench.scripts(local=script([]))
    last = (await bench.run())[-1]
    assert isinstance(last, Finished)
    assert last.text == ""


class TestEscalation:
    @pytest.fixture(autouse=True)
    def _allowed(self, bench: Bench) -> None:
        bench.allow(DataPolicy.ALLOW)
        bench.policy = ScriptedPolicy(doubt_after=2)

    async def test_doubt_sets_the_local_answer_aside_and_the_remote_one_follows(self, bench: Bench) -> None:
        gate = asyncio.Event()
        steps = script(["Lyon", " is", " the", " capital"])
        bench.scripts(local=[*steps[:4], gate, *steps[4:]])
        events = await bench.run()
        set_aside, escalated = of(SetAside, events)[0], of(Escalated, events)[0]
        assert (set_aside.tokens, set_aside.reason) == (2, "the local model is unsure")
        assert escalated.from_message_id == set_aside.message_id
        assert escalated.model == "llama"
        assert shown(events, Place.LOCAL) == "Lyon is"
        last = events[-1]
        assert isinstance(last, Finished)
        assert (last.text, last.provenance.place) == ("It is Paris", Place.REMOTE)
        assert bench.local.closed == 1

    async def test_both_answers_are_kept_as_siblings_and_the_remote_one_leads(self, bench: Bench) -> None:
        events = await bench.run()
        last, routed = events[-1], events[0]
        assert isinstance(last, Finished)
        assert isinstance(routed, Routed)
        local, remote = await bench.store.conversations.children(routed.user_message_id)
        assert (local.status, remote.status) == (Status.SET_ASIDE, Status.COMPLETE)
        assert (await bench.store.conversations.get(routed.conversation_id)).head_id == remote.id == last.message_id

    async def test_the_cost_follows_from_the_tokens_and_the_price(self, bench: Bench) -> None:
        last = (await bench.run())[-1]
        assert isinstance(last, Finished)
        assert last.provenance.cost == pytest.approx((10 * 1.0 + 2 * 2.0) / 1e6)

    async def test_the_local_stream_goes_on_unseen_until_the_remote_speaks(self, bench: Bench) -> None:
        all_said = asyncio.Event()
        steps = script(["a", "b", "c", "d"])
        bench.scripts(local=[*steps[:-1], Signal(all_said), steps[-1]], remote=[all_said, *script(["remote"], None)])
        events = await bench.run()
        assert shown(events, Place.LOCAL) == "ab"
        set_aside = of(SetAside, events)[0]
        kept = (await bench.store.conversations.path(set_aside.message_id))[-1]
        assert kept.content == "abcd"
        assert shown(events, Place.REMOTE) == "remote"

    async def test_a_draft_keeps_what_was_read_when_it_was_set_aside_and_why(self, bench: Bench) -> None:
        all_said = asyncio.Event()
        steps = script(["a", "b", "c", "d"])
        bench.scripts(local=[*steps[:-1], Signal(all_said), steps[-1]], remote=[all_said, *script(["remote"], None)])
        events = await bench.run()
        set_aside = of(SetAside, events)[0]
        source = (await bench.store.conversations.message(set_aside.message_id)).provenance
        assert source is not None
        assert source.withdrawal == Withdrawal(set_aside.tokens, set_aside.reason)
        assert source.reading == Reading(2, 0.5)
        assert source.confidence == set_aside.confidence

    async def test_the_time_of_a_draft_does_not_count_how_long_the_user_was_asked(self, bench: Bench) -> None:
        bench.allow(DataPolicy.CONFIRM)
        bench.policy = ScriptedPolicy(doubt_after=0)
        seconds = 0.0

        def consent(event: Event, turn: Turn) -> None:
            nonlocal seconds
            if isinstance(event, ConsentRequested):
                seconds += 100.0
                turn.answer(Consent.SEND)

        with patch.object(local_answer, "time", SimpleNamespace(monotonic=lambda: seconds)):
            events = await bench.run(can_ask=True, on=consent)
        source = (await bench.store.conversations.message(of(SetAside, events)[0].message_id)).provenance
        assert source is not None
        assert source.seconds == 0.0

    async def test_doubt_at_the_end_escalates_too(self, bench: Bench) -> None:
        bench.policy = ScriptedPolicy(doubt_after=0)
        events = await bench.run()
        assert shown(events, Place.LOCAL) == "Paris. Yes"
        assert of(SetAside, events)[0].tokens == 3
        assert isinstance(events[-1], Finished)
        assert events[-1].text == "It is Paris"

    async def test_the_ledger_is_written_before_and_after(self, bench: Bench) -> None:
        await bench.run("mail ada@example.org about it")
        entry = (await bench.store.ledger.list(10))[0]
        assert entry.endpoint == "huggingface"
        assert entry.placeholders == {"EMAIL": 1}
        assert entry.outcome is not None
        assert entry.outcome.status == "complete"

    async def test_nothing_is_sent_when_the_ledger_cannot_be_written(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from hybridchat.errors import CannotWrite  # noqa: PLC0415

        async def full(entry: object) -> int:
            raise CannotWrite("the disk is full")

        monkeypatch.setattr(bench.store.ledger, "sent", full)
        events = await bench.run()
        assert bench.remote.requests == []
        assert of(KeptLocal, events)[0].code == "cannot_write"
        assert isinstance(events[-1], Finished)
        assert events[-1].text == "Paris. Yes"

    async def test_secrets_leave_as_placeholders_and_come_back_in_the_answer(self, bench: Bench) -> None:
        bench.scripts(remote=script(["I wrote to HIDDEN_EM", "AIL_1."], None))
        events = await bench.run("write to ada@example.org")
        seen = [m.content for m in bench.remote.requests[0].messages]
        assert "ada@example.org" not in " ".join(seen)
        last = events[-1]
        assert isinstance(last, Finished)
        assert "ada@example.org" in last.text

    async def test_the_same_secret_has_the_same_placeholder_in_the_next_turn(self, bench: Bench) -> None:
        first = await bench.run("write to ada@example.org and bob@example.org")
        assert isinstance(first[0], Routed)
        await bench.run("again to bob@example.org", conversation_id=first[0].conversation_id)
        before, after = (request.messages for request in bench.remote.requests)
        placeholder = before[-1].content.removeprefix("write to ").split(" and ")[1]
        assert after[-1].content == f"again to {placeholder}"

    async def test_a_missing_key_keeps_the_local_answer_and_says_why(self, bench: Bench) -> None:
        bench.key_error = KeyMissing("no key for huggingface", hint="hybridchat keys set huggingface")
        events = await bench.run()
        kept = of(KeptLocal, events)[0]
        assert (kept.code, kept.hint) == ("key_missing", "hybridchat keys set huggingface")
        assert shown(events, Place.LOCAL) == "Paris. Yes"
        assert isinstance(events[-1], Finished)

    async def test_a_remote_failure_before_its_first_token_lets_the_local_answer_go_on(self, bench: Bench) -> None:
        bench.scripts(remote=[TryLater("rate limit", endpoint="huggingface")])
        events = await bench.run()
        assert of(SetAside, events) == []
        assert of(KeptLocal, events)[0].code == "try_later"
        assert shown(events, Place.LOCAL) == "Paris. Yes"
        entry = (await bench.store.ledger.list(10))[0]
        assert entry.outcome is not None
        assert entry.outcome.status == "try_later"

    async def test_a_remote_stream_that_breaks_keeps_both_partials(self, bench: Bench) -> None:
        bench.scripts(remote=[*script(["It", " is"], None)[:3], StreamBroken("reset", endpoint="huggingface")])
        events = await bench.run()
        last, routed = events[-1], events[0]
        assert isinstance(last, Failed)
        assert isinstance(routed, Routed)
        assert (last.code, last.exit_code, last.text) == ("stream_broken", 76, "It is")
        local, remote = await bench.store.conversations.children(routed.user_message_id)
        assert (local.status, remote.status) == (Status.SET_ASIDE, Status.PARTIAL)
        assert (local.content[:5], remote.content) == ("Paris", "It is")

    async def test_a_model_that_is_not_served_is_replaced_by_the_next_where_nobody_can_be_asked(
        self, bench: Bench
    ) -> None:
        missing = ModelMissing("not served", endpoint="huggingface", alternatives=("llama", "b"))
        bench.remote = type(bench.remote)(bench.remote.endpoint, [missing], script(["from b"], None))
        events = await bench.run()
        assert bench.opened == [None, "b"]
        last = events[-1]
        assert isinstance(last, Finished)
        assert last.text == "from b"
        assert "b was asked instead" in last.notes[0]

    async def test_a_person_chooses_the_model_that_replaces_one_not_served(self, bench: Bench) -> None:
        missing = ModelMissing("not served", endpoint="huggingface", alternatives=("b", "c"))
        bench.remote = type(bench.remote)(bench.remote.endpoint, [missing], script(["from c"], None))

        def choose(event: Event, turn: Turn) -> None:
            if isinstance(event, ModelChoiceRequested):
                assert event.alternatives == ("b", "c")
                turn.answer("c")

        events = await bench.run(on=choose, can_ask=True)
        assert bench.opened == [None, "c"]
        assert isinstance(events[-1], Finished)

    async def test_no_choice_of_model_keeps_the_local_answer(self, bench: Bench) -> None:
        bench.scripts(remote=[ModelMissing("not served", endpoint="huggingface", alternatives=("b",))])

        def refuse(event: Event, turn: Turn) -> None:
            if isinstance(event, ModelChoiceRequested):
                turn.answer(None)

        events = await bench.run(on=refuse, can_ask=True)
        assert of(KeptLocal, events)[0].code == "model_missing"

    async def test_every_model_gone_keeps_the_local_answer(self, bench: Bench) -> None:
        bench.scripts(remote=[ModelMissing("not served", endpoint="huggingface", alternatives=())])
        assert of(KeptLocal, await bench.run())[0].code == "model_missing"

    async def test_a_broken_local_model_brings_in_the_remote_one(self, bench: Bench) -> None:
        bench.scripts(local=[Unreachable("Ollama does not answer", endpoint="ollama")])
        events = await bench.run()
        assert of(SetAside, events) == []
        assert of(Escalated, events)[0].from_message_id is None
        assert "Ollama does not answer" in of(Escalated, events)[0].reason
        assert isinstance(events[-1], Finished)

    async def test_a_conversation_too_long_for_the_remote_loses_its_oldest_turn(self, bench: Bench) -> None:
        bench.policy = ScriptedPolicy()
        first = await bench.run("one")
        assert isinstance(first[0], Routed)
        bench.remote = type(bench.remote)(
            bench.remote.endpoint, [ContextOverflow("too long", endpoint="huggingface")], script(["ok"], None)
        )
        events = await bench.run("two", conversation_id=first[0].conversation_id, choice=Place.REMOTE)
        assert of(ContextTrimmed, events)[0].place is Place.REMOTE
        assert [m.content for m in bench.remote.requests[1].messages] == ["two"]

    async def test_a_question_too_long_for_the_remote_fails_with_a_hint(self, bench: Bench) -> None:
        bench.scripts(remote=[ContextOverflow("too long", endpoint="huggingface")])
        last = (await bench.run(choice=Place.REMOTE))[-1]
        assert isinstance(last, Failed)
        assert last.code == "context_overflow"
        assert last.hint

    async def test_a_local_answer_that_breaks_off_is_set_aside_with_all_that_was_shown(self, bench: Bench) -> None:
        bench.policy = ScriptedPolicy()
        bench.scripts(local=[*script(["a", "b", "c"])[:4], StreamBroken("reset", endpoint="ollama")])
        events = await bench.run()
        assert of(SetAside, events)[0].tokens == 3
        assert isinstance(events[-1], Finished)

    async def test_a_ledger_that_cannot_take_the_outcome_does_not_cost_the_answer(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from hybridchat.errors import CannotWrite  # noqa: PLC0415

        async def full(sent_id: int, outcome: object) -> None:
            raise CannotWrite("the disk is full")

        monkeypatch.setattr(bench.store.ledger, "outcome", full)
        last = (await bench.run())[-1]
        assert isinstance(last, Finished)
        assert (last.text, last.exit_code) == ("It is Paris", 74)
        assert "the disk is full" in last.notes[-1]


class TestConsent:
    @pytest.fixture(autouse=True)
    def _doubtful(self, bench: Bench) -> None:
        bench.policy = ScriptedPolicy(doubt_after=1)

    @staticmethod
    def say(reply: Consent) -> Callable[[Event, Turn], None]:
        def on(event: Event, turn: Turn) -> None:
            if isinstance(event, ConsentRequested):
                turn.answer(reply)

        return on

    async def test_what_would_leave_is_shown_before_and_after_redaction(self, bench: Bench) -> None:
        events = await bench.run("mail ada@example.org", can_ask=True, on=self.say(Consent.SEND))
        outgoing = of(ConsentRequested, events)[0].outgoing
        assert outgoing.original[-1].content == "mail ada@example.org"
        assert "ada@example.org" not in outgoing.redacted[-1].content
        assert outgoing.redactions == {"EMAIL": 1}
        assert outgoing.url == "https://remote.test/v1"
        assert outgoing.bytes > 0
        assert outgoing.cost is not None
        assert bench.remote.requests[0].messages == outgoing.redacted

    async def test_nothing_is_sent_before_the_answer(self, bench: Bench) -> None:
        def on(event: Event, turn: Turn) -> None:
            if isinstance(event, ConsentRequested):
                assert bench.remote.requests == []
                turn.answer(Consent.SEND)

        await bench.run(can_ask=True, on=on)
        assert len(bench.remote.requests) == 1

    async def test_staying_local_shows_the_whole_local_answer(self, bench: Bench) -> None:
        events = await bench.run(can_ask=True, on=self.say(Consent.STAY_LOCAL))
        assert of(KeptLocal, events)[0].code == "blocked"
        assert shown(events, Place.LOCAL) == "Paris. Yes"
        assert bench.remote.requests == []
        assert await bench.store.ledger.list(10) == []

    async def test_always_asks_no_more_in_this_conversation(self, bench: Bench) -> None:
        first = await bench.run(can_ask=True, on=self.say(Consent.ALWAYS))
        assert isinstance(first[0], Routed)
        second = await bench.run(can_ask=True, conversation_id=first[0].conversation_id)
        assert of(ConsentRequested, second) == []
        assert len(bench.remote.requests) == 2
        other = await bench.run(can_ask=True, on=self.say(Consent.STAY_LOCAL))
        assert len(of(ConsentRequested, other)) == 1

    async def test_a_second_reply_and_one_without_a_question_are_not_heard(self, bench: Bench) -> None:
        def on(event: Event, turn: Turn) -> None:
            turn.answer(Consent.STAY_LOCAL)
            turn.answer(Consent.SEND)

        events = await bench.run(can_ask=True, on=on)
        assert bench.remote.requests == []
        assert isinstance(events[-1], Finished)

    async def test_without_a_person_nothing_leaves_and_the_face_knows_from_the_start(self, bench: Bench) -> None:
        events = await bench.run()
        assert isinstance(events[0], Routed)
        assert not events[0].can_escalate
        assert bench.opened == []
        assert isinstance(events[-1], Finished)

    async def test_allow_remote_answers_confirm(self, bench: Bench) -> None:
        assert (await bench.run(allow_remote=True))[-1].provenance.place is Place.REMOTE  # type: ignore[union-attr]

    async def test_remote_demanded_without_a_person_is_blocked(self, bench: Bench) -> None:
        last = (await bench.run(choice=Place.REMOTE))[-1]
        assert isinstance(last, Failed)
        assert (last.code, last.exit_code) == ("blocked", 79)

    async def test_no_local_answer_and_nobody_to_ask_is_blocked_where_the_remote_would_be_there(
        self, bench: Bench
    ) -> None:
        bench.scripts(local=[Unreachable("Ollama does not answer", endpoint="ollama")])
        last = (await bench.run())[-1]
        assert isinstance(last, Failed)
        assert last.exit_code == 79
        assert "Ollama does not answer" in last.message

    async def test_no_local_answer_and_no_key_is_the_local_failure(self, bench: Bench) -> None:
        bench.scripts(local=[Unreachable("Ollama does not answer", endpoint="ollama")])
        bench.key_error = KeyMissing("no key")
        last = (await bench.run())[-1]
        assert isinstance(last, Failed)
        assert (last.code, last.exit_code) == ("unreachable", 69)

    async def test_no_local_answer_and_a_refusal_is_the_local_failure(self, bench: Bench) -> None:
        bench.scripts(local=[Unreachable("Ollama does not answer", endpoint="ollama")])
        last = (await bench.run(can_ask=True, on=self.say(Consent.STAY_LOCAL)))[-1]
        assert isinstance(last, Failed)
        assert last.code == "unreachable"


@pytest.mark.parametrize("allow_remote", [False, True])
@pytest.mark.parametrize("choice", [None, Place.REMOTE])
@pytest.mark.parametrize(("policy", "offline"), [(DataPolicy.LOCAL_ONLY, False), (DataPolicy.ALLOW, True)])
async def test_under_local_only_or_offline_the_remote_is_never_built(
    bench: Bench, policy: DataPolicy, offline: bool, choice: Place | None, allow_remote: bool
) -> None:
    bench.policy = ScriptedPolicy(doubt_after=1)
    bench.allow(policy, offline=offline)
    last = (await bench.run(can_ask=True, choice=choice, allow_remote=allow_remote))[-1]
    assert bench.opened == []
    assert isinstance(last, Finished if choice is None else Failed)


async def test_the_users_choice_of_the_local_model_is_kept_whatever_the_doubt(bench: Bench) -> None:
    bench.allow(DataPolicy.ALLOW)
    bench.policy = ScriptedPolicy(doubt_after=1)
    events = await bench.run(choice=Place.LOCAL)
    assert bench.opened == []
    assert isinstance(events[-1], Finished)


async def test_without_a_remote_the_local_answer_stands(bench: Bench) -> None:
    bench.policy = policy = ScriptedPolicy(doubt_after=1)
    bench.engine.open_remote = None
    assert isinstance((await bench.run())[-1], Finished)
    assert policy.questions[0].why_not == "no remote model is configured"
    last = (await bench.run(choice=Place.REMOTE))[-1]
    assert isinstance(last, Failed)
    assert last.exit_code == 79


class TestContext:
    async def test_the_oldest_turns_are_left_out_and_it_is_told(self, bench: Bench) -> None:
        first = await bench.run("word " * 1500)
        assert isinstance(first[0], Routed)
        events = await bench.run("word " * 1500, conversation_id=first[0].conversation_id)
        trimmed = of(ContextTrimmed, events)[0]
        assert (trimmed.place, trimmed.turns, trimmed.window) == (Place.LOCAL, 1, 4096)
        assert len(bench.local.requests[1].messages) == 1

    async def test_a_server_that_finds_the_prompt_too_long_is_asked_again_with_less(self, bench: Bench) -> None:
        first = await bench.run("one")
        assert isinstance(first[0], Routed)
        overflow = ContextOverflow("too long", endpoint="ollama")
        bench.engine.local = bench.local = type(bench.local)(
            bench.local.endpoint, [Accepted("m"), overflow], script(["ok"])
        )
        events = await bench.run("two", conversation_id=first[0].conversation_id)
        assert of(ContextTrimmed, events)[0].turns == 1
        assert [m.content for m in bench.local.requests[1].messages] == ["two"]
        assert isinstance(events[-1], Finished)

    async def test_a_window_that_is_told_with_the_refusal_is_fitted_at_once_with_room_for_an_answer(
        self, bench: Bench
    ) -> None:
        conversation_id = None
        for _ in range(6):
            events = await bench.run("word " * 60, conversation_id=conversation_id)
            assert isinstance(events[0], Routed)
            conversation_id = events[0].conversation_id
        overflow = ContextOverflow("too long", endpoint="ollama")
        bench.engine.local = bench.local = type(bench.local)(
            bench.local.endpoint, [Accepted("m", window=600), overflow], script(["ok"])
        )
        events = await bench.run("two", conversation_id=conversation_id)
        [trimmed] = of(ContextTrimmed, events)
        assert trimmed.window == 600
        assert trimmed.turns > 1
        assert len(bench.local.requests) == 2

    async def test_a_question_longer_than_the_window_goes_to_the_remote_where_that_is_allowed(
        self, bench: Bench
    ) -> None:
        bench.allow(DataPolicy.ALLOW)
        events = await bench.run("word " * 6000)
        assert isinstance(events[0], Routed)
        assert events[0].place is Place.REMOTE
        assert isinstance(events[1], Opened)
        assert events[1].place is Place.REMOTE

    async def test_a_question_that_the_server_cannot_take_at_all_fails(self, bench: Bench) -> None:
        bench.scripts(local=[ContextOverflow("too long", endpoint="ollama", hint="shorten it")])
        bench.key_error = KeyMissing("no key")
        last = (await bench.run())[-1]
        assert isinstance(last, Failed)
        assert (last.code, last.hint) == ("context_overflow", "shorten it")

    async def test_a_server_that_says_how_long_the_prompt_is_is_asked_again_only_once(self, bench: Bench) -> None:
        conversation_id = None
        for _ in range(8):
            first = (await bench.run("word " * 60, conversation_id=conversation_id))[0]
            assert isinstance(first, Routed)
            conversation_id = first.conversation_id
        whole = bench.local.requests[-1].messages
        overflow = ContextOverflow("too long", endpoint="ollama", prompt_tokens=3 * estimate_prompt(whole))
        endpoint = replace(bench.local.endpoint, num_ctx=1024)
        bench.engine.local_window = 1024
        bench.engine.local = bench.local = type(bench.local)(endpoint, [overflow], script(["ok"]))
        events = await bench.run("and now?", conversation_id=conversation_id)
        assert isinstance(events[-1], Finished)
        assert len(bench.local.requests) == 2
        sent = estimate_prompt(bench.local.requests[1].messages)
        assert 3 * sent <= 1024

    async def test_the_window_that_the_server_tells_counts_from_the_next_turn_on(self, bench: Bench) -> None:
        steps = script(["ok"])
        bench.scripts(local=[Accepted("m", window=1000), *steps[1:]])
        first = await bench.run("word " * 500)
        assert isinstance(first[0], Routed)
        events = await bench.run("word " * 500, conversation_id=first[0].conversation_id)
        assert of(ContextTrimmed, events)[0].window == 1000


class TestCancellation:
    async def test_the_partial_answer_is_kept(self, bench: Bench) -> None:
        steps = script(["one", " two", " three"])
        bench.scripts(local=[*steps[:3], asyncio.Event()])

        def on(event: Event, turn: Turn) -> None:
            if isinstance(event, Delta) and event.text == " two":
                turn.cancel()
                turn.cancel()

        events = await bench.run(on=on)
        last = events[-1]
        assert isinstance(last, Failed)
        assert (last.code, last.exit_code, last.text) == ("interrupted", 130, "one two")
        assert last.message_id is not None
        kept = (await bench.store.conversations.path(last.message_id))[-1]
        assert (kept.content, kept.status) == ("one two", Status.PARTIAL)
        assert bench.local.closed == 1

    async def test_before_the_first_token_only_the_question_is_kept(self, bench: Bench) -> None:
        bench.scripts(local=[asyncio.Event()])

        def on(event: Event, turn: Turn) -> None:
            turn.cancel()

        events = await bench.run(on=on)
        last = events[-1]
        assert isinstance(last, Failed)
        assert last.message_id is None

    async def test_a_turn_that_is_stopped_before_it_has_begun_still_ends_with_an_event(self, bench: Bench) -> None:
        turn = bench.turn()
        turn.cancel()
        events = [event async for event in turn]
        assert [type(event) for event in events] == [Failed]

    async def test_stopping_while_a_failure_is_being_kept_changes_nothing(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.scripts(local=[*script(["half"])[:2], StreamBroken("the connection broke", endpoint="ollama")])
        finish = bench.store.conversations.finish_answer

        async def stopped(*args: object) -> object:
            turn.cancel()
            return await finish(*args)  # type: ignore[arg-type]  # as it was called

        monkeypatch.setattr(bench.store.conversations, "finish_answer", stopped)
        turn = bench.turn(choice=Place.LOCAL)
        last = [event async for event in turn][-1]
        assert isinstance(last, Failed)
        assert (last.code, last.text) == ("stream_broken", "half")

    async def test_while_consent_is_asked_the_whole_local_text_is_kept(self, bench: Bench) -> None:
        bench.policy = ScriptedPolicy(doubt_after=1)

        def on(event: Event, turn: Turn) -> None:
            if isinstance(event, ConsentRequested):
                turn.cancel()

        last = (await bench.run(can_ask=True, on=on))[-1]
        assert isinstance(last, Failed)
        assert last.text.startswith("Paris")
        assert bench.remote.requests == []

    async def test_during_the_remote_answer_its_partial_is_kept_and_the_ledger_closed(self, bench: Bench) -> None:
        bench.allow(DataPolicy.ALLOW)
        bench.scripts(remote=[*script(["It", " is"], None)[:3], asyncio.Event()])

        def on(event: Event, turn: Turn) -> None:
            if isinstance(event, Delta) and event.text == " is":
                turn.cancel()

        last = (await bench.run(choice=Place.REMOTE, on=on))[-1]
        assert isinstance(last, Failed)
        assert last.text == "It is"
        entry = (await bench.store.ledger.list(10))[0]
        assert entry.outcome is not None
        assert entry.outcome.status == "cancelled"
        assert bench.remote.closed == 1

    async def test_before_the_remotes_first_token_the_call_is_closed_in_the_ledger(self, bench: Bench) -> None:
        bench.allow(DataPolicy.ALLOW)
        bench.scripts(remote=[asyncio.Event()])
        turn = bench.turn(choice=Place.REMOTE)
        await bench.remote.asked.wait()
        turn.cancel()
        events = [event async for event in turn]
        assert isinstance(events[-1], Failed)
        entry = (await bench.store.ledger.list(10))[0]
        assert entry.outcome is not None
        assert entry.outcome.status == "cancelled"

    async def test_a_turn_whose_consumer_went_away_can_still_be_stopped(self, bench: Bench) -> None:
        bench.scripts(local=script(["x"] * 2000))
        turn = bench.turn()
        await bench.local.asked.wait()
        for _ in range(3000):
            await asyncio.sleep(0)
        turn.cancel()
        last = [event async for event in turn][-1]
        assert isinstance(last, Failed)
        assert last.code == "interrupted"


async def test_a_fault_of_our_own_ends_the_turn_with_an_event(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(question: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(bench.policy, "watch", broken)
    last = (await bench.run())[-1]
    assert isinstance(last, Failed)
    assert last.exit_code == 70


async def test_a_failed_local_stream_keeps_what_was_said(bench: Bench) -> None:
    bench.scripts(local=[*script(["half"])[:2], StreamBroken("the connection broke", endpoint="ollama")])
    last = (await bench.run(choice=Place.LOCAL))[-1]
    assert isinstance(last, Failed)
    assert (last.exit_code, last.text) == (76, "half")
    assert last.message_id is not None
    assert (await bench.store.conversations.path(last.message_id))[-1].status is Status.PARTIAL


async def test_a_store_that_cannot_be_written_does_not_cost_the_answer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hybridchat.errors import CannotWrite  # noqa: PLC0415

    async def full(*args: object, **kwargs: object) -> None:
        raise CannotWrite("the disk is full")

    for name in ("create", "add_user_message", "begin_answer", "finish_answer"):
        monkeypatch.setattr(bench.store.conversations, name, full)
    last = (await bench.run())[-1]
    assert isinstance(last, Finished)
    assert (last.text, last.exit_code) == ("Paris. Yes", 74)
    assert "not saved" in last.notes[-1]


async def test_a_conversation_that_is_deleted_while_it_is_answered_does_not_cost_the_answer(bench: Bench) -> None:
    deleted = asyncio.Event()
    bench.scripts(local=[*script(["a", "b"])[:2], deleted, *script(["a", "b"])[2:]])
    turn = bench.turn()
    conversation_id = ""
    async for event in turn:
        if isinstance(event, Routed):
            conversation_id = event.conversation_id
        if isinstance(event, Delta) and event.text == "a":
            await bench.store.conversations.delete(conversation_id)
            deleted.set()
        last = event
    assert isinstance(last, Finished)
    assert (last.text, last.exit_code) == ("ab", 74)
    assert "not saved" in last.notes[-1]


async def test_an_escape_sequence_that_never_ends_is_shown_as_the_text_it_is(bench: Bench) -> None:
    bench.scripts(local=script(["a", "\x1b]0;b"]))
    last = (await bench.run())[-1]
    assert isinstance(last, Finished)
    assert last.text == "a0;b"


async def test_a_remote_server_that_is_busy_before_and_between_its_words_is_told(bench: Bench) -> None:
    bench.allow(DataPolicy.ALLOW)
    steps = script(["It", " is"], None)
    bench.scripts(remote=[steps[0], Waiting("it loads"), steps[1], Waiting("it thinks"), *steps[2:]])
    events = await bench.run(choice=Place.REMOTE)
    assert [(event.place, event.reason) for event in of(Loading, events)] == [
        (Place.REMOTE, "it loads"),
        (Place.REMOTE, "it thinks"),
    ]
    assert shown(events, Place.REMOTE) == "It is"


async def test_a_remote_model_that_says_nothing_finishes_empty(bench: Bench) -> None:
    bench.allow(DataPolicy.ALLOW)
    bench.scripts(remote=script([], None))
    last = (await bench.run(choice=Place.REMOTE))[-1]
    assert isinstance(last, Finished)
    assert (last.text, last.provenance.place) == ("", Place.REMOTE)


async def test_a_remote_models_thinking_is_shown_apart(bench: Bench) -> None:
    bench.allow(DataPolicy.ALLOW)
    bench.scripts(
        remote=[Accepted("m"), Piece("hm", thinking=True), Piece("42"), Ended(FinishReason.LENGTH, Usage(None, None))]
    )
    events = await bench.run(choice=Place.REMOTE)
    assert [(delta.text, delta.thinking) for delta in of(Delta, events)] == [("hm", True), ("42", False)]
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.text == "42"
    assert last.provenance.cost is not None
    assert last.provenance.cost > 0  # estimated, since the server did not count
    assert "cut off" in last.notes[0]


async def test_another_version_of_a_question_begins_a_branch_beside_it(bench: Bench) -> None:
    first = await bench.run("one")
    assert isinstance(first[0], Routed)
    second = await bench.run("two", conversation_id=first[0].conversation_id)
    assert isinstance(second[0], Routed)
    edited = await bench.run("two, better", conversation_id=first[0].conversation_id, edit_of=second[0].user_message_id)
    assert isinstance(edited[0], Routed)
    siblings = await bench.store.conversations.siblings(edited[0].user_message_id)
    assert [message.content for message in siblings] == ["two", "two, better"]
    assert [message.content for message in bench.local.requests[-1].messages] == ["one", "Paris. Yes", "two, better"]


def test_a_loop_that_closes_ends_its_turns_and_keeps_what_was_said(tmp_path: Path) -> None:
    path = tmp_path / "hybridchat.db"

    async def begin() -> str:
        bench = Bench(Store.open(path))
        bench.scripts(local=[*script(["half"])[:2], asyncio.Event()])
        turn = bench.turn()
        async for event in turn:
            if isinstance(event, Delta):
                return event.message_id
        raise AssertionError

    async def read(message_id: str) -> str:
        async with Store.open(path) as store:
            return (await store.conversations.message(message_id)).content

    message_id = asyncio.run(begin())
    assert asyncio.run(read(message_id)) == "half"
