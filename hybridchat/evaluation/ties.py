"""Walks a list in order of score, equal scores together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def tied(scores: Sequence[float], *, descending: bool) -> Iterator[list[int]]:
    """Yield the indices in order of score, in one list those that are equal.

    Raises ``ValueError`` where a score is not a number.
    """
    if any(score != score for score in scores):  # noqa: PLR0124 - NaN is the one value that differs from itself
        raise ValueError("a score is not a number")
    order = sorted(range(len(scores)), key=scores.__getitem__, reverse=descending)
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or scores[order[end]] != scores[order[start]]:
            yield order[start:end]
            start = end


def same_length(*columns: Sequence[object]) -> int:
    """Return the common length; raises ``ValueError`` where lengths differ or there is nothing."""
    lengths = {len(column) for column in columns}
    if len(lengths) != 1:
        raise ValueError(f"columns of different lengths: {sorted(lengths)}")
    (length,) = lengths
    if not length:
        raise ValueError("there is nothing to measure")
    return length
