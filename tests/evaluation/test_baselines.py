from __future__ import annotations

import random

import pytest
from sklearn.linear_model import LogisticRegression

from hybridchat.evaluation.baselines import folds, left_out, length_only, logistic_regression, question_only
from hybridchat.evaluation.ranking import auroc
from tests.evaluation.made_traces import trace, traces


def noisy(n: int, seed: int = 1) -> tuple[list[list[float]], list[bool]]:
    generator = random.Random(seed)
    rows = [[generator.gauss(0, 1) for _ in range(3)] for _ in range(n)]
    return rows, [generator.gauss(0, 1) + row[0] - 0.5 * row[1] > 0.3 for row in rows]


def test_the_regression_agrees_with_scikit_learn() -> None:
    rows, labels = noisy(200)
    found = logistic_regression([[1.0, *row] for row in rows], labels, ridge=2.0)
    reference = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(rows, labels)
    assert found[0] == pytest.approx(reference.intercept_[0], abs=1e-5)
    assert found[1:] == pytest.approx(list(reference.coef_[0]), abs=1e-5)


def test_classes_that_are_told_apart_exactly_do_not_overflow() -> None:
    rows = [[1.0, float(i)] for i in range(-20, 20)]
    weights = logistic_regression(rows, [row[1] > 0 for row in rows], ridge=0.01)
    assert 0 < weights[1] < 100


def test_every_fold_has_its_share_of_right_answers() -> None:
    right = [i % 4 == 0 for i in range(80)]
    fold = folds(right)
    for number in range(10):
        members = [right[i] for i in range(80) if fold[i] == number]
        assert (len(members), sum(members)) == (8, 2)


def test_a_label_has_no_say_in_its_own_probability() -> None:
    rows, labels = noisy(60)
    found = left_out(rows, labels)
    assert found is not None
    fold = folds(labels)
    others = [i for i in range(60) if fold[i] != fold[0]]
    mean = [sum(column) / 60 for column in zip(*rows, strict=True)]
    scale = [
        (sum((v - m) ** 2 for v in column) / 60) ** 0.5 for column, m in zip(zip(*rows, strict=True), mean, strict=True)
    ]
    standard = [[(v - m) / s for v, m, s in zip(row, mean, scale, strict=True)] for row in rows]
    reference = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000)
    reference.fit([standard[i] for i in others], [labels[i] for i in others])
    assert found[0] == pytest.approx(reference.predict_proba([standard[0]])[0][1], abs=1e-5)
    assert auroc(found, labels) == pytest.approx(0.8, abs=0.15)


def test_too_few_answers_or_one_class_teach_nothing() -> None:
    made = traces(30)
    assert question_only(made, [True] * 30) is None
    assert length_only(made[:19], [True, False] * 9 + [True]) is None


def test_length_tells_what_hangs_on_length() -> None:
    made = [trace(i, right=i % 2 == 0, tokens=5 if i % 2 == 0 else 40) for i in range(40)]
    right = [bool(one.local.right) for one in made]
    found = length_only(made, right)
    assert found is not None
    assert auroc(found, right) == 1
    nothing = question_only(made, right)
    assert nothing is not None
    assert len(nothing) == 40
