from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.backends.protocol import Accepted, Ended, Piece
from hybridchat.backends.scripted import script
from hybridchat.config.settings import BudgetSettings
from hybridchat.engine.budget_gate import BudgetGate
from hybridchat.errors import Blocked, KeyRefused, ServerFailed, StreamBroken, TryLater, Unreachable
from hybridchat.events import Escalated, Failed, Finished, KeptLocal, Routed
from hybridchat.messages import DataPolicy, FinishReason, Place, Spent, Usage
from hybridchat.store.database import Store
from tests.engine.conftest import Bench
from tests.engine.policies import ScriptedPolicy
from tests.engine.test_turn import of

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def limited(bench: Bench, **limits: float) -> Bench:
    bench.settings = replace(bench.settings, budget=BudgetSettings(**limits))  # type: ignore[arg-type]  # each test names real fields
    bench.allow(DataPolicy.ALLOW)
    bench.policy = ScriptedPolicy(doubt_after=2)
    return bench


async def spent(bench: Bench) -> Spent:
    return await bench.store.spending.since(LONG_AGO)


async def test_a_call_is_kept_as_what_the_server_counted(bench: Bench) -> None:
    limited(bench)
    bench.scripts(remote=[Accepted("llama"), Piece("Paris"), Ended(FinishReason.STOP, Usage(100, 50))])
    await bench.run()
    assert await spent(bench) == Spent(1, 150, pytest.approx((100 * 1.0 + 50 * 2.0) / 1e6))  # type: ignore[arg-type]


async def test_while_a_call_runs_the_most_that_it_may_take_is_reserved(bench: Bench) -> None:
    limited(bench)
    hold = asyncio.Event()
    bench.scripts(remote=[Accepted("llama"), Piece("Paris"), hold, Ended(FinishReason.STOP, Usage(100, 50))])
    turn = bench.turn()
    async for event in turn:
        if isinstance(event, Escalated):
            reserved = await spent(bench)
            assert reserved.tokens >= bench.settings.answer.max_tokens
            hold.set()
    assert (await spent(bench)).tokens == 150


@pytest.mark.parametrize(
    "refusal",
    [
        Unreachable("nobody there", endpoint="huggingface"),
        KeyRefused("wrong key"),
        TryLater("busy", endpoint="huggingface"),
    ],
)
async def test_a_call_that_never_came_about_costs_nothing(bench: Bench, refusal: Exception) -> None:
    limited(bench)
    bench.scripts(remote=[refusal])  # type: ignore[list-item]  # one of ours
    await bench.run()
    assert await spent(bench) == Spent(0, 0, 0.0)


@pytest.mark.parametrize(
    "failure",
    [
        [ServerFailed("oh", endpoint="huggingface")],
        [Accepted("llama"), Piece("Par"), StreamBroken("gone", endpoint="huggingface")],
    ],
)
async def test_a_call_that_may_have_been_worked_on_counts_as_what_is_known_of_it(
    bench: Bench, failure: list[object]
) -> None:
    limited(bench)
    bench.scripts(remote=failure)  # type: ignore[arg-type]  # steps
    await bench.run()
    found = await spent(bench)
    assert found.calls == 1
    assert 0 < found.tokens < bench.settings.answer.max_tokens


async def test_where_the_ledger_cannot_be_written_nothing_stays_reserved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(bench)

    async def refuse(*_: object) -> int:
        raise Blocked("no ledger")

    monkeypatch.setattr(bench.store.ledger, "sent", refuse)
    await bench.run()
    assert await spent(bench) == Spent(0, 0, 0.0)


async def test_a_used_up_budget_leaves_the_local_model_to_answer_and_says_why(bench: Bench) -> None:
    limited(bench, month_calls=1)
    await bench.run()
    events = await bench.run()
    assert len(bench.remote.requests) == 1
    routed, last = events[0], events[-1]
    assert isinstance(routed, Routed)
    assert not routed.can_escalate
    assert isinstance(last, Finished)
    assert last.provenance.place is Place.LOCAL
    question = bench.policy.questions[-1]  # type: ignore[attr-defined]  # the scripted one
    assert question.why_not == "the month's budget is used up: 1 call of 1 call"


async def test_a_call_too_large_for_the_rest_keeps_the_local_answer_with_a_way_out(bench: Bench) -> None:
    limited(bench, month_tokens=1000)
    events = await bench.run()
    (kept,) = of(KeptLocal, events)
    assert kept.code == "blocked"
    assert "this call may take" in kept.reason
    assert "hybridchat budget" in kept.hint
    assert bench.remote.requests == []
    assert await spent(bench) == Spent(0, 0, 0.0)


