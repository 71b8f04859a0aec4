from __future__ import annotations

import random

import msgspec
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from hybridchat.evaluation.fitting import (
    FALSE_ABORTS,
    HeadFit,
    Sample,
    Signals,
    abort_thresholds,
    is_aborted,
    signals_of,
)
from hybridchat.evaluation.logistic import fit
from hybridchat.routing.calibration import isotonic, platt
from hybridchat.routing.estimator import probability
from hybridchat.routing.prior import CHECKPOINTS, END, Checkpoint, Head, shipped
from tests.evaluation.made_traces import trace, traces

NAMES = ("mean", "cusum")


def head(weights: tuple[float, float] = (0.0, 0.0)) -> Head:
    one = Checkpoint(0.0, weights)
    return Head(NAMES, (0.0, 0.0), (1.0, 1.0), dict.fromkeys(("8", "16", END), one))


def sample(n: int, *, seed: int = 1, families: int = 8, noise: float = 1.0) -> Sample:
    """Answers whose mean logprob tells whether they are right; each family is right more or less often."""
    rng = random.Random(seed)
    signals: list[dict[str, Signals]] = []
    right, folds = [], []
    for i in range(n):
        family = i % families
        mean = rng.gauss(0, 1)
        right.append(mean + 0.5 * (family - families / 2) / families + rng.gauss(0, noise) > 0)
        early = {"mean": mean + rng.gauss(0, 1), "cusum": rng.gauss(0, 1)}
        answer: dict[str, Signals] = {"8": early, END: {"mean": mean, "cusum": rng.gauss(0, 1)}}
        if i % 2:
            answer["16"] = {"mean": mean + rng.gauss(0, 0.5), "cusum": rng.gauss(0, 1)}
        signals.append(answer)
        folds.append(f"family {family}")
    return Sample(signals, right, folds)


def test_signals_are_read_at_the_checkpoints_that_an_answer_reached_and_at_its_end() -> None:
    one = trace(1, right=True, tokens=9)
    found = signals_of(one)
    assert list(found) == ["1", "2", "4", "8", END]
    assert [found[name]["n"] for name in ("1", "8", END)] == [1, 8, 9]
    assert "truncated" in found[END]
    without = signals_of(one, logprobs=False)
    assert "mean" not in without[END]
    assert without[END]["characters"] == len(one.local.text)


def test_whole_families_are_held_out_where_there_are_several_else_parts() -> None:
    made = [msgspec.structs.replace(one, family=f"f{i % 7}") for i, one in enumerate(traces(40))]
    assert Sample.of(made, logprobs=True).folds == [str(i % 7) for i in range(40)]
    many = [msgspec.structs.replace(one, family=f"f{i % 20:02}") for i, one in enumerate(traces(40))]
    assert Sample.of(many, logprobs=True).folds == [str(i % 20 % 8) for i in range(40)]
    assert {int(fold) for fold in Sample.of(traces(200), logprobs=True).folds} == set(range(10))


def test_answers_without_a_grade_teach_nothing() -> None:
    made = [trace(1, right=None), trace(2, right=True), trace(3, right=False)]
    assert Sample.of(made, logprobs=True).right == [True, False]


def test_with_few_labels_the_known_score_stays_and_only_its_calibration_is_fitted() -> None:
    few = HeadFit(head((1.0, 0.0)), sample(60))
    assert not few.refits
    fitted = few.head
    assert fitted.checkpoints[END].weights == (1.0, 0.0)
    assert fitted.checkpoints[END].calibration is not None
    assert fitted.calibrated


def test_with_many_labels_the_score_is_refitted_and_nothing_is_told_of_answers_it_has_seen() -> None:
    answers = sample(500)
    many = HeadFit(head(), answers)
    assert many.refits
    weights = many.head.checkpoints[END].weights
    assert weights[0] > 1.0
    assert abs(weights[1]) < 0.2
    turned = [
        not right if fold == "family 3" else right for right, fold in zip(answers.right, answers.folds, strict=True)
    ]
    other = HeadFit(head(), Sample(answers.signals, turned, answers.folds))
    seen = [scores[END] for scores, fold in zip(many.held_out_scores, answers.folds, strict=True) if fold == "family 3"]
    changed = [
        scores[END] for scores, fold in zip(other.held_out_scores, answers.folds, strict=True) if fold == "family 3"
    ]
    # only the intercept, which all answers share, may know of the labels that were turned around
    shift = changed[0] - seen[0]
    assert changed == pytest.approx([score + shift for score in seen])


