from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.routing.history import summarised
from hybridchat.routing.learning import (
    INTERCEPTS,
    NOTHING,
    OFFSETS,
    SLOPES,
    STALE,
    STALE_MARGIN,
    Label,
    Learned,
    Signal,
    learn,
)

LABELS = st.lists(st.builds(Label, st.floats(0, 1), st.sampled_from(Signal), st.booleans()), max_size=80)
ANY_LABELS = st.lists(
    st.builds(Label, st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(Signal), st.booleans()),
    max_size=20,
)


def of(signal: Signal, count: int, score: float = 0.7) -> list[Label]:
    return [Label(score, signal)] * count


def test_without_labels_nothing_moves() -> None:
    assert learn([]) == NOTHING
    assert NOTHING.applied(0.3) == 0.3
    assert NOTHING.threshold_moves_by == 0.0


@pytest.mark.parametrize("signal", [Signal.DOWN, Signal.ESCALATED, Signal.REGENERATED, Signal.CONTRADICTED])
def test_what_speaks_against_answers_lowers_the_confidence_and_raises_the_threshold(signal: Signal) -> None:
    learned = learn(of(signal, 10))
    assert learned.applied(0.7) < 0.7
    assert learned.threshold_moves_by > 0


@pytest.mark.parametrize("signal", [Signal.UP, Signal.QUIET, Signal.CONFIRMED])
def test_what_speaks_for_answers_does_the_opposite(signal: Signal) -> None:
    learned = learn(of(signal, 10))
    assert learned.applied(0.7) > 0.7
    assert learned.threshold_moves_by < 0


def test_a_quiet_next_turn_counts_less_than_a_thumb() -> None:
    assert learn(of(Signal.QUIET, 10)).applied(0.7) < learn(of(Signal.UP, 10)).applied(0.7)


def test_a_few_labels_hardly_move_a_strong_prior() -> None:
    assert learn(of(Signal.DOWN, 1)).applied(0.7) == pytest.approx(0.7, abs=0.01)


def test_any_number_of_quiet_turns_weighs_no_more_than_a_few_labels() -> None:
    assert learn(of(Signal.QUIET, 5000)).intercept <= learn(of(Signal.UP, 26)).intercept


@given(LABELS)
def test_whatever_the_labels_are_what_is_learned_stays_within_its_bounds(labels: list[Label]) -> None:
    learned = learn(labels)
    assert SLOPES[0] <= learned.slope <= SLOPES[1]
    assert INTERCEPTS[0] <= learned.intercept <= INTERCEPTS[1]
    assert OFFSETS[0] <= learned.threshold_moves_by <= OFFSETS[1]


@given(ANY_LABELS)
def test_scores_that_are_no_probabilities_teach_nothing(labels: list[Label]) -> None:
    sound = [label for label in labels if 0 <= label.score <= 1]
    assert learn(labels) == learn(sound)
    assert learn(labels).labels == len(sound)


@given(LABELS, st.lists(st.floats(0, 1), min_size=2, max_size=10))
def test_no_two_confidences_change_their_order(labels: list[Label], confidences: list[float]) -> None:
    learned = learn(labels)
    assert all(learned.applied(low) <= learned.applied(high) for low, high in pairwise(sorted(confidences)))
    assert all(0 <= learned.applied(confidence) <= 1 for confidence in confidences)


@given(LABELS)
def test_the_same_labels_teach_the_same_and_only_the_threshold_hangs_on_their_order(labels: list[Label]) -> None:
    learned, backwards = learn(labels), learn(labels[::-1])
    assert learned == learn(list(labels))
    assert backwards.slope == pytest.approx(learned.slope, abs=1e-6)
    assert backwards.intercept == pytest.approx(learned.intercept, abs=1e-6)


def test_platts_parameters_maximise_the_posterior() -> None:
    generator = np.random.default_rng(7)
    scores = generator.uniform(0.05, 0.95, 200)
    labels = [Label(float(score), Signal.UP if generator.random() < score**2 else Signal.DOWN) for score in scores]
    learned = learn(labels)
    logits = np.log(scores / (1 - scores))
    right = np.array([label.signal.right for label in labels], float)

    def loss(slope: float, intercept: float) -> float:
        z = slope * logits + intercept
        prior = (100 * 0.2 * 2.0 * (slope - 1) ** 2 + 100 * 0.2 * intercept**2) / 2
        return float(np.sum(np.log1p(np.exp(z)) - right * z) + prior)

    best = loss(learned.slope, learned.intercept)
    assert 0.5 < learned.slope < 2
    for step in (0.01, -0.01):
        assert best < loss(learned.slope + step, learned.intercept)
        assert best < loss(learned.slope, learned.intercept + step)


def test_the_threshold_leads_the_errors_among_kept_answers_to_their_aim() -> None:
    generator = np.random.default_rng(3)
    wanted = np.quantile(generator.uniform(0, 1, 4000), 0.05)
    labels: list[Label] = []
    offset = 0.0
    errors = []
    for quality in generator.uniform(0, 1, 4000):  # an answer of this quality is kept above the offset, wrong near 0
        if quality < offset:
            continue
        wrong = quality < wanted * 3
        errors.append(wrong)
        labels.append(Label(0.7, Signal.DOWN if wrong else Signal.UP))
        offset = learn(labels[-60:]).threshold_moves_by
    assert np.mean(errors) < 0.15


def test_answers_that_were_not_kept_move_no_threshold() -> None:
    assert learn([Label(0.5, Signal.DOWN, kept=False)] * 9).threshold_moves_by == 0.0


def test_another_version_of_the_model_makes_it_careful_and_nothing_else() -> None:
    assert STALE.applied(0.4) == 0.4
    assert STALE.threshold_moves_by == STALE_MARGIN


def test_what_was_said_overrules_what_was_done_and_that_overrules_silence() -> None:
    assert Signal.ESCALATED not in Signal.QUIET.replaces
    assert Signal.QUIET in Signal.ESCALATED.replaces
    assert Signal.UP not in Signal.ESCALATED.replaces
    assert Signal.DOWN in Signal.UP.replaces


def test_a_summary_says_what_was_learned_in_words() -> None:
    labels = [*of(Signal.UP, 3), *of(Signal.DOWN, 2), *of(Signal.CONFIRMED, 19), *of(Signal.CONTRADICTED, 1)]
    summary = summarised("phi3.5", labels, stale=4)
    said = "\n".join(summary.lines())
    assert summary.learned == learn(labels)
    assert "learned from 25 answers" in said
    assert "2 thumbs down" in said
    assert "4 signals belong to another version" in said
    assert "of 20 kept answers that were checked by chance, the remote model contradicts 1: at most 18%" in said


def test_a_summary_without_shadow_escalations_does_not_guess_how_many_are_missed() -> None:
    summary = summarised("phi3.5", of(Signal.UP, 1))
    assert summary.missed_at_most is None
    assert "is not known" in summary.lines()[-1]


@pytest.mark.parametrize(
    ("stale", "words"), [(0, "nothing was learned yet"), (2, "2 signals belong to another version")]
)
def test_a_summary_of_nothing_says_so(stale: int, words: str) -> None:
    assert words in summarised("phi3.5", [], stale).lines()[0]


def test_learned_values_are_plain() -> None:
    assert Learned(1.0, 1.0).applied(0.5) == pytest.approx(0.731, abs=0.001)
