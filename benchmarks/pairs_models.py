"""Ridge logistic regression that knows how well it would have done without each of its rows.

Leaving one row out is approximated in closed form from the fit on all (Rad and Maleki, *A scalable estimate of the
out-of-sample prediction error via approximate leave-one-out cross-validation*, 2020). So the penalty is chosen, and the
calibration fitted, inside the training rows without a single refit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.pairs_features import Matrix, Vector

FARTHEST = 3.0
"""Standard deviations at which a feature is cut off."""

PENALTIES = (10.0, 30.0, 100.0)
ROUNDS = 12
TOLERANCE = 1e-3
"""Of a step in a standardised weight: far below what the data can tell."""


@dataclass(frozen=True)
class Scaling:
    """The training rows' means and standard deviations; features that never vary are left out."""

    used: NDArray[np.intp]
    means: Vector
    scales: Vector

    @classmethod
    def of(cls, rows: Matrix) -> Scaling:
        """Measure the training rows."""
        used = np.flatnonzero(rows.std(axis=0) > 1e-9)
        return cls(used, rows[:, used].mean(axis=0), rows[:, used].std(axis=0))

    def __call__(self, rows: Matrix) -> Matrix:
        """Return standardised rows with a leading 1."""
        z = np.clip((rows[:, self.used] - self.means) / self.scales, -FARTHEST, FARTHEST)
        return np.hstack([np.ones((len(rows), 1)), z])


@dataclass(frozen=True)
class LogisticHead:
    """A fitted model. ``left_out`` holds each training row's logit as if it had been left out of the fit."""

    scaling: Scaling
    weights: Vector
    left_out: Vector
    penalty: float

    def logits(self, rows: Matrix) -> Vector:
        """Return the logits of ``rows``."""
        return np.asarray(self.scaling(rows) @ self.weights)

    def probabilities(self, rows: Matrix) -> Vector:
        """Return the probabilities of ``rows``."""
        return sigmoid(self.logits(rows))


def fit_head(rows: Matrix, labels: Sequence[bool], penalties: Sequence[float] = PENALTIES) -> LogisticHead:
    """Fit a head with the penalty whose left-out log-loss is least; with one class only, its smoothed base rate."""
    scaling = Scaling.of(rows)
    x, y = scaling(rows), np.asarray(labels, dtype=np.float64)
    base = (y.sum() + 1) / (len(y) + 2)
    start = np.zeros(x.shape[1])
    start[0] = np.log(base / (1 - base))
    constant = LogisticHead(scaling, start, np.full(len(y), start[0]), float("inf"))
    if y.min() == y.max():
        return constant
    best, least = constant, float("inf")
    weights = start
    for penalty in sorted(penalties, reverse=True):
        weights, left_out = _fit(x, y, penalty, weights)
        loss = float(np.mean(np.logaddexp(0, left_out) - y * left_out))
        if loss < least:
            best, least = LogisticHead(scaling, weights, left_out, penalty), loss
    return best


def _fit(x: Matrix, y: Vector, penalty: float, start: Vector) -> tuple[Vector, Vector]:
    """Return the weights and the left-out logits, by Newton's method from ``start``."""
    ridge = np.full(x.shape[1], penalty)
    ridge[0] = 1e-6
    weights = start
    for _ in range(ROUNDS):
        p = sigmoid(x @ weights)
        curvature = np.maximum(p * (1 - p), 1e-9)
        hessian = (x.T * curvature) @ x + np.diag(ridge)
        step = np.linalg.solve(hessian, x.T @ (y - p) - ridge * weights)
        weights = weights + step
        if float(np.max(np.abs(step))) < TOLERANCE:
            break
    logits = x @ weights
    p = sigmoid(logits)
    curvature = np.maximum(p * (1 - p), 1e-9)
    half = np.linalg.solve(np.linalg.cholesky((x.T * curvature) @ x + np.diag(ridge)), x.T)
    reach = (half**2).sum(axis=0)
    return weights, logits - reach * (y - p) / np.maximum(1e-3, 1 - curvature * reach)


def sigmoid(logits: Vector) -> Vector:
    """Return the logistic function, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
