"""How good a confidence is: ranking (AUROC) and honesty (Brier score, expected calibration error)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence


def auroc(scores: Sequence[float], right: Sequence[bool]) -> float:
    """Return the probability that a right answer scores above a wrong one, ties counted half; .5 with one class."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    positives, rank_sum, index = sum(right), 0.0, 0
    while index < len(order):
        end = index
        while end < len(order) and scores[order[end]] == scores[order[index]]:
            end += 1
        rank_sum += sum(right[i] for i in order[index:end]) * (index + 1 + end) / 2
        index = end
    negatives = len(right) - positives
    if not positives or not negatives:
        return 0.5
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def brier(scores: Sequence[float], right: Sequence[bool]) -> float:
    """Return the mean squared difference between confidence and outcome."""
    return sum((score - outcome) ** 2 for score, outcome in zip(scores, right, strict=True)) / len(scores)


def calibration_error(scores: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal mass."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    edges = [round(i * len(order) / bins) for i in range(bins + 1)]
    error = 0.0
    for start, end in itertools.pairwise(edges):
        members = order[start:end]
        error += abs(sum(scores[i] for i in members) - sum(right[i] for i in members))
    return error / len(order)
