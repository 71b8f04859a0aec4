from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from hybridchat.backends.protocol import Accepted, Ended, Piece
from hybridchat.backends.scripted import script
from hybridchat.engine.opening import turns_since_remote
from hybridchat.errors import CannotWrite
from hybridchat.events import Failed, Finished, Loading, Routed
from hybridchat.messages import FinishReason, Message, Place, Provenance, Role
from hybridchat.store.database import Store
from tests.engine.conftest import Bench

ASKS = """
import asyncio, sys
from pathlib import Path
from hybridchat.backends.scripted import ScriptedBackend, script
from hybridchat.config.settings import Settings
from hybridchat.engine import Engine, TurnRequest
from hybridchat.store.database import Store
from tests.engine.conftest import LOCAL
from tests.engine.policies import ScriptedPolicy

async def main():
    async with Store.open(Path(sys.argv[1])) as store:
        local = ScriptedBackend(LOCAL, script(["answer of ", sys.argv[3]]))
        turn = Engine(Settings(), store, local, ScriptedPolicy()).turn(
            TurnRequest("question of " + sys.argv[3], conversation_id=sys.argv[2])
        )
        async for event in turn:
            pass
        assert type(event).__name__ == "Finished", event

asyncio.run(main())
"""


async def begun(bench: Bench) -> str:
    events = await bench.run("Hello?")
    assert isinstance(events[0], Routed)
    return events[0].conversation_id


async def contents(store: Store, conversation_id: str) -> list[str]:
    head = (await store.conversations.get(conversation_id)).head_id
    assert head is not None
    return [message.content for message in await store.conversations.path(head)]


async def test_a_second_turn_waits_for_the_first_and_goes_on_below_its_answer(bench: Bench) -> None:
    conversation_id = await begun(bench)
    hold = asyncio.Event()
    bench.local._scripts = [
        script(["x"]),
        [Accepted("m"), Piece("one"), hold, Ended(FinishReason.STOP)],
        script(["two"]),
    ]
    first = aiter(bench.turn("first", conversation_id=conversation_id))
    assert isinstance(await anext(first), Routed)
    second = bench.turn("second", conversation_id=conversation_id)
    waiting = await anext(aiter(second))
    assert isinstance(waiting, Loading)
    assert "another turn of this conversation" in waiting.reason
    hold.set()
    assert isinstance([event async for event in first][-1], Finished)
    events = [event async for event in second]
    assert isinstance(events[-1], Finished)
    assert (await contents(bench.store, conversation_id))[2:] == ["first", "one", "second", "two"]


async def test_who_waits_can_stop_waiting(bench: Bench) -> None:
    conversation_id = await begun(bench)
    assert await bench.store.turns.claim(conversation_id, "somebody")
    turn = bench.turn("second", conversation_id=conversation_id)
    async for event in turn:
        if isinstance(event, Loading):
            turn.cancel()
    assert isinstance(event, Failed)
    assert event.code == "interrupted"
    assert not await bench.store.turns.claim(conversation_id, "another")


async def test_a_turn_that_was_stopped_holds_nothing(bench: Bench) -> None:
    conversation_id = await begun(bench)
    bench.scripts(local=[Accepted("m"), Piece("one"), asyncio.Event()])
    bench._engine = None
    turn = bench.turn("first", conversation_id=conversation_id)
    async for event in turn:
        if isinstance(event, Routed):
            turn.cancel()
    assert await bench.store.turns.claim(conversation_id, "another")


async def test_other_conversations_do_not_wait(bench: Bench) -> None:
    conversation_id = await begun(bench)
    assert await bench.store.turns.claim(conversation_id, "somebody")
    assert isinstance((await bench.run("elsewhere"))[-1], Finished)


async def test_an_answer_to_the_same_question_waits_too(bench: Bench) -> None:
    events = await bench.run("Hello?")
    assert isinstance(events[0], Routed)
    assert await bench.store.turns.claim(events[0].conversation_id, "somebody")
    turn = bench.turn("", answer_to=events[0].user_message_id)
    assert isinstance(await anext(aiter(turn)), Loading)
    await turn.aclose()


async def test_where_nothing_can_be_kept_nobody_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation_id = await begun(bench)

    async def full(*_: object) -> bool:
        raise CannotWrite("the disk is full")

    monkeypatch.setattr(bench.store.turns, "claim", full)
    monkeypatch.setattr(bench.store.turns, "release", full)
    assert isinstance((await bench.run("more", conversation_id=conversation_id))[-1], Finished)


async def test_questions_of_several_processes_are_answered_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "hybridchat.db"
    async with Store.open(path) as store:
        conversation = await store.conversations.create("shared")
        processes = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", ASKS, path, conversation.id, name, cwd=Path(__file__).parents[2]
            )
            for name in "abc"
        ]
        assert await asyncio.gather(*(process.wait() for process in processes)) == [0, 0, 0]
        said = await contents(store, conversation.id)
    assert len(said) == 6
    pairs = {(said[i].removeprefix("question of "), said[i + 1].removeprefix("answer of ")) for i in (0, 2, 4)}
    assert pairs == {(name, name) for name in "abc"}


def message(role: Role, place: Place | None = None) -> Message:
    source = None if place is None else Provenance(place, "e", "m", "")
    return Message("1", "c", None, role, "", None, provenance=source)  # type: ignore[arg-type]  # the time is not looked at


def test_turns_are_counted_back_to_the_last_remote_answer() -> None:
    asked, local, remote = (
        message(Role.USER),
        message(Role.ASSISTANT, Place.LOCAL),
        message(Role.ASSISTANT, Place.REMOTE),
    )
    assert turns_since_remote([asked]) is None
    assert turns_since_remote([asked, local, asked]) is None
    assert turns_since_remote([asked, remote, asked]) == 1
    assert turns_since_remote([asked, remote, asked, local, asked]) == 2
