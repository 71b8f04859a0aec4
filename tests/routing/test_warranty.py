from __future__ import annotations

import random

import pytest
from scipy.stats import beta, binom

from hybridchat.routing.warranty import NoWarranty, Warranty, binomial_tail, needed, upper_bound, warranty


def labelled(generator: random.Random, n: int) -> tuple[list[float], list[bool]]:
    scores = [generator.random() for _ in range(n)]
    return scores, [generator.random() < 0.55 + 0.45 * score for score in scores]


def true_risk(threshold: float) -> float:
    return 0.45 * (1 - (1 + threshold) / 2)


@pytest.mark.parametrize(("errors", "n", "rate"), [(0, 30, 0.1), (3, 50, 0.2), (40, 200, 0.1), (199, 200, 0.99)])
def test_the_binomial_tail_agrees_with_scipy(errors: int, n: int, rate: float) -> None:
    assert binomial_tail(errors, n, rate) == pytest.approx(binom.cdf(errors, n, rate), abs=1e-10)


def test_the_binomial_tail_at_its_ends() -> None:
    assert binomial_tail(5, 5, 0.3) == 1
    assert binomial_tail(0, 5, 0.0) == 1
    assert binomial_tail(0, 5, 1.0) == 0


@pytest.mark.parametrize(("errors", "n"), [(0, 30), (3, 50), (40, 200)])
def test_the_upper_bound_agrees_with_scipy(errors: int, n: int) -> None:
    assert upper_bound(errors, n, 0.1) == pytest.approx(beta.ppf(0.9, errors + 1, n - errors), abs=1e-9)
    assert upper_bound(n, n, 0.1) == 1


def test_how_many_right_answers_it_takes() -> None:
    assert needed(0.1, 0.1) == 22
    assert needed(0.05, 0.05) == 59


def test_the_promise_is_broken_no_more_often_than_it_says() -> None:
    generator = random.Random(11)
    broken = given = 0
    for _ in range(600):
        found = warranty(*labelled(generator, 200), alpha=0.2)
        if isinstance(found, Warranty):
            given += 1
            broken += true_risk(found.threshold) > 0.2
    assert given > 500
    assert broken <= 60


def test_more_labels_promise_more() -> None:
    generator = random.Random(12)

    def kept(n: int) -> float:
        found = [warranty(*labelled(generator, n), alpha=0.2) for _ in range(100)]
        return sum(1 - w.threshold for w in found if isinstance(w, Warranty)) / 100

    assert kept(100) < kept(200) < kept(800)


def test_what_it_says_is_what_it_counted() -> None:
    scores = [i / 100 for i in range(100)]
    found = warranty(scores, [score >= 0.2 for score in scores])
    assert isinstance(found, Warranty)
    assert found.errors <= 0.1 * found.kept
    assert found.bound <= 0.1
    assert found.kept == sum(score >= found.threshold for score in scores)
    assert str(found) == (f"of the answers I keep ({found.kept}%), at most 10% are wrong, with 90% confidence")


def test_equal_scores_are_kept_or_sent_together() -> None:
    found = warranty([1.0] * 80 + [0.0] * 80, [True] * 80 + [False] * 80)
    assert isinstance(found, Warranty)
    assert (found.threshold, found.kept, found.errors) == (1.0, 80, 0)


def test_an_early_error_does_not_end_every_promise() -> None:
    scores = [i / 200 for i in range(200)]
    right = [not (190 <= i < 195) and i > 60 for i in range(200)]
    assert isinstance(warranty(scores, right), Warranty)


@pytest.mark.parametrize(
    ("right", "words"),
    [
        ([True] * 10, "10 labelled answers are too few; it takes at least 26"),
        ([True, False] * 50, "15 of 30 are wrong, which is more than 10%"),
        ([True] * 22 + [False] * 2 + [False] * 56, "label more answers"),
    ],
)
def test_what_cannot_be_promised_has_a_reason(right: list[bool], words: str) -> None:
    found = warranty([-float(i) for i in range(len(right))], right)
    assert isinstance(found, NoWarranty)
    assert words in str(found)
    assert str(found).startswith("cannot be promised: ")


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="for 1 labels"):
        warranty([0.1, 0.2], [True])
    with pytest.raises(ValueError, match="finite"):
        warranty([float("nan")], [True])
    with pytest.raises(ValueError, match="between 0 and 1"):
        warranty([0.5], [True], alpha=0)
