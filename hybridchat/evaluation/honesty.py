"""Whether a probability means what it says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from random import Random

from hybridchat.evaluation.ties import same_length, tied

BINS = 15
_FLOOR = 1e-15


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Answers of similar confidence: how many, how sure on average, how often right."""

    count: int
    confidence: float
    accuracy: float


def brier(probabilities: Sequence[float], right: Sequence[bool]) -> float:
    """Return the mean squared difference between probability and outcome (Brier, 1950)."""
    n = same_length(probabilities, right)
    return sum((p - bool(r)) ** 2 for p, r in zip(probabilities, right, strict=True)) / n


def log_loss(probabilities: Sequence[float], right: Sequence[bool]) -> float:
    """Return the mean negative log-likelihood in nats; a probability of 0 or 1 counts as 1e-15 from it."""
    n = same_length(probabilities, right)
    clipped = (min(1 - _FLOOR, max(_FLOOR, p)) for p in probabilities)
    return -sum(log(p if r else 1 - p) for p, r in zip(clipped, right, strict=True)) / n


def reliability(probabilities: Sequence[float], right: Sequence[bool], bins: int = BINS) -> list[ReliabilityBin]:
    """Return the reliability table over bins of equal mass, lowest first; fewer bins than asked for small n."""
    return [
        ReliabilityBin(count, sure / count, accurate / count)
        for count, sure, accurate in _bins(probabilities, right, bins)
    ]


def ece(probabilities: Sequence[float], right: Sequence[bool], bins: int = BINS) -> float:
    """Return the expected calibration error: ``sum n_b/n * |accuracy_b - confidence_b|`` over bins of equal mass.

    Naeini, Cooper and Hauskrecht (2015), with bins of equal mass as in Nixon et al. (2019).
    """
    n = same_length(probabilities, right)
    return sum(abs(sure - accurate) for _, sure, accurate in _bins(probabilities, right, bins)) / n


def ideal_ece(probabilities: Sequence[float], seed: int = 0, draws: int = 100, bins: int = BINS) -> float:
    """Return the ECE that these probabilities would show on average if each were exactly true.

    With few answers the ECE of an honest predictor is well above 0: compare with this, not with 0.
    """
    random = Random(seed)  # noqa: S311 - a simulation, nothing secret
    total = 0.0
    for _ in range(draws):
        total += ece(probabilities, [random.random() < p for p in probabilities], bins)
    return total / draws


def _bins(probabilities: Sequence[float], right: Sequence[bool], bins: int) -> Iterator[tuple[int, float, float]]:
    n = same_length(probabilities, right)
    if not all(0 <= p <= 1 for p in probabilities):
        raise ValueError("a probability is outside 0 to 1")
    ordered: list[tuple[float, float]] = []
    for group in tied(probabilities, descending=False):
        mean = sum(bool(right[i]) for i in group) / len(group)
        ordered += [(probabilities[i], mean) for i in group]
    edges = [round(i * n / bins) for i in range(bins + 1)]
    for start, end in itertools.pairwise(edges):
        if end > start:
            members = ordered[start:end]
            yield end - start, sum(p for p, _ in members), sum(mean for _, mean in members)
