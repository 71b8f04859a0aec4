"""Numbers with the interval that resampling the questions gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from hybridchat.evaluation.bootstrap import interval, resamples

Measure = Callable[[Sequence[int]], Mapping[str, float | None]]
"""Computes named numbers from the questions with these indices."""


class Estimate(msgspec.Struct, frozen=True):
    """A number with its 95% bootstrap interval; null where it is not defined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def estimates(measure: Measure, n: int, count: int, seed: int = 0) -> dict[str, Estimate]:
    """Return what ``measure`` finds on all ``n`` questions, with intervals from ``count`` resamples of them."""
    if not n:
        return {}
    found = measure(range(n))
    drawn = [measure(indices) for indices in resamples(n, count, seed)]
    return {name: _estimate(value, [other[name] for other in drawn]) for name, value in found.items()}


def _estimate(value: float | None, drawn: Sequence[float | None]) -> Estimate:
    spread = interval(drawn) if drawn and value is not None else None
    return Estimate(value, spread.low, spread.high) if spread else Estimate(value)
