from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hybridchat.backends.scripted import script
from hybridchat.events import (
    Consent,
    Finished,
    HandOver,
    KeptLocal,
    Outgoing,
    Revise,
    Routed,
)
from hybridchat.messages import Place
from hybridchat.privacy.explanation import EXPLANATION
from hybridchat.privacy.fence import fenced
from hybridchat.store.database import Store
from tests.engine.conftest import Bench
from tests.engine.policies import ScriptedPolicy
from tests.engine.replies import a_conversation, saying


@pytest.fixture(autouse=True)
def _doubtful(bench: Bench) -> None:
    bench.policy = ScriptedPolicy(doubt_after=0)


def sent(bench: Bench) -> Sequence[str]:
    (request,) = bench.remote.requests
    return [message.content for message in request.messages]


async def test_what_can_be_changed_is_told_with_the_question(bench: Bench) -> None:
    conversation_id = await a_conversation(bench, "one", "two")
    asked, on = saying(Consent.STAY_LOCAL)
    await bench.run("three", conversation_id=conversation_id, system="be brief", can_ask=True, on=on)
    (outgoing,) = asked
    assert (outgoing.turns, outgoing.turns_left_out, outgoing.note) == (2, 0, "")
    assert outgoing.form is HandOver.VERBATIM
    assert [part.label for part in outgoing.parts] == [
        "instructions: be brief", "you: one", "the answer: Paris. Yes", "you: two", "the answer: Paris. Yes",
    ]  # fmt: skip
    assert not any(part.left_out for part in outgoing.parts)


async def test_the_oldest_turns_are_left_out_on_demand_and_only_then_it_is_sent(bench: Bench) -> None:
    conversation_id = await a_conversation(bench, "one", "two")
    asked, on = saying(Revise(turns_left_out=1), Consent.SEND)
    await bench.run("three", conversation_id=conversation_id, can_ask=True, on=on)
    assert (asked[1].turns, asked[1].turns_left_out) == (2, 1)
    assert sent(bench) == ["two", "Paris. Yes", "three"] == [message.content for message in asked[1].redacted]
    assert asked[1].bytes < asked[0].bytes
    assert len(await bench.store.ledger.list(10)) == 1


async def test_trimming_can_be_taken_back(bench: Bench) -> None:
    conversation_id = await a_conversation(bench, "one", "two")
    asked, on = saying(Revise(turns_left_out=2), Revise(turns_left_out=0), Consent.SEND)
    await bench.run("three", conversation_id=conversation_id, can_ask=True, on=on)
    assert asked[0] == asked[2]


async def test_a_revision_alone_sends_nothing(bench: Bench) -> None:
    asked, on = saying(Revise(redact=("France",)), Consent.STAY_LOCAL)
    events = await bench.run(can_ask=True, on=on)
    assert len(asked) == 2
    assert bench.remote.requests == []
    assert await bench.store.ledger.list(10) == []
    assert any(isinstance(event, KeptLocal) for event in events)


async def test_words_by_hand_become_placeholders_that_come_back_and_hold_for_the_conversation(bench: Bench) -> None:
    bench.scripts(remote=script(["HIDDEN_WOR", "D_1 it is"], None))
    asked, on = saying(Revise(redact=("france", " ")), Consent.SEND)
    events = await bench.run(can_ask=True, on=on)
    assert sent(bench) == [EXPLANATION, "What is the capital of HIDDEN_WORD_1?"]
    assert asked[1].redacted == bench.remote.requests[0].messages
    assert asked[1].redactions == {"WORD": 1}
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.text.startswith("France it is")
    routed = events[0]
    assert isinstance(routed, Routed)
    again, on = saying(Consent.STAY_LOCAL)
    await bench.run("And France?", conversation_id=routed.conversation_id, can_ask=True, on=on)
    assert again[0].redacted[-1].content == "And HIDDEN_WORD_1?"


async def test_words_by_hand_outlive_the_process(tmp_path: Path) -> None:
    async with Store.open(tmp_path / "a.db") as store:
        bench = Bench(store)
        bench.policy = ScriptedPolicy(doubt_after=0)
        asked, on = saying(Revise(redact=("France",)), Consent.STAY_LOCAL)
        routed = (await bench.run(can_ask=True, on=on))[0]
        assert isinstance(routed, Routed)
    async with Store.open(tmp_path / "a.db") as store:
        bench = Bench(store)
        bench.policy = ScriptedPolicy(doubt_after=0)
        asked, on = saying(Consent.STAY_LOCAL)
        await bench.run("France?", conversation_id=routed.conversation_id, can_ask=True, on=on)
        assert asked[0].redacted[-1].content == "HIDDEN_WORD_1?"


async def test_a_word_that_stands_nowhere_is_told_and_kept_for_later(bench: Bench) -> None:
    asked, on = saying(Revise(redact=("Narnia", "capital")), Consent.STAY_LOCAL)
    await bench.run(can_ask=True, on=on)
    assert asked[1].note == "“Narnia” does not stand there as a whole word"


