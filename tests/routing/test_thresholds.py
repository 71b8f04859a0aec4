from __future__ import annotations

import pytest

from hybridchat.messages import FinishReason
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.learning import STALE, Learned
from hybridchat.routing.policy import Action, Decision, LocalModel, Question
from hybridchat.routing.steadiness import MARGIN, margin
from tests.routing.test_gain import PRIOR, SURE, UNSURE, stream, watching

USUAL = 5 / 7
"""The threshold at a balanced bias; a sure answer of four tokens has a confidence of 88%."""


def ended(question: Question, text: str = "") -> Decision:
    watch = watching(question)
    watch.observe(text, [])
    stream(watch, SURE, 4)
    return watch.post(FinishReason.STOP)


def test_the_margin_after_a_remote_answer_halves_with_each_turn_and_ends() -> None:
    assert [margin(turns) for turns in (None, 0, 1, 2, 3)] == [0.0, 0.0, MARGIN, MARGIN / 2, MARGIN / 4]
    assert margin(12) == 0.0


def test_a_follow_up_of_a_remote_answer_must_be_surer_and_the_reason_says_so() -> None:
    decision = ended(Question("And why?", turns_since_remote=1))
    assert decision.threshold == pytest.approx(USUAL + MARGIN)
    assert decision.reason.endswith("(10 points stricter, since the remote model answered before)")
    assert ended(Question("And why?")).reason.endswith("at the end")


def test_while_spending_is_ahead_of_the_calendar_the_threshold_falls_to_nothing() -> None:
    thresholds = [ended(Question("q", ahead=ahead)).threshold for ahead in (0.0, 0.05, 0.1, 0.2, 0.5)]
    assert thresholds == sorted(thresholds, reverse=True)  # type: ignore[type-var]
    assert thresholds[-1] == 0.0


def test_an_answer_that_is_kept_for_the_budgets_sake_says_so() -> None:
    watch = watching(Question("q", ahead=0.3))
    decisions = stream(watch, UNSURE, 16)
    assert {decision.action for decision in decisions} == {Action.CONTINUE}
    final = watch.post(FinishReason.STOP)
    assert final.action is Action.KEEP
    assert "ahead of the calendar" in final.reason


def test_a_price_that_nothing_is_worth_is_not_undone_by_a_margin() -> None:
    assert ended(Question("q", ahead=0.5, turns_since_remote=1, learned=Learned(offset=0.1))).threshold == 0.0


def test_a_confidence_that_was_asked_for_is_bound_by_the_hard_limit_alone() -> None:
    assert ended(Question("q", ahead=0.5, min_confidence=0.95)).action is Action.ESCALATE


def test_what_was_learned_moves_confidence_and_threshold_and_is_told() -> None:
    decision = ended(Question("q", learned=Learned(1.0, -0.5, 0.06, labels=30)))
    assert decision.confidence is not None
    assert decision.score == pytest.approx(0.88, abs=0.01)
    assert decision.confidence.value == pytest.approx(0.816, abs=0.01)
    assert decision.threshold == pytest.approx(USUAL + 0.06)
    assert "6 points stricter by what you made of earlier answers" in decision.reason
    assert "milder" in ended(Question("q", learned=Learned(offset=-0.06, labels=30))).reason


def test_another_version_of_the_model_is_watched_more_strictly() -> None:
    decision = ended(Question("q", learned=STALE))
    assert decision.threshold == pytest.approx(USUAL + 0.05)
    assert "another version" in decision.reason


def test_a_confidence_near_the_threshold_is_doubtful_at_the_end_and_one_far_from_it_is_not() -> None:
    assert ended(Question("q", turns_since_remote=1)).doubtful
    assert not ended(Question("q")).doubtful


@pytest.mark.parametrize("question", [Question("q", can_escalate=False), Question("q", ahead=0.5)])
def test_where_no_look_could_change_anything_there_is_no_doubt(question: Question) -> None:
    assert not ended(question).doubtful


def test_doubt_grows_before_an_answer_is_set_aside() -> None:
    decisions = stream(watching(Question("q", turns_since_remote=1)), SURE, 4)
    assert [decision.doubtful for decision in decisions] == [True] * 3
    assert not any(decision.doubtful for decision in stream(watching(), SURE, 8))
    assert not any(decision.doubtful for decision in stream(watching(Question("q", can_escalate=False)), UNSURE, 8))


def test_a_score_is_named_by_the_exact_weights_and_what_reads_them() -> None:
    policy = GainPolicy(PRIOR)
    assert policy.scored_by(LocalModel("phi3.5", "sha256:1")) != policy.scored_by(LocalModel("phi3.5", "sha256:2"))
    assert "phi3.5" in policy.scored_by(LocalModel("phi3.5"))


def test_feedback_is_learned_by_the_policy_and_kept_outside() -> None:
    assert GainPolicy(PRIOR).feedback([]) == Learned()
