from __future__ import annotations

import random

import pytest

from benchmarks.grading import Item, grade
from benchmarks.logistic import fit
from benchmarks.questions import questions


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


@pytest.mark.parametrize(
    ("question", "kind", "gold", "answer", "right"),
    [
        ("How many minutes are 3 hours?", "number", "180", "There are 180 minutes in 3 hours.", True),
        ("What is 7 * 8?", "number", "56", "7 * 8 = 54", False),
        ("What is (10 - 6) + 6?", "number", "10", "10 - 6 = 4, and 4 + 6 = 10.", True),
        ("How many grams?", "number", "4000", "4,000 grams", True),
        ("Which number?", "number", "1", "none", False),
        ("Who?", "pattern", "[\\w. ]*Tolstoy", "It was Leo Tolstoy.", True),
        ("How many legs?", "pattern", "(?:8|eight)s?", "It has 18 legs.", False),
        ("Symbol?", "exact", "Pb", "pb", False),
        ("Symbol?", "exact", "Pb", "It is Pb.", True),
        ("Velmoria?", "abstain", "", "There is no such country.", True),
        ("Velmoria?", "abstain", "", "Its capital is Velmor.", False),
    ],
)
def test_answers_are_graded(question: str, kind: str, gold: str, answer: str, *, right: bool) -> None:
    assert grade(Item("1", "family", 0.0, question, kind, gold), answer) is right


def test_the_questions_are_the_same_each_time_and_named_once() -> None:
    items = questions()
    assert items == questions()
    assert len({item.id for item in items}) == len(items) > 1000
    assert {item.text for item in items} != {item.text for item in questions(seed=2)}