def test_the_fit_is_the_one_that_sklearn_finds() -> None:
    answers = sample(1500, families=1)
    rows = [[answer[END]["mean"], answer[END]["cusum"]] for answer in answers.signals]
    ours = fit({END: (rows, answers.right)}, (0, 0), ridge=1e-6, pull=1e-6, rounds=20)[END]
    theirs = LogisticRegression(C=1e6, tol=1e-8).fit(rows, answers.right)
    assert ours.weights == pytest.approx(list(theirs.coef_[0]), abs=2e-3)
    assert ours.intercept == pytest.approx(float(theirs.intercept_[0]), abs=2e-3)


def test_the_isotonic_and_the_logistic_map_are_those_of_sklearn() -> None:
    rng = random.Random(4)
    scores = [rng.gauss(0, 1) for _ in range(500)]
    right = [score + rng.gauss(0, 1) > 0 for score in scores]
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, right)
    for centre, share, _ in isotonic(scores, right):
        assert float(theirs.predict([centre])[0]) == pytest.approx(share, abs=1e-9)
    slope, intercept = platt(scores, right)
    plain = LogisticRegression(C=1e6, tol=1e-8).fit([[score] for score in scores], right)
    assert slope == pytest.approx(float(plain.coef_[0][0]), rel=0.02)
    assert intercept == pytest.approx(float(plain.intercept_[0]), abs=0.02)


def test_held_out_probabilities_rank_and_mean_what_they_say() -> None:
    answers = sample(500)
    fitted = HeadFit(head(), answers)
    confidence = [scores[END] for scores in fitted.held_out]
    area = float(roc_auc_score(answers.right, confidence))
    assert area > 0.75
    assert fitted.head.checkpoints[END].auroc == pytest.approx(area, abs=1e-3)
    assert sum(confidence) / len(confidence) == pytest.approx(sum(answers.right) / len(answers), abs=0.03)
    calibration = fitted.head.checkpoints[END].calibration
    assert calibration is not None
    assert calibration.method == "isotonic"


def test_a_checkpoint_that_few_answers_reach_takes_the_calibration_of_all() -> None:
    answers = sample(100)
    rare = [{**answer, "32": answer[END]} if i < 5 else answer for i, answer in enumerate(answers.signals)]
    known = msgspec.structs.replace(
        head((1.0, 0.0)), checkpoints={**head().checkpoints, "32": Checkpoint(0.0, (1.0, 0.0))}
    )
    fitted = HeadFit(known, Sample(rare, answers.right, answers.folds)).head.checkpoints
    assert fitted["32"].calibration is not None
    assert fitted["32"].calibration.labels > 5
    assert fitted["8"].calibration is not None
    assert fitted["8"].calibration.labels == 100


def test_over_the_whole_path_no_more_right_answers_are_set_aside_than_allowed() -> None:
    answers = sample(1000, noise=0.4)
    fitted = HeadFit(head(), answers)
    thresholds = {name: one.abort_below for name, one in fitted.head.checkpoints.items() if one.abort_below}
    assert set(thresholds) == {"8", "16"}
    good = [scores for scores, right in zip(fitted.held_out, answers.right, strict=True) if right]
    bad = [scores for scores, right in zip(fitted.held_out, answers.right, strict=True) if not right]
    false = sum(is_aborted(scores, thresholds) for scores in good) / len(good)
    assert 0.02 < false <= FALSE_ABORTS
    assert sum(is_aborted(scores, thresholds) for scores in bad) / len(bad) > 2 * false
    fresh = sample(3000, seed=9, noise=0.4)
    kept = fitted.head
    again = [
        {name: probability(kept, name, signals) for name, signals in answer.items()}
        for answer, right in zip(fresh.signals, fresh.right, strict=True)
        if right
    ]
    assert sum(is_aborted(scores, thresholds) for scores in again) / len(again) < FALSE_ABORTS + 0.02


def test_without_enough_right_answers_nothing_may_be_set_aside() -> None:
    assert abort_thresholds([{"8": 0.1 * i} for i in range(10)], [True] * 10) == {}
    assert abort_thresholds([{"8": i / 50} for i in range(50)], [False] * 50) == {}


def test_the_shipped_head_can_be_fitted_further() -> None:
    made = [msgspec.structs.replace(one, family=f"f{i % 8}") for i, one in enumerate(traces(400))]
    fitted = HeadFit(shipped().logprobs, Sample.of(made, logprobs=True))
    assert fitted.refits
    checkpoints = fitted.head.checkpoints
    assert set(checkpoints) == {*map(str, CHECKPOINTS), END}
    assert (checkpoints[END].auroc or 0) > 0.75


def test_no_labels_leave_the_known_head_as_it_is() -> None:
    assert HeadFit(head(), Sample([], [], [])).head == head()
