from __future__ import annotations

import asyncio

import pytest

from hybridchat.backends.scripted import script
from hybridchat.engine import TurnRequest
from hybridchat.events import Finished, Routed
from hybridchat.messages import DataPolicy, Place
from hybridchat.plain.reading import Reading, judged
from hybridchat.routing.gain import GainPolicy
from tests.engine.test_second_look import GreyPolicy, word
from tests.tui.conftest import Chat, store  # noqa: F401 - a fixture


@pytest.fixture
def chat(store: object) -> Chat:  # noqa: F811 - the fixture
    return Chat(store)  # type: ignore[arg-type]  # the fixture of another module


async def test_while_the_user_reads_the_local_model_looks_again_and_the_next_line_tells(chat: Chat) -> None:
    chat.policy = GreyPolicy()
    chat.allow(DataPolicy.ALLOW)
    chat.local_says(script(["It is", " Paris"]), word("No", -0.1))
    turn = chat.assistant().turn(TurnRequest("What is the capital of France?"))
    assert isinstance([event async for event in turn][-1], Finished)
    reading = Reading(turn)
    await reading._looking
    assert (await reading.end()).endswith("the remote model may be worth asking (/escalate asks it)")


async def test_a_line_that_comes_at_once_stops_it(chat: Chat) -> None:
    chat.policy = GreyPolicy()
    chat.local_says(script(["It is", " Paris"]), [asyncio.Event()])
    turn = chat.assistant().turn(TurnRequest("What is the capital of France?"))
    assert isinstance([event async for event in turn][-1], Finished)
    assert await Reading(turn).end() == ""


async def test_thumbs_are_taken_for_the_last_local_answer(chat: Chat) -> None:
    chat.policy = GainPolicy()  # type: ignore[assignment]  # declared as the scripted one
    chat.local_says(script(["Paris", " it", " is", " and", " that", " is", " all", " of", " it"]))
    assistant = chat.assistant()
    assert await judged(assistant, None, good=True) == "There is no answer yet."
    events = [event async for event in assistant.turn(TurnRequest("What is the capital?", choice=Place.LOCAL))]
    assert isinstance(events[0], Routed)
    assert (await judged(assistant, events[0].conversation_id, good=False)).startswith("Noted")
    (summary,) = await assistant.learned()
    assert summary.learned.labels == 1


async def test_of_a_remote_answer_nothing_is_learned_and_that_is_said(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    assistant = chat.assistant()
    events = [event async for event in assistant.turn(TurnRequest("Who?", choice=Place.REMOTE))]
    assert isinstance(events[0], Routed)
    assert (await judged(assistant, events[0].conversation_id, good=True)).startswith("Nothing is learned")
