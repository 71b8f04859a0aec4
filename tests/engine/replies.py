"""Answers what a turn asks, in order, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable

from hybridchat.engine import Turn
from hybridchat.events import ConsentRequested, Event, Outgoing, Reply, Routed
from hybridchat.messages import Place
from tests.engine.conftest import Bench


def saying(*replies: Reply | Callable[[Outgoing], Reply]) -> tuple[list[Outgoing], Callable[[Event, Turn], None]]:
    asked: list[Outgoing] = []

    def on(event: Event, turn: Turn) -> None:
        if isinstance(event, ConsentRequested):
            reply = replies[len(asked)]
            asked.append(event.outgoing)
            turn.answer(reply(event.outgoing) if callable(reply) else reply)

    return asked, on


async def a_conversation(bench: Bench, *questions: str) -> str:
    conversation_id = None
    for question in questions:
        routed = (await bench.run(question, conversation_id=conversation_id, choice=Place.LOCAL))[0]
        assert isinstance(routed, Routed)
        conversation_id = routed.conversation_id
    assert conversation_id is not None
    return conversation_id
