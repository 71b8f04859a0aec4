"""How well a score tells two classes apart, whatever its scale."""

from __future__ import annotations

from collections.abc import Sequence

from hybridchat.evaluation.ties import same_length, tied


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Return the probability that a positive scores above a negative, ties counted half; None with one class.

    The Mann-Whitney statistic over ``n_positive * n_negative`` (Hanley and McNeil, 1982).
    """
    n = same_length(scores, positive)
    positives = sum(map(bool, positive))
    negatives = n - positives
    if not positives or not negatives:
        return None
    below, wins = 0, 0.0
    for group in tied(scores, descending=False):
        hits = sum(bool(positive[i]) for i in group)
        wins += hits * (below + (len(group) - hits) / 2)
        below += len(group) - hits
    return wins / (positives * negatives)


def auprc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Return the average precision ``sum (R_k - R_{k-1}) * P_k`` over distinct thresholds; None without positives."""
    same_length(scores, positive)
    positives = sum(map(bool, positive))
    if not positives:
        return None
    seen = found = 0
    area = 0.0
    for group in tied(scores, descending=True):
        hits = sum(bool(positive[i]) for i in group)
        seen += len(group)
        found += hits
        area += hits / positives * found / seen
    return area
