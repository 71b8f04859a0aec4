from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from hybridchat.evaluation.bootstrap import Statistic, bootstrap, interval, paired_bootstrap, quantile, resamples
from hybridchat.evaluation.deferral import deferral_curve
from hybridchat.evaluation.honesty import brier, ece, ideal_ece, log_loss, reliability
from hybridchat.evaluation.metrics import confidence_metrics, oracle_scores, random_scores, routing_metrics
from hybridchat.evaluation.ranking import auprc, auroc
from hybridchat.evaluation.selective import auarc, aurc, e_aurc, risk_at, risk_coverage

Sample = tuple[list[float], list[bool]]


def sample(seed: int, n: int = 200, levels: int | None = None) -> Sample:
    generator = random.Random(seed)
    scores = [generator.random() for _ in range(n)]
    if levels:
        scores = [round(score * levels) / levels for score in scores]
    return scores, [generator.random() < 0.2 + 0.6 * score for score in scores]


def mean_of(values: Sequence[float]) -> Statistic:
    return lambda rows: sum(values[i] for i in rows) / len(rows)


samples = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=60)
outcomes = st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), min_size=1, max_size=60)


@pytest.mark.parametrize("levels", [None, 5])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed: int, levels: int | None) -> None:
    scores, right = sample(seed, levels=levels)
    assert auroc(scores, right) == pytest.approx(roc_auc_score(right, scores), abs=1e-9)
    assert auprc(scores, right) == pytest.approx(average_precision_score(right, scores), abs=1e-9)
    assert brier(scores, right) == pytest.approx(brier_score_loss(right, scores), abs=1e-9)
    inside = [min(0.99, max(0.01, score)) for score in scores]
    assert log_loss(inside, right) == pytest.approx(sklearn_log_loss(right, inside), abs=1e-9)


def test_the_reliability_table_agrees_with_scikit_learn() -> None:
    scores, right = sample(1, n=300)
    accurate, sure = calibration_curve(right, scores, n_bins=15, strategy="quantile")
    table = reliability(scores, right)
    assert [row.accuracy for row in table] == pytest.approx(list(accurate), abs=1e-9)
    assert [row.confidence for row in table] == pytest.approx(list(sure), abs=1e-9)
    assert {row.count for row in table} == {20}
    expected = sum(abs(a - s) for a, s in zip(accurate, sure, strict=True)) / 15
    assert ece(scores, right) == pytest.approx(expected, abs=1e-9)


def test_one_class_only_has_no_ranking() -> None:
    assert auroc([0.1, 0.9], [True, True]) is None
    assert auroc([0.1, 0.9], [False, False]) is None
    assert auprc([0.1, 0.9], [False, False]) is None
    assert auprc([0.1, 0.9], [True, True]) == 1


@pytest.mark.parametrize("measure", [auroc, auprc, brier, log_loss, ece, aurc, risk_coverage])
def test_columns_that_do_not_belong_together_are_refused(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match="different lengths"):
        measure([0.5, 0.5], [True])
    with pytest.raises(ValueError, match="nothing to measure"):
        measure([], [])


def test_what_is_no_number_or_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        auroc([0.5, float("nan")], [True, False])
    with pytest.raises(ValueError, match="outside 0 to 1"):
        ece([0.5, 1.5], [True, False])
    with pytest.raises(ValueError, match="coverage"):
        risk_at([0.5], [True], 0)


@given(samples)
def test_auroc_does_not_change_under_a_rising_map(rows: list[tuple[int, bool]]) -> None:
    scores, right = [float(s) for s, _ in rows], [r for _, r in rows]
    assert auroc(scores, right) == auroc([s**3 - 7 for s in scores], right)


@given(samples)
def test_auroc_of_the_opposite_score_is_the_complement(rows: list[tuple[int, bool]]) -> None:
    scores, right = [float(s) for s, _ in rows], [r for _, r in rows]
    value, opposite = auroc(scores, right), auroc([-s for s in scores], right)
    assert (value is None and opposite is None) or value == pytest.approx(1 - (opposite or 0))


@given(outcomes, st.randoms(use_true_random=False))
def test_the_order_of_equal_scores_changes_nothing(rows: list[tuple[int, bool, bool]], shuffler: random.Random) -> None:
    def measured(rows: list[tuple[int, bool, bool]]) -> dict[str, float | None]:
        scores, local, remote = [r[0] / 10 for r in rows], [r[1] for r in rows], [r[2] for r in rows]
        return {**routing_metrics(scores, local, remote), **confidence_metrics(scores, local)}

    before = measured(rows)
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    after = measured(shuffled)
    for name, value in before.items():
        assert after[name] == (None if value is None else pytest.approx(value, abs=1e-9))


