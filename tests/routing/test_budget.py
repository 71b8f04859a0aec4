from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.config.settings import BudgetSettings
from hybridchat.messages import Spent
from hybridchat.routing.budget import HEAD_START, Budget, elapsed, month_start, next_month, shown
from hybridchat.routing.worth import AHEAD_AT_MOST, paced

NOTHING = Spent()
MIDDLE = datetime(2026, 11, 16, tzinfo=UTC)
AMOUNTS = st.builds(Spent, st.just(1), st.integers(0, 50), st.one_of(st.none(), st.floats(0, 2)))
LIMITS = st.builds(
    BudgetSettings,
    st.one_of(st.none(), st.floats(0, 20)),
    st.one_of(st.none(), st.integers(0, 12)),
    st.one_of(st.none(), st.integers(0, 300)),
    st.one_of(st.none(), st.floats(0, 20)),
    st.one_of(st.none(), st.integers(0, 12)),
    st.one_of(st.none(), st.integers(0, 300)),
)


def budget(month: Spent = NOTHING, conversation: Spent = NOTHING, now: datetime = MIDDLE, **limits: float) -> Budget:
    return Budget(BudgetSettings(**limits), month, conversation, now)  # type: ignore[arg-type]  # each test names real fields


def total(amounts: list[Spent]) -> Spent:
    return Spent(len(amounts), sum(one.tokens for one in amounts), sum(one.dollars or 0.0 for one in amounts))


def test_without_limits_everything_goes() -> None:
    free = budget(Spent(10**6, 10**9, 1e6))
    assert not free.is_set
    assert free.refusal(Spent(1, 10**9, None)) == ""
    assert free.ahead == 0.0


@pytest.mark.parametrize(
    ("limits", "month", "conversation", "call", "reason"),
    [
        ({"month_dollars": 5.0}, Spent(1, 1, 4.9), NOTHING, Spent(1, 1, 0.2), "this call may take $0.20"),
        ({"month_dollars": 5.0}, Spent(1, 1, 5.0), NOTHING, Spent(1, 1, 0.0), "the month's budget is used up: $5.00"),
        ({"month_calls": 2}, Spent(2, 1, 0), NOTHING, Spent(1, 1, None), "2 calls of 2 calls"),
        ({"month_tokens": 100}, Spent(1, 60, 0), NOTHING, Spent(1, 50, None), "may take 50 tokens"),
        ({"conversation_calls": 1}, NOTHING, Spent(1, 1, 0), Spent(1, 1, None), "the conversation's budget is used up"),
        ({"month_dollars": 5.0}, NOTHING, NOTHING, Spent(1, 1, None), "is not known"),
        ({"month_calls": 0}, NOTHING, NOTHING, Spent(1, 1, None), "used up"),
    ],
)
def test_a_call_that_may_take_too_much_is_refused_with_the_numbers(
    limits: dict[str, float], month: Spent, conversation: Spent, call: Spent, reason: str
) -> None:
    assert reason in Budget(BudgetSettings(**limits), month, conversation, MIDDLE).refusal(call)  # type: ignore[arg-type]  # whole numbers, too


def test_a_limit_is_there_to_be_reached() -> None:
    assert budget(Spent(1, 1, 4.75), month_dollars=5.0).refusal(Spent(1, 1, 0.25)) == ""
    assert budget(Spent(1, 1, 0), month_calls=2).refusal(Spent(1, 1, None)) == ""


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("the month's budget is used up: 2 of 2", "1 December (UTC)"),
        ("the conversation's budget is used up: 2 of 2", "new conversation"),
        ("what this remote model costs is not known", "remote.price_input"),
    ],
)
def test_there_is_a_way_out_of_each_refusal(reason: str, words: str) -> None:
    assert words in budget().way_out(reason)


@given(LIMITS, st.lists(st.tuples(AMOUNTS, st.booleans(), st.floats(0, 1)), max_size=40))
def test_whatever_is_asked_for_and_settled_no_limit_is_ever_exceeded(
    limits: BudgetSettings, calls: list[tuple[Spent, bool, float]]
) -> None:
    granted: list[Spent] = []
    for call, fails, share in calls:
        state = Budget(limits, total(granted), total(granted), MIDDLE)
        if state.refusal(call):
            continue
        if not fails:
            took = None if call.dollars is None else call.dollars * share
            granted.append(Spent(1, int(call.tokens * share), took))
    spent = total(granted)
    for limit, used in (
        (limits.month_dollars, spent.dollars or 0.0),
        (limits.conversation_dollars, spent.dollars or 0.0),
        (limits.month_calls, spent.calls),
        (limits.conversation_tokens, spent.tokens),
    ):
        assert limit is None or used <= limit + 1e-9


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        (
            datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
            datetime(2026, 12, 1, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
        (datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
        (
            datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
            datetime(2026, 11, 1, tzinfo=UTC),
            datetime(2026, 12, 1, tzinfo=UTC),
        ),
    ],
)
def test_months_are_those_of_the_calendar_in_utc(now: datetime, start: datetime, end: datetime) -> None:
    assert month_start(now) == start
    assert next_month(now) == end


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - as hypothesis wants them
def test_the_elapsed_part_of_a_month_is_a_share(now: datetime) -> None:
    assert 0 <= elapsed(now) < 1
    assert month_start(now) <= now < next_month(now)


def test_spending_that_keeps_to_the_calendar_costs_no_more() -> None:
    assert budget(Spent(1, 1, 2.5), month_dollars=5.0).ahead == 0.0
    assert paced(0.1, 0.0) == 0.1


def test_the_further_ahead_the_dearer_until_no_gain_is_worth_it() -> None:
    prices = [paced(0.1, ahead) for ahead in (0.0, 0.05, 0.1, 0.2, 0.9)]
    assert prices == sorted(prices)
    assert prices[-2:] == [1.0, 1.0]


def test_a_first_day_does_not_take_the_months_budget() -> None:
    first = datetime(2026, 11, 1, 12, tzinfo=UTC)
    used = 0
    while paced(0.02, budget(Spent(used, 0, None), now=first, month_calls=100).ahead) < 1:
        used += 1
    assert used <= 100 * (HEAD_START + AHEAD_AT_MOST) + 1
    assert paced(0.02, budget(Spent(used, 0, None), now=MIDDLE, month_calls=100).ahead) == 0.02


def test_the_tightest_limit_sets_the_pace() -> None:
    assert budget(Spent(9, 10, 0), month_calls=10, month_tokens=1000).ahead == pytest.approx(0.9 - 0.5)


@pytest.mark.parametrize(
    ("unit", "amount", "text"),
    [
        ("dollars", 0.0, "$0.00"),
        ("dollars", 0.0004, "$0.0004"),
        ("dollars", 1234.5, "$1,234.50"),
        ("calls", 3, "3 calls"),
    ],
)
def test_amounts_are_shown_for_people(unit: str, amount: float, text: str) -> None:
    assert shown(unit, amount) == text
