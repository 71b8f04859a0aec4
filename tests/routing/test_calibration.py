from __future__ import annotations

import itertools
import random
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

from hybridchat.evaluation.honesty import brier, ece
from hybridchat.evaluation.ranking import auroc
from hybridchat.routing.calibration import ISOTONIC_FROM, LEAST_SLOPE, calibrate, isotonic, logistic, platt


def labelled(seed: int, n: int) -> tuple[list[float], list[bool]]:
    generator = random.Random(seed)
    scores = [generator.gauss(0, 2) for _ in range(n)]
    return scores, [generator.random() < logistic(0.5 * score + 1) for score in scores]


@pytest.mark.parametrize("seed", range(6))
def test_platt_agrees_with_scikit_learn(seed: int) -> None:
    scores, right = labelled(seed, 120)
    slope, intercept = platt(scores, right)
    reference = _SigmoidCalibration().fit(np.array(scores), np.array(right))
    assert slope == pytest.approx(-reference.a_, abs=1e-4)
    assert intercept == pytest.approx(-reference.b_, abs=1e-4)


def test_platt_finds_the_true_curve() -> None:
    scores, right = labelled(9, 20_000)
    slope, intercept = platt(scores, right)
    assert slope == pytest.approx(0.5, abs=0.03)
    assert intercept == pytest.approx(1, abs=0.05)


def test_platt_is_at_its_optimum_where_classes_are_apart() -> None:
    scores, right = [-2.0, -1.0, 1.0, 2.0], [False, False, True, True]
    slope, intercept = platt(scores, right)
    targets = [0.25, 0.25, 0.75, 0.75]
    errors = [t - logistic(slope * s + intercept) for s, t in zip(scores, targets, strict=True)]
    assert sum(errors) == pytest.approx(0, abs=1e-9)
    assert sum(e * s for e, s in zip(errors, scores, strict=True)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_isotonic_agrees_with_scikit_learn(seed: int) -> None:
    scores, right = labelled(seed, 200)
    scores = [round(score, 1) for score in scores]
    steps = isotonic(scores, right)
    fitted = IsotonicRegression().fit(scores, [float(r) for r in right]).predict(sorted(scores))
    ours = [share for _, share, count in steps for _ in range(count)]
    assert ours == pytest.approx(list(fitted), abs=1e-9)


@given(st.lists(st.tuples(st.integers(-30, 30), st.booleans()), min_size=1, max_size=40), st.booleans())
def test_every_map_rises_strictly_within_what_floats_tell_apart(rows: list[tuple[int, bool]], many: bool) -> None:
    rows = rows * (ISOTONIC_FROM // len(rows) + 1) if many else rows
    fitted = calibrate([float(s) for s, _ in rows], [r for _, r in rows])
    scores = [score / 2 for score in range(-60, 61)]
    at = [fitted.probability(score) for score in scores]
    assert all(0 <= p <= 1 for p in at)
    assert all(below <= above for below, above in itertools.pairwise(at))
    told_apart = [1e-9 < logistic(fitted.slope * score + fitted.intercept) < 1 - 1e-9 for score in scores]
    for (below, above), tell in zip(itertools.pairwise(at), told_apart[1:], strict=True):
        assert below < above or not tell


@pytest.mark.parametrize("n", [60, 250, 300, 700])
def test_calibration_keeps_the_order_and_makes_a_bold_score_honest(n: int) -> None:
    scores, right = labelled(4, n)
    new_scores, new_right = labelled(5, 2000)
    fitted = calibrate(scores, right)
    assert fitted.method == ("isotonic" if n >= ISOTONIC_FROM else "platt")
    assert (fitted.labels, fitted.right) == (n, sum(right))
    before = [logistic(4 * score - 3) for score in new_scores]
    after = [fitted.probability(score) for score in new_scores]
    assert auroc(after, new_right) == pytest.approx(auroc(new_scores, new_right))
    assert brier(after, new_right) < brier(before, new_right) - 0.05
    assert ece(after, new_right) < 0.08 < ece(before, new_right)


@pytest.mark.parametrize("n", [3, 400])
def test_one_class_only_gives_the_rule_of_succession(n: int) -> None:
    for right in (True, False):
        fitted = calibrate([float(i) for i in range(n)], [right] * n)
        assert fitted.method == "platt"
        assert fitted.probability(0.0) == pytest.approx((n * right + 1) / (n + 2), abs=1e-3)


def test_without_labels_it_is_a_coin() -> None:
    assert calibrate([], []).probability(3.0) == pytest.approx(0.5, abs=1e-3)


def test_equal_scores_give_the_base_rate() -> None:
    assert calibrate([2.0] * 8, [True] * 6 + [False] * 2).probability(2.0) == pytest.approx(0.7, abs=1e-3)


def test_a_score_that_points_the_wrong_way_is_not_turned_round() -> None:
    scores = [float(i % 20) for i in range(200)]
    fitted = calibrate(scores, [score < 10 for score in scores])
    assert fitted.slope == LEAST_SLOPE
    assert fitted.probability(0.0) == pytest.approx(0.5, abs=0.01)


def test_labels_that_do_not_belong_to_the_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="2 scores for 1 labels"):
        calibrate([0.1, 0.2], [True])
    with pytest.raises(ValueError, match="not finite"):
        calibrate([0.1, float("inf")], [True, False])


def test_the_logistic_function_does_not_overflow() -> None:
    assert logistic(-1e6) == 0
    assert logistic(1e6) == 1
    assert logistic(log(3)) == pytest.approx(0.75)
    assert logistic(-log(3)) == pytest.approx(exp(-log(3)) / (1 + exp(-log(3))))