async def test_what_was_replaced_is_told_by_its_places(bench: Bench) -> None:
    asked, on = saying(Consent.STAY_LOCAL)
    await bench.run("write to ada@example.org and bob@example.org", can_ask=True, on=on)
    (outgoing,) = asked
    original, redacted = outgoing.original[-1].content, outgoing.redacted[-1].content
    assert [original[r.start : r.end] for r in outgoing.replacements[-1]] == ["ada@example.org", "bob@example.org"]
    assert [redacted[r.placeholder_start : r.placeholder_end] for r in outgoing.replacements[-1]] == [
        "HIDDEN_EMAIL_1", "HIDDEN_EMAIL_2",
    ]  # fmt: skip
    assert [r.kind for r in outgoing.replacements[-1]] == ["EMAIL", "EMAIL"]


async def test_a_message_and_an_attachment_are_left_out_by_themselves(bench: Bench) -> None:
    conversation_id = await a_conversation(bench, "one")
    question = f"Who signed?\n\n{fenced('signed: Ada', 'deed.txt')}\n\n{fenced('signed: Bob', 'will.txt')}"

    def leave_out(outgoing: Outgoing) -> Revise:
        by_label = {part.label: part.id for part in outgoing.parts}
        return Revise(left_out=(by_label["you: one"], by_label["attached: will.txt"]))

    asked, on = saying(leave_out, Consent.SEND)
    await bench.run(question, conversation_id=conversation_id, can_ask=True, on=on)
    assert [part.left_out for part in asked[1].parts] == [True, False, False, True]
    first, answer, last = sent(bench)
    assert (first, answer) == ("(a message was left out here)", "Paris. Yes")
    assert "signed: Ada" in last
    assert "Bob" not in last
    assert "will.txt" not in last
    assert "left it out" in last


async def test_the_instructions_can_be_left_out(bench: Bench) -> None:
    _, on = saying(lambda outgoing: Revise(left_out=(outgoing.parts[0].id,)), Consent.SEND)
    await bench.run("hi", system="you work for Acme", can_ask=True, on=on)
    assert sent(bench) == ["hi"]


@pytest.mark.parametrize(
    ("nonsense", "note"),
    [
        (Revise(turns_left_out=3), "0 to 1 earlier turns"),
        (Revise(turns_left_out=-1), "0 to 1 earlier turns"),
        (Revise(left_out=("nothing",)), "no part 'nothing'"),
        (Revise(form=HandOver.EXTRACT), "extract is not possible"),
    ],
)
async def test_nonsense_is_asked_again_with_a_note_and_changes_nothing(
    bench: Bench, nonsense: Revise, note: str
) -> None:
    conversation_id = await a_conversation(bench, "one")
    asked, on = saying(nonsense, Consent.STAY_LOCAL)
    await bench.run("two", conversation_id=conversation_id, can_ask=True, on=on)
    assert note in asked[1].note
    assert asked[1].redacted == asked[0].redacted
    assert bench.remote.requests == []


async def test_no_earlier_turn_can_be_left_out_of_a_first_question(bench: Bench) -> None:
    asked, on = saying(Revise(turns_left_out=1), Consent.STAY_LOCAL)
    await bench.run(can_ask=True, on=on)
    assert "there is no earlier turn" in asked[1].note


async def test_a_reply_of_another_kind_keeps_everything_here(bench: Bench) -> None:
    _, on = saying("maybe")
    await bench.run(can_ask=True, on=on)
    assert bench.remote.requests == []


async def test_always_after_a_revision_asks_no_more(bench: Bench) -> None:
    _, on = saying(Revise(redact=("France",)), Consent.ALWAYS)
    routed = (await bench.run(can_ask=True, on=on))[0]
    assert isinstance(routed, Routed)
    asked, on = saying()
    await bench.run("And France?", conversation_id=routed.conversation_id, can_ask=True, on=on)
    assert asked == []
    assert bench.remote.requests[-1].messages[-1].content == "And HIDDEN_WORD_1?"


@pytest.mark.parametrize("with_question", [True, False])
async def test_of_a_selection_only_that_leaves(bench: Bench, with_question: bool) -> None:
    conversation_id = await a_conversation(bench, "my name is Ada")
    events = await bench.run(
        "Is that so?", conversation_id=conversation_id, system="be brief", choice=Place.REMOTE, allow_remote=True,
        selection="Paris, said ada@example.org", with_question=with_question,
    )  # fmt: skip
    assert isinstance(events[-1], Finished)
    explanation, content = sent(bench)
    assert explanation == EXPLANATION
    assert "Paris, said HIDDEN_EMAIL_1" in content
    assert ("Is that so?" in content) is with_question
    assert "name" not in content
