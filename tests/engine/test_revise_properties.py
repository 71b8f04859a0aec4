from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from hybridchat.engine import Turn
from hybridchat.events import Consent, ConsentRequested, Event, HandOver, Outgoing, Revise, Routed
from hybridchat.messages import Place
from hybridchat.store.database import Store
from tests.engine.conftest import Bench

TURNS = ("alpha one", "beta two", "gamma three")
WORDS = ("alpha", "beta", "gamma", "delta", "Yes", "nowhere", "  ", "one")
PARTS = range(9)

revises = st.builds(
    Revise,
    turns_left_out=st.none() | st.integers(-1, 5),
    left_out=st.none() | st.frozensets(st.sampled_from(PARTS), max_size=3).map(tuple),
    redact=st.lists(st.sampled_from(WORDS), max_size=2).map(tuple),
    form=st.none() | st.sampled_from([HandOver.VERBATIM, HandOver.EXTRACT]),
)


def named(revise: Revise, outgoing: Outgoing) -> Revise:
    """Put the ids of parts in the place of their numbers; numbers that are too high name what is not there."""
    if revise.left_out is None:
        return revise
    ids = [part.id for part in outgoing.parts]
    left_out = tuple(ids[n] if n < len(ids) else f"no part {n}" for n in map(int, revise.left_out))
    return Revise(revise.turns_left_out, left_out, revise.redact, revise.form)


async def converse(replies: list[Revise], last: Consent) -> tuple[list[Outgoing], Bench]:
    asked: list[Outgoing] = []

    def on(event: Event, turn: Turn) -> None:
        if isinstance(event, ConsentRequested):
            reply = named(replies[len(asked)], event.outgoing) if len(asked) < len(replies) else last
            asked.append(event.outgoing)
            turn.answer(reply)

    async with Store.open(None) as store:
        bench = Bench(store)
        conversation_id = None
        for question in TURNS:
            routed = (await bench.run(question, conversation_id=conversation_id, choice=Place.LOCAL))[0]
            assert isinstance(routed, Routed)
            conversation_id = routed.conversation_id
        await bench.run(
            "delta four", conversation_id=conversation_id, choice=Place.REMOTE, can_ask=True, system="be brief", on=on
        )
        return asked, bench


@settings(max_examples=40)
@given(st.lists(revises, max_size=4), st.sampled_from(list(Consent)))
def test_however_it_is_revised_only_what_was_shown_last_leaves_and_only_after_a_yes(
    replies: list[Revise], last: Consent
) -> None:
    asked, bench = asyncio.run(converse(replies, last))
    assert len(asked) == len(replies) + 1
    if last is Consent.STAY_LOCAL:
        assert bench.remote.requests == []
        return
    (request,) = bench.remote.requests
    shown = asked[-1]
    assert request.messages == shown.redacted
    text = " ".join(message.content for message in request.messages).split()
    nonsense = [bool(outgoing.note) and "does not stand" not in outgoing.note for outgoing in asked[1:]]
    for revise, is_nonsense in zip(replies, nonsense, strict=True):
        if not is_nonsense:
            assert not set(text) & {word for word in revise.redact if word.strip()}
    left_out = {part.label for part in shown.parts if part.left_out}
    for place, question in enumerate(TURNS):
        if f"you: {question}" in left_out or place < shown.turns_left_out:
            assert question not in " ".join(text)
    for message, original, replacements in zip(shown.redacted, shown.original, shown.replacements, strict=True):
        whole = message.content
        for replacement in reversed(replacements):
            value = original.content[replacement.start : replacement.end]
            whole = whole[: replacement.placeholder_start] + value + whole[replacement.placeholder_end :]
        assert whole == original.content
