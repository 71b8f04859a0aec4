"""What a router could know without looking into the answer: how the question looks, how long the answer is.

Each is a logistic regression fitted on the labelled traces themselves and read off the tenth of them that was left out
of the fit: a generous baseline, since it learns from the very kind of question that it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p
from random import Random

from hybridchat.evaluation.traces import Trace
from hybridchat.routing.calibration import logistic
from hybridchat.routing.question_features import question_features

FOLDS = 10
FEWEST = 20
"""Labelled answers below which nothing is fitted."""

RIDGE = 1.0
_ROUNDS = 8

Row = Sequence[float]


def question_only(traces: Sequence[Trace], right: Sequence[bool]) -> list[float] | None:
    """Return each answer's probability of being right by its question alone; None where nothing can be learned."""
    return left_out([list(question_features(trace.question).values()) for trace in traces], right)


def length_only(traces: Sequence[Trace], right: Sequence[bool]) -> list[float] | None:
    """Return each answer's probability of being right by its length alone; None where nothing can be learned."""
    return left_out([[log1p(len(trace.local.text))] for trace in traces], right)


def folds(right: Sequence[bool], count: int = FOLDS, seed: int = 0) -> list[int]:
    """Return the fold of each answer, with like shares of right ones in each."""
    order = list(range(len(right)))
    Random(seed).shuffle(order)  # noqa: S311 - a split, nothing secret
    order.sort(key=lambda i: bool(right[i]))
    found = [0] * len(right)
    for position, i in enumerate(order):
        found[i] = position % count
    return found


def left_out(rows: Sequence[Row], right: Sequence[bool]) -> list[float] | None:
    """Return the probability of each row by a logistic regression that was fitted without its fold."""
    if len(rows) < FEWEST or len(set(map(bool, right))) < 2:
        return None
    standard = _standardised(rows)
    fold = folds(right)
    found = [0.0] * len(rows)
    for number in range(FOLDS):
        kept = [i for i in range(len(rows)) if fold[i] != number]
        weights = logistic_regression([standard[i] for i in kept], [right[i] for i in kept])
        for i in range(len(rows)):
            if fold[i] == number:
                found[i] = logistic(sum(w * v for w, v in zip(weights, standard[i], strict=True)))
    return found


def logistic_regression(rows: Sequence[Row], labels: Sequence[bool], ridge: float = RIDGE) -> list[float]:
    """Return the weights of largest likelihood, all but the first drawn to zero; by Newton's method.

    Each row begins with a 1, for the intercept.
    """
    width = len(rows[0])
    weights = [0.0] * width
    for _ in range(_ROUNDS):
        gradient = [-ridge * w * bool(j) for j, w in enumerate(weights)]
        hessian = [[ridge * bool(j) * (j == k) for k in range(width)] for j in range(width)]
        for row, label in zip(rows, labels, strict=True):
            p = logistic(sum(w * v for w, v in zip(weights, row, strict=True)))
            curvature = max(p * (1 - p), 1e-6)
            for j, value in enumerate(row):
                gradient[j] += (label - p) * value
                line, scaled = hessian[j], curvature * value
                for k in range(j + 1):
                    line[k] += scaled * row[k]
        for j in range(width):
            for k in range(j):
                hessian[k][j] = hessian[j][k]
        step = _solved(hessian, gradient)
        weights = [w + s for w, s in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return weights


def _solved(matrix: list[list[float]], right_side: Sequence[float]) -> list[float]:
    """Solve a positive definite system by Gaussian elimination."""
    rows = [[*line, value] for line, value in zip(matrix, right_side, strict=True)]
    n = len(rows)
    for j in range(n):
        pivot = rows[j][j]
        for i in range(j + 1, n):
            factor = rows[i][j] / pivot
            if factor:
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[j], strict=True)]
    solution = [0.0] * n
    for j in reversed(range(n)):
        known = sum(rows[j][k] * solution[k] for k in range(j + 1, n))
        solution[j] = (rows[j][n] - known) / rows[j][j]
    return solution


def _standardised(rows: Sequence[Row]) -> list[list[float]]:
    """Return the rows with a leading 1 and each feature as standard deviations from its mean."""
    columns = list(zip(*rows, strict=True))
    means = [sum(column) / len(rows) for column in columns]
    scales = [
        (sum((v - mean) ** 2 for v in column) / len(rows)) ** 0.5 or 1.0
        for column, mean in zip(columns, means, strict=True)
    ]
    return [[1.0, *((v - m) / s for v, m, s in zip(row, means, scales, strict=True))] for row in rows]
