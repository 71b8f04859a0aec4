"""Intervals by resampling the questions (Efron and Tibshirani, *An introduction to the bootstrap*, 1993)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor
from random import Random

Statistic = Callable[[Sequence[int]], float | None]
"""Computes a number from the questions with these indices; None where it is not defined on them."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval; ``above_zero`` is the share of resamples over zero, ``undefined`` of those without value.

    Resamples on which the statistic is not defined are left out of the interval.
    """

    low: float
    high: float
    above_zero: float
    undefined: float = 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """Return the linearly interpolated quantile of ``values`` (Hyndman and Fan's type 7)."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low = min(floor(position), len(ordered) - 2) if len(ordered) > 1 else 0
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def interval(values: Sequence[float | None], level: float = 0.95) -> Interval | None:
    """Return the central interval of resampled ``values``; None where none is defined."""
    defined = [value for value in values if value is not None]
    if not defined:
        return None
    tail = (1 - level) / 2
    return Interval(
        quantile(defined, tail),
        quantile(defined, 1 - tail),
        sum(value > 0 for value in defined) / len(defined),
        1 - len(defined) / len(values),
    )


def resamples(n: int, count: int, seed: int = 0) -> list[list[int]]:
    """Draw ``count`` resamples of ``n`` indices with replacement."""
    random = Random(seed)  # noqa: S311 - a simulation, nothing secret
    return [random.choices(range(n), k=n) for _ in range(count)]


def bootstrap(statistic: Statistic, n: int, count: int = 1000, level: float = 0.95, seed: int = 0) -> Interval | None:
    """Return the interval of a statistic of ``n`` questions."""
    return interval([statistic(indices) for indices in resamples(n, count, seed)], level)


def paired_bootstrap(
    one: Statistic, other: Statistic, n: int, count: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval | None:
    """Return the interval of ``one - other``, both computed on the same resamples."""

    def difference(indices: Sequence[int]) -> float | None:
        first, second = one(indices), other(indices)
        return None if first is None or second is None else first - second

    return bootstrap(difference, n, count, level, seed)
