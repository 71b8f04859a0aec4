from __future__ import annotations

import random

import pytest

from hybridchat.evaluation.logistic import Coefficients, fit


def test_a_logistic_model_recovers_what_made_the_data_and_keeps_to_its_signs() -> None:
    rng = random.Random(3)
    rows = [[rng.gauss(0, 1) for _ in range(3)] for _ in range(3000)]
    labels = [rng.random() < 1 / (1 + 2.718281828 ** -(0.5 + 1.5 * row[0] - 1.0 * row[2])) for row in rows]
    fitted = fit({"1": (rows[:1500], labels[:1500]), "2": (rows[1500:], labels[1500:])}, (1, 1, 1), rounds=6)
    for coefficients in fitted.values():
        assert all(weight >= 0 for weight in coefficients.weights)
        assert coefficients.weights[2] == 0
    free = fit({"1": (rows, labels)}, (0, 0, 0), ridge=0.1, pull=0.1)["1"]
    assert free.weights == pytest.approx([1.5, 0.0, -1.0], abs=0.2)
    assert free.intercept == pytest.approx(0.5, abs=0.2)


def test_a_checkpoint_with_few_labels_borrows_from_the_others() -> None:
    rng = random.Random(5)
    rows = [[rng.gauss(0, 1)] for _ in range(1000)]
    labels = [row[0] + rng.gauss(0, 0.5) > 0 for row in rows]
    fitted = fit({"1": (rows, labels), "2": (rows[:4], [True, False, True, False])}, (1,))
    assert fitted["2"].weights[0] > 0.5


def test_with_few_labels_what_was_known_stays_and_with_many_it_goes() -> None:
    rng = random.Random(7)
    rows = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(4000)]
    labels = [row[0] + rng.gauss(0, 1) > 0 for row in rows]
    known = {"1": Coefficients(0.0, [0.0, 1.5])}
    few = fit({"1": (rows[:6], labels[:6])}, (0, 0), known)["1"]
    many = fit({"1": (rows, labels)}, (0, 0), known)["1"]
    assert few.weights[1] > few.weights[0]
    assert many.weights[0] > 1.2
    assert abs(many.weights[1]) < 0.2
    assert known["1"].weights == [0.0, 1.5]
