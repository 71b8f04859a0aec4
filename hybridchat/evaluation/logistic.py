"""Logistic regression over several checkpoints that borrow strength from each other.

Each checkpoint ``c`` has coefficients ``v_c`` and a free intercept; they are drawn towards ``u_c + w``, where ``u_c``
is what was known before (0 where nothing was) and ``w`` a common change, which is drawn towards zero::

    minimise  sum_c log-loss_c(v_c)  +  pull/2 * sum_c |v_c - u_c - w|^2  +  ridge/2 * |w|^2

With few labels all checkpoints change alike, if at all; with many, each goes its own way. Signs can be imposed, so that
more doubt in a token never raises a confidence. Solved by turns: each ``v_c`` by Newton steps whose quadratic is
minimised coordinate by coordinate within its bounds, then ``w`` in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

Row = Sequence[float]


@dataclass(slots=True)
class Coefficients:
    """One checkpoint's intercept and weights."""

    intercept: float
    weights: list[float]

    def probability(self, row: Row) -> float:
        """Return the logistic function of the weighted features."""
        logit = self.intercept + sum(weight * value for weight, value in zip(self.weights, row, strict=True))
        return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, logit))))


def fit(
    data: Mapping[str, tuple[Sequence[Row], Sequence[bool]]],
    signs: Sequence[int],
    known: Mapping[str, Coefficients] | None = None,
    *,
    ridge: float = 4.0,
    pull: float = 8.0,
    rounds: int = 8,
) -> dict[str, Coefficients]:
    """Fit all checkpoints of ``data`` (rows of standardised features, whether right).

    ``signs`` bounds each weight: 1 not negative, -1 not positive, 0 free. ``known`` holds what every checkpoint of
    ``data`` is drawn towards; its weights must keep to the signs.
    """
    width = len(signs)
    if known is None:
        fitted, change = _alike(data, signs, ridge), [0.0] * width
        change = list(next(iter(fitted.values())).weights) if fitted else change
        base = {name: [0.0] * width for name in data}
    else:
        fitted = {name: Coefficients(known[name].intercept, list(known[name].weights)) for name in data}
        base, change = {name: list(known[name].weights) for name in data}, [0.0] * width
    for _ in range(rounds):
        for name, (rows, labels) in data.items():
            centre = [before + moved for before, moved in zip(base[name], change, strict=True)]
            _newton(fitted[name], rows, labels, centre, pull, signs)
        total = pull * len(fitted) + ridge
        change = [pull * sum(fitted[n].weights[j] - base[n][j] for n in fitted) / total for j in range(width)]
    return fitted


def _alike(
    data: Mapping[str, tuple[Sequence[Row], Sequence[bool]]], signs: Sequence[int], ridge: float
) -> dict[str, Coefficients]:
    """Return the same coefficients for all checkpoints, fitted on all their rows at once."""
    width = len(signs)
    pooled = (
        [row for rows, _ in data.values() for row in rows],
        [label for _, labels in data.values() for label in labels],
    )
    start = Coefficients(0.0, [0.0] * width)
    for _ in range(6):
        _newton(start, *pooled, [0.0] * width, ridge * len(data), signs)
    return {name: Coefficients(start.intercept, list(start.weights)) for name in data}


def _newton(
    current: Coefficients,
    rows: Sequence[Row],
    labels: Sequence[bool],
    centre: Row,
    penalty: float,
    signs: Sequence[int],
) -> None:
    """Improve ``current`` in place by one Newton step within the bounds."""
    width = len(signs)
    gradient = [0.0] * (width + 1)
    hessian = [[0.0] * (width + 1) for _ in range(width + 1)]
    for row, label in zip(rows, labels, strict=True):
        p = current.probability(row)
        error, weight = label - p, max(p * (1 - p), 1e-4)
        extended = (1.0, *row)
        for j, value in enumerate(extended):
            gradient[j] += error * value
            scaled, line = weight * value, hessian[j]
            for k in range(j + 1):
                line[k] += scaled * extended[k]
    for j in range(width + 1):
        for k in range(j):
            hessian[k][j] = hessian[j][k]
        hessian[j][j] += penalty if j else 0.01
        gradient[j] += penalty * (centre[j - 1] - current.weights[j - 1]) if j else -0.01 * current.intercept
    step = [0.0] * (width + 1)
    for _ in range(60):
        for j in range(width + 1):
            slope = gradient[j] - sum(h * s for h, s in zip(hessian[j], step, strict=True))
            proposal = step[j] + slope / hessian[j][j]
            if j and signs[j - 1]:
                bound = -current.weights[j - 1]
                proposal = max(proposal, bound) if signs[j - 1] > 0 else min(proposal, bound)
            step[j] = proposal
    current.intercept += step[0]
    current.weights = [weight + change for weight, change in zip(current.weights, step[1:], strict=True)]
