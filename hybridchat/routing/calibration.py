"""Makes a score mean what it says: from a raw score to the probability of being right.

Under 300 labels a logistic curve with two parameters: Platt, *Probabilistic outputs for support vector machines*
(1999), fitted as in Lin, Lin and Weng, *A note on Platt's probabilistic outputs* (2007). From 300 on an isotonic one:
pool adjacent violators, with each block at its centre so that the map has no steps (Oron and Flournoy, *Centered
isotonic regression*, 2017), mixed with a little of the logistic curve. So both maps rise strictly, and whatever order
the scores were in, the probabilities are in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, isfinite, log, log1p

import msgspec

ISOTONIC_FROM = 300
"""Labels from which the isotonic map is used."""

SMOOTH = 0.1
"""The logistic curve's share in the isotonic map."""

ROUNDING = 1e-10
"""By so much a loss may seem to rise at its minimum."""

LEAST_SLOPE = 1e-6
"""A score that does not rise with the outcome keeps its order, but moves the probability by next to nothing."""


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A strictly rising map from scores to probabilities, and how many labels (right ones) it was fitted on.

    ``knots`` are (score, probability), none for the logistic curve.
    """

    slope: float
    intercept: float
    labels: int
    right: int
    knots: tuple[tuple[float, float], ...] = ()

    @property
    def method(self) -> str:
        """``isotonic`` or ``platt``."""
        return "isotonic" if self.knots else "platt"

    def probability(self, score: float) -> float:
        """Return the probability of being right at ``score``, between 0 and 1."""
        smooth = logistic(self.slope * score + self.intercept)
        return SMOOTH * smooth + (1 - SMOOTH) * _interpolated(self.knots, score) if self.knots else smooth


def calibrate(scores: Sequence[float], right: Sequence[bool]) -> Calibration:
    """Fit a calibration to labelled scores.

    With one class only, or none, it is honest about that: the probability is that of Laplace's rule, whatever the
    score. Raises ``ValueError`` where lengths differ or a score is not finite.
    """
    if len(scores) != len(right):
        raise ValueError(f"{len(scores)} scores for {len(right)} labels")
    if not all(map(isfinite, scores)):
        raise ValueError("a score is not finite")
    slope, intercept = platt(scores, right)
    positives = sum(map(bool, right))
    knots = centred_isotonic(scores, right) if len(scores) >= ISOTONIC_FROM and 0 < positives < len(right) else ()
    return Calibration(slope, intercept, len(scores), positives, knots)


def platt(scores: Sequence[float], right: Sequence[bool], rounds: int = 100) -> tuple[float, float]:
    """Return slope and intercept of the logistic curve of largest likelihood, with Platt's regularised targets.

    The targets are ``(n+ + 1)/(n+ + 2)`` and ``1/(n- + 2)``. Newton's method with halved steps.
    """
    positives = sum(map(bool, right))
    negatives = len(right) - positives
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    base = (positives + 1) / (len(right) + 2)
    if not positives or not negatives:
        return LEAST_SLOPE, log(base / (1 - base))
    centre = sum(scores) / len(scores)
    spread = (sum((score - centre) ** 2 for score in scores) / len(scores)) ** 0.5
    if spread == 0:
        return LEAST_SLOPE, log(base / (1 - base))
    x = [(score - centre) / spread for score in scores]
    targets = [high if r else low for r in right]
    a, b = 0.0, log(base / (1 - base))
    loss = _loss(x, targets, a, b)
    for _ in range(rounds):
        step_a, step_b, size = _newton_step(x, targets, a, b)
        if size < 1e-16:
            break
        stride = 1.0
        while stride > 1e-10:
            tried = _loss(x, targets, a + stride * step_a, b + stride * step_b)
            if tried <= loss + ROUNDING:
                break
            stride /= 2
        else:
            break
        a, b, loss = a + stride * step_a, b + stride * step_b, tried
    slope = a / spread
    if slope < LEAST_SLOPE:
        return LEAST_SLOPE, log(base / (1 - base)) - LEAST_SLOPE * centre
    return slope, b - slope * centre


def _newton_step(x: Sequence[float], targets: Sequence[float], a: float, b: float) -> tuple[float, float, float]:
    gradient_a = gradient_b = 0.0
    aa = bb = 1e-12
    ab = 0.0
    for value, target in zip(x, targets, strict=True):
        p = logistic(a * value + b)
        weight, error = p * (1 - p), target - p
        gradient_a += error * value
        gradient_b += error
        aa += weight * value * value
        ab += weight * value
        bb += weight
    determinant = aa * bb - ab * ab
    step_a = (bb * gradient_a - ab * gradient_b) / determinant
    step_b = (aa * gradient_b - ab * gradient_a) / determinant
    return step_a, step_b, gradient_a * step_a + gradient_b * step_b


def _loss(x: Sequence[float], targets: Sequence[float], a: float, b: float) -> float:
    total = 0.0
    for value, target in zip(x, targets, strict=True):
        logit = a * value + b
        total += (log1p(exp(-logit)) if logit > 0 else log1p(exp(logit)) - logit) + (1 - target) * logit
    return total


def isotonic(scores: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float, int]]:
    """Return the blocks of the least-squares rising step function: (mean score, share right, count), by score.

    Pool adjacent violators (Ayer et al., 1955); equal scores are pooled first.
    """
    blocks: list[tuple[float, float, int]] = []
    for score, label in sorted(zip(scores, map(float, right), strict=True)):
        if blocks and blocks[-1][0] == score:
            _, share, count = blocks[-1]
            blocks[-1] = (score, (share * count + label) / (count + 1), count + 1)
        else:
            blocks.append((score, label, 1))
    pooled: list[tuple[float, float, int]] = []
    for block in blocks:
        pooled.append(block)
        while len(pooled) > 1 and pooled[-2][1] >= pooled[-1][1]:
            (x2, y2, n2), (x1, y1, n1) = pooled.pop(), pooled.pop()
            n = n1 + n2
            pooled.append(((x1 * n1 + x2 * n2) / n, (y1 * n1 + y2 * n2) / n, n))
    return pooled


def centred_isotonic(scores: Sequence[float], right: Sequence[bool]) -> tuple[tuple[float, float], ...]:
    """Return the knots of the centred isotonic regression; the ends are drawn off 0 and 1 by Laplace's rule."""
    knots: list[tuple[float, float]] = []
    for centre, share, count in isotonic(scores, right):
        drawn = max(1 / (count + 2), min((count + 1) / (count + 2), share))
        knots.append((centre, max(drawn, knots[-1][1]) if knots else drawn))
    return tuple(knots)


def _interpolated(knots: Sequence[tuple[float, float]], score: float) -> float:
    after = bisect_right(knots, (score, 2.0))
    if after == 0:
        return knots[0][1]
    if after == len(knots):
        return knots[-1][1]
    (x1, y1), (x2, y2) = knots[after - 1], knots[after]
    return y1 + (y2 - y1) * (score - x1) / (x2 - x1)


def logistic(logit: float) -> float:
    """Return ``1 / (1 + e^-logit)``, without overflow."""
    if logit >= 0:
        return 1 / (1 + exp(-logit))
    weight = exp(logit)
    return weight / (1 + weight)
