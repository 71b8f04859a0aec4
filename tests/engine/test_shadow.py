from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from hybridchat.backends.protocol import Accepted, Piece
from hybridchat.backends.scripted import script
from hybridchat.config.settings import BudgetSettings
from hybridchat.engine.shadow import REASON, by_chance
from hybridchat.errors import Unreachable
from hybridchat.events import Escalated, Finished
from hybridchat.messages import DataPolicy, Place
from hybridchat.routing.gain import GainPolicy
from tests.engine.conftest import Bench
from tests.engine.policies import ScriptedPolicy
from tests.engine.test_turn import of


def shadowed(bench: Bench, remote: str = "Paris", *, share: float = 1.0) -> Bench:
    routing = replace(bench.settings.routing, shadow=share)
    bench.settings = replace(bench.settings, routing=routing)
    bench.allow(DataPolicy.ALLOW)
    bench.policy = GainPolicy()
    sure = script(["The", " capital", " of", " France", " is", " Paris", "."], -0.001)
    bench.scripts(local=sure, remote=script([remote], None))
    return bench


async def checked(bench: Bench, **more: object) -> list[str | None]:
    events = await bench.run(**more)  # type: ignore[arg-type]  # each test names real fields
    last = events[-1]
    assert isinstance(last, Finished)
    assert not of(Escalated, events)
    assert last.provenance.place is Place.LOCAL
    await asyncio.gather(*bench.engine.shadows._running)
    return [one.signal for one in await bench.store.judgements.signalled("scripted")]


@pytest.mark.parametrize(("remote", "signal"), [("Paris", "confirmed"), ("Lyon", "contradicted")])
async def test_a_kept_answer_is_held_against_the_remote_models(bench: Bench, remote: str, signal: str) -> None:
    assert await checked(shadowed(bench, remote)) == [signal]
    (entry,) = await bench.store.ledger.list(10)
    assert entry.reason == REASON
    assert entry.outcome is not None
    assert entry.outcome.status == "complete"
    (conversation,) = await bench.store.conversations.list()
    assert len(await bench.store.conversations.tree(conversation.id)) == 2


async def test_it_costs_as_any_call_does(bench: Bench) -> None:
    shadowed(bench)
    bench.settings = replace(bench.settings, budget=BudgetSettings(conversation_calls=1))
    await checked(bench)
    (conversation,) = await bench.store.conversations.list()
    assert (await bench.engine.spending.of(conversation.id)).calls == 1


async def test_by_default_nothing_is_checked(bench: Bench) -> None:
    assert await checked(shadowed(bench, share=0.0)) == []
    assert bench.remote.requests == []


async def test_where_somebody_would_have_to_be_asked_nothing_is_sent(bench: Bench) -> None:
    shadowed(bench).allow(DataPolicy.CONFIRM)
    assert await checked(bench, can_ask=True) == []
    assert bench.opened == []


async def test_a_local_choice_is_respected(bench: Bench) -> None:
    assert await checked(shadowed(bench), choice=Place.LOCAL) == []
    assert bench.opened == []


async def test_while_spending_is_ahead_of_the_calendar_nothing_is_checked(bench: Bench) -> None:
    shadowed(bench)
    bench.settings = replace(bench.settings, budget=BudgetSettings(month_calls=2))
    for _ in range(3):
        await checked(bench)
    assert len(bench.remote.requests) < 3


async def test_what_cannot_be_compared_is_not_sent(bench: Bench) -> None:
    shadowed(bench).policy = ScriptedPolicy()
    bench.scripts(local=script([f"{a}{b}ord " for a in "abcdefgh" for b in "klmnopqr"]))
    await checked(bench)
    assert bench.remote.requests == []


async def test_a_remote_model_that_fails_teaches_nothing(bench: Bench) -> None:
    shadowed(bench).scripts(remote=[Unreachable("gone", endpoint="huggingface")])
    assert await checked(bench) == []


async def test_at_the_end_of_the_program_a_check_that_runs_is_given_up_and_settled(bench: Bench) -> None:
    shadowed(bench).scripts(remote=[Accepted("llama"), Piece("Par"), asyncio.Event()])
    assert isinstance((await bench.run())[-1], Finished)
    await bench.remote.asked.wait()
    await bench.engine.shadows.aclose()
    (entry,) = await bench.store.ledger.list(10)
    assert entry.outcome is not None
    assert entry.outcome.status == "cancelled"
    assert bench.remote.closed == 1


def test_the_choice_is_spread_evenly_and_always_the_same() -> None:
    chosen = [by_chance(f"message {number}") for number in range(4000)]
    assert sum(share < 0.1 for share in chosen) == pytest.approx(400, abs=60)
    assert chosen[0] == by_chance("message 0")