async def test_whoever_demands_the_remote_model_is_told_that_the_budget_is_used_up(bench: Bench) -> None:
    limited(bench, month_calls=0)
    last = (await bench.run(choice=Place.REMOTE))[-1]
    assert isinstance(last, Failed)
    assert (last.code, last.exit_code) == ("blocked", 79)
    assert "used up" in last.message
    assert "(UTC)" in last.hint


async def test_where_the_local_model_fails_too_a_used_up_budget_is_named(bench: Bench) -> None:
    limited(bench, month_calls=0)
    bench.scripts(local=[Unreachable("no server", endpoint="ollama")])
    last = (await bench.run())[-1]
    assert isinstance(last, Failed)
    assert last.exit_code == 79
    assert "no server; the remote model was not asked: the month's budget is used up" in last.message


async def test_a_conversations_limit_leaves_others_alone(bench: Bench) -> None:
    limited(bench, conversation_calls=1)
    first = await bench.run()
    assert isinstance(first[0], Routed)
    second = await bench.run(conversation_id=first[0].conversation_id)
    assert not of(Escalated, second)
    assert of(Escalated, await bench.run())


async def test_a_limit_in_dollars_needs_a_price(bench: Bench) -> None:
    limited(bench, month_dollars=5.0)
    bench.remote._endpoint = replace(bench.remote.endpoint, price=None)
    (kept,) = of(KeptLocal, await bench.run())
    assert "is not known" in kept.reason
    assert "remote.price_input" in kept.hint


async def test_spending_ahead_of_the_calendar_is_told_to_the_policy(bench: Bench) -> None:
    limited(bench, month_calls=2)
    await bench.run()
    await bench.run()
    first, second = bench.policy.questions  # type: ignore[attr-defined]  # the scripted one
    assert first.ahead == 0.0
    assert 0.0 <= second.ahead <= 0.5


async def test_many_turns_at_once_spend_no_more_than_there_is(bench: Bench) -> None:
    limited(bench, month_calls=3)
    bench.scripts(remote=script(["It is", " Paris"], None))
    await asyncio.gather(*(bench.run() for _ in range(8)))
    assert len(bench.remote.requests) == 3
    assert (await spent(bench)).calls == 3


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


async def test_a_new_month_begins_anew_and_a_clock_that_is_set_back_gives_nothing_back(store: Store) -> None:
    clock = Clock(datetime.now(UTC))
    gate = BudgetGate(store.spending, BudgetSettings(month_calls=1), "c", clock)
    await gate.reserve(Spent(1, 10, 0.1))
    for now, used in [
        (clock.now - timedelta(days=40), True),
        (clock.now + timedelta(days=40), False),
        (clock.now, True),
    ]:
        clock.now = now
        assert bool((await gate.look()).used_up) is used


async def test_what_cannot_be_settled_stays_reserved(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = BudgetGate(store.spending, BudgetSettings(), "c")
    reservation = await gate.reserve(Spent(1, 10, 0.1))

    async def refuse(*_: object) -> None:
        raise Blocked("disk full")

    monkeypatch.setattr(store.spending, "settle", refuse)
    await gate.settle(reservation, Spent(1, 1, 0.0))
    assert await store.spending.since(LONG_AGO) == Spent(1, 10, 0.1)


STEPS = st.lists(st.tuples(st.sampled_from(["reserve", "settle", "release"]), st.integers(0, 9)), max_size=30)


@given(STEPS)
def test_in_whatever_order_calls_begin_and_end_no_more_is_reserved_and_spent_than_there_is(
    steps: list[tuple[str, int]],
) -> None:
    async def play() -> None:
        store = Store.open(None)
        gates = [BudgetGate(store.spending, BudgetSettings(month_tokens=40, month_calls=6), name) for name in "ab"]
        running: list[tuple[BudgetGate, int, int]] = []
        try:
            for step, number in steps:
                if step == "reserve":
                    gate = gates[number % 2]
                    with suppress(Blocked):
                        running.append((gate, await gate.reserve(Spent(1, number, None)), number))
                elif running:
                    gate, reservation, most = running.pop(number % len(running))
                    await gate.settle(reservation, Spent(1, most // 2, None) if step == "settle" else None)
                found = await store.spending.since(LONG_AGO)
                assert found.tokens <= 40
                assert found.calls <= 6
        finally:
            await store.aclose()

    asyncio.run(play())
