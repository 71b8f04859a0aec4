from __future__ import annotations

import random

import pytest

from hybridchat.evaluation.operating import (
    Course,
    Outcome,
    course_of,
    courses_reaching,
    curve_of,
    decision_metrics,
    price_reaching,
    timing_metrics,
)
from hybridchat.evaluation.replay import replay
from hybridchat.evaluation.traces import Trace
from hybridchat.routing.gain import GainPolicy
from tests.evaluation.made_traces import traces

GAIN, LOSS, BOTH, NONE = Outcome(False, True), Outcome(True, False), Outcome(True, True), Outcome(False, False)
EARLY, LATE, END = Course(8, bails_out=True), Course(64, bails_out=True), Course(20)
STAYS, LOOKS = Course(), Course(second_look=True)


def test_decisions_of_an_example_by_hand() -> None:
    found = decision_metrics([EARLY, STAYS, LOOKS, END], [GAIN, BOTH, GAIN, NONE])
    assert found["calls"] == 0.5
    assert found["quality"] == 0.5
    assert found["of_remote"] == pytest.approx(0.5 / 0.75)
    assert found["pgr"] == pytest.approx(0.5)
    assert found["random"] == pytest.approx(0.25 + 0.5 * 0.5)
    assert found["oracle"] == 0.75
    assert found["regret"] == 0.25
    assert found["regret_share"] == pytest.approx(1)
    assert found["cost_per_100"] is None
    assert found["by_32"] == 1
    assert found["bail_outs"] == 0.25
    assert found["false_aborts"] == 0
    assert found["shown"] == found["shown_90"] == 8
    assert found["one_pass"] == 0.75


def test_the_cost_counts_the_questions_that_were_asked() -> None:
    paid = [Outcome(False, True, 0.5), Outcome(True, True, 0.25), Outcome(False, True, 9.0), Outcome(True, True, None)]
    assert decision_metrics([END, END, STAYS, STAYS], paid)["cost_per_100"] == pytest.approx(75 / 4)
    assert decision_metrics([END, END, STAYS, END], paid)["cost_per_100"] is None


def test_a_remote_model_that_is_no_better_recovers_nothing() -> None:
    found = decision_metrics([END, STAYS], [LOSS, NONE])
    assert found["pgr"] is None
    assert found["of_remote"] is None
    assert found["regret_share"] is not None
    same = decision_metrics([STAYS, STAYS], [BOTH, BOTH])
    assert same["regret_share"] is None
    assert same["regret"] == 0


def test_false_aborts_are_counted_among_right_answers_alone() -> None:
    found = timing_metrics([LATE, EARLY, END, STAYS], [True, False, True, None])
    assert found["false_aborts"] == 0.5
    assert found["by_32"] == pytest.approx(2 / 3)
    assert found["shown"] == 36
    nothing = timing_metrics([STAYS], [False])
    assert (nothing["by_32"], nothing["false_aborts"], nothing["shown"]) == (None, None, None)


def test_the_price_is_the_highest_that_reaches_the_quality() -> None:
    generator = random.Random(4)
    for _ in range(50):
        outcomes = [generator.choice([GAIN, LOSS, BOTH, BOTH, NONE]) for _ in range(30)]
        worth = [round(generator.random() + 0.3 * (one == GAIN), 1) for one in outcomes]
        price = price_reaching(worth, outcomes, 0.9)
        target = 0.9 * sum(one.remote for one in outcomes)
        reached = sum(one.remote if w > price else one.local for w, one in zip(worth, outcomes, strict=True))
        needed = curve_of(worth, outcomes).calls_for(target / 30)
        assert needed is not None
        asked = sum(w > price for w in worth) / 30
        assert asked >= needed - 1e-9
        whole_groups = sorted({sum(w >= level for w in worth) / 30 for level in worth} | {0.0})
        assert asked == pytest.approx(min(share for share in whole_groups if share >= needed - 1e-9))
        if len(set(worth)) == len(worth):
            assert reached >= target - 1e-9


def test_nobody_is_asked_where_the_local_model_reaches_it_alone() -> None:
    worth = [0.3, 0.2]
    assert price_reaching(worth, [BOTH, BOTH], 0.98) == 0.3
    assert price_reaching(worth, [NONE, GAIN], 1.5) < 0.2


def policy_for(_trace: Trace, price: float) -> GainPolicy:
    return GainPolicy(price=price)


def test_no_question_has_a_say_in_the_price_that_it_is_asked_at() -> None:
    made = traces(60)
    replays = replay(made, GainPolicy(price=0.0))
    outcomes = [Outcome(bool(one.local.right), bool(one.remote and one.remote.right)) for one in made]
    courses = courses_reaching(replays, outcomes, policy_for, 0.98)
    changed = [Outcome(o.local, not o.remote) if i == 7 else o for i, o in enumerate(outcomes)]
    assert courses_reaching(replays, changed, policy_for, 0.98)[7] == courses[7]
    assert decision_metrics(courses, outcomes)["of_remote"] == pytest.approx(0.98, abs=0.06)


def test_one_pair_is_enough_to_decide_on() -> None:
    assert len(courses_reaching(replay(traces(1), GainPolicy(price=0.0)), [GAIN], policy_for, 0.98)) == 1


def test_a_confidence_near_the_threshold_costs_a_second_look() -> None:
    courses = [course_of(one) for one in replay(traces(80), GainPolicy())]
    assert any(course.second_look for course in courses)
    assert not any(course.second_look and course.asks for course in courses)