@given(outcomes)
def test_no_score_beats_the_oracle(rows: list[tuple[int, bool, bool]]) -> None:
    scores, local, remote = [r[0] / 10 for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    ours = deferral_curve(scores, local, remote)
    oracle = deferral_curve(oracle_scores(local, remote), local, remote)
    for share in (0.1, 0.25, 0.5, 0.9):
        assert ours.quality(share) <= oracle.quality(share) + 1e-9
    assert ours.area <= oracle.area + 1e-9
    assert ours.aiq() >= ours.area - 1e-9


@given(outcomes)
def test_a_random_order_lies_on_the_diagonal(rows: list[tuple[int, bool, bool]]) -> None:
    local, remote = [r[1] for r in rows], [r[2] for r in rows]
    curve = deferral_curve(random_scores(len(rows)), local, remote)
    middle = (sum(local) + sum(remote)) / 2 / len(rows)
    assert curve.quality(0.5) == pytest.approx(middle)
    if sum(remote) > sum(local):
        assert curve.apgr() == pytest.approx(0.5)
        assert curve.cpt(0.8) == pytest.approx(0.8)
        assert curve.saved(1.0) == pytest.approx(0.0)
    else:
        assert curve.apgr() is None
        assert curve.cpt(0.8) is None


def test_the_deferral_curve_of_an_example_by_hand() -> None:
    local, remote = [False, False, True, True], [True, False, True, True]
    curve = deferral_curve([0.9, 0.8, 0.1, 0.1], local, remote)
    assert curve.points == ((0.0, 0.5), (0.25, 0.75), (0.5, 0.75), (1.0, 0.75))
    assert curve.apgr() == pytest.approx(1 - 0.125)
    assert curve.cpt(0.5) == pytest.approx(0.125)
    assert curve.saved(1.0) == pytest.approx(0.75)
    assert curve.saved(0.5) == 1.0
    assert curve.saved(1.1) is None
    assert curve.quality(0.125) == pytest.approx(0.625)
    assert curve.quality(1.0) == curve.quality(1.1) == 0.75
    assert curve.aiq() == pytest.approx(curve.area)


def test_the_hull_bridges_a_dip_and_never_falls() -> None:
    local, remote = [True, False, True], [False, True, True]
    curve = deferral_curve([0.9, 0.8, 0.1], local, remote)
    assert [round(quality, 3) for _, quality in curve.points] == [0.667, 0.333, 0.667, 0.667]
    assert curve.aiq() == pytest.approx(2 / 3)
    rising = deferral_curve([0.9, 0.8, 0.1], [False, True, True], [True, True, False])
    assert rising.aiq() == pytest.approx(1 - 1 / 18)


def test_selective_risk_of_an_example_by_hand() -> None:
    confidence, right = [0.9, 0.8, 0.7, 0.6], [True, False, True, False]
    assert risk_coverage(confidence, right) == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert aurc(confidence, right) == pytest.approx(1 / 3)
    assert auarc(confidence, right) == pytest.approx(2 / 3)
    assert e_aurc(confidence, right) == pytest.approx(1 / 3 - (1 / 3 + 1 / 2) / 4)
    assert risk_at(confidence, right, 0.5) == pytest.approx(0.5)
    assert e_aurc([0.9, 0.1], [True, False]) == pytest.approx(0)


def test_an_honest_predictor_has_the_ideal_calibration_error() -> None:
    generator = random.Random(3)
    probabilities = [generator.random() for _ in range(600)]
    errors = [ece(probabilities, [generator.random() < p for p in probabilities]) for _ in range(200)]
    ideal = ideal_ece(probabilities, seed=1, draws=200)
    assert sum(errors) / len(errors) == pytest.approx(ideal, abs=0.004)
    assert ideal > 0.02


def test_few_answers_make_few_bins() -> None:
    assert [row.count for row in reliability([0.2, 0.4], [False, True])] == [1, 1]


def test_quantiles_interpolate() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2
    assert quantile([1.0, 2.0], 0.25) == pytest.approx(1.25)
    assert quantile([7.0], 0.9) == 7


def test_an_interval_covers_the_mean_as_often_as_it_says() -> None:
    generator = random.Random(5)
    covered = 0
    for trial in range(200):
        values = [generator.gauss(0, 1) for _ in range(60)]
        found = bootstrap(mean_of(values), 60, 200, seed=trial)
        assert found is not None
        covered += found.low <= 0 <= found.high
    assert 174 <= covered <= 200


def test_a_paired_difference_is_surer_than_two_intervals() -> None:
    generator = random.Random(6)
    base = [generator.gauss(0, 5) for _ in range(100)]
    better = [value + 0.5 + generator.gauss(0, 0.1) for value in base]
    found = paired_bootstrap(mean_of(better), mean_of(base), 100)
    assert found is not None
    assert found.low > 0
    assert found.above_zero == 1


def test_resamples_without_a_value_are_told() -> None:
    found = interval([None, 1.0, 2.0, 3.0])
    assert found is not None
    assert found.undefined == 0.25
    assert interval([None, None]) is None
    undefined = paired_bootstrap(lambda rows: None, lambda rows: 1.0, 3, count=2)
    assert undefined is None
    assert resamples(5, 2, seed=1) == resamples(5, 2, seed=1)
