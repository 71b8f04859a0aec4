"""A promise about the answers that are kept: at most so many are wrong, and how sure that is.

Learn-then-test (Angelopoulos et al., 2021) with exact binomial tests (Clopper and Pearson, 1934) in fixed sequence:
thresholds are tried from strict to loose, in an order that no label has a say in, until the first one at which the
errors among the kept answers are too many to rule out that more than ``alpha`` of such answers are wrong. The chance
of promising too much is at most ``delta``. A strict threshold keeps few answers, and one unlucky error among them would
end the sequence; so one sequence starts at a threshold that keeps many, a second one at a stricter, and they share
``delta``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, lgamma, log, log1p

SEQUENCES = ((0.6, 0.7), (0.3, 0.3))
"""For each sequence the share of answers that its first threshold keeps, and its share of ``delta``."""

STEP = 0.05
"""The share of answers by which each threshold keeps more than the one before."""


@dataclass(frozen=True, slots=True)
class Warranty:
    """Keep answers that score at least ``threshold``: at most ``alpha`` of them are wrong, with confidence 1 - delta.

    ``kept`` of the ``labels`` score that much, ``errors`` of those are wrong; ``bound`` is the upper limit of the share
    of errors at this very threshold, at the level that its sequence was tested at.
    """

    threshold: float
    alpha: float
    delta: float
    labels: int
    kept: int
    errors: int
    bound: float

    def __str__(self) -> str:
        """Return the promise in plain words."""
        return (
            f"of the answers I keep ({self.kept / self.labels:.0%}), at most {self.alpha:.0%} are wrong, "
            f"with {1 - self.delta:.0%} confidence"
        )


@dataclass(frozen=True, slots=True)
class NoWarranty:
    """No promise, and why."""

    reason: str

    def __str__(self) -> str:
        """Return it in plain words."""
        return f"cannot be promised: {self.reason}"


def warranty(
    scores: Sequence[float], right: Sequence[bool], alpha: float = 0.1, delta: float = 0.1
) -> Warranty | NoWarranty:
    """Return the loosest threshold that can be promised from these labelled scores, or why there is none.

    Raises ``ValueError`` for lengths that differ, scores that are not finite, or a level outside 0 to 1.
    """
    if len(scores) != len(right):
        raise ValueError(f"{len(scores)} scores for {len(right)} labels")
    if not all(map(isfinite, scores)):
        raise ValueError("a score is not finite")
    if not 0 < alpha < 1 or not 0 < delta < 1:
        raise ValueError("alpha and delta must lie between 0 and 1")
    least = needed(alpha, delta * max(part for _, part in SEQUENCES))
    if len(scores) < least:
        return NoWarranty(f"{len(scores)} labelled answers are too few; it takes at least {least}, all of them right")
    ordered = sorted(scores, reverse=True)
    best: Warranty | None = None
    for first, part in SEQUENCES:
        found = _sequence(scores, right, ordered, first, alpha, delta, part)
        if found is not None and (best is None or found.threshold < best.threshold):
            best = found
    return best or _refusal(scores, right, ordered, alpha, delta)


def _sequence(
    scores: Sequence[float],
    right: Sequence[bool],
    ordered: Sequence[float],
    first: float,
    alpha: float,
    delta: float,
    part: float,
) -> Warranty | None:
    passed: Warranty | None = None
    steps = round((1 - first) / STEP)
    for step in range(steps + 1):
        share = min(1.0, first + step * STEP)
        threshold = ordered[max(1, round(share * len(ordered))) - 1]
        kept, errors = _counts(scores, right, threshold)
        if binomial_tail(errors, kept, alpha) > delta * part:
            break
        bound = upper_bound(errors, kept, delta * part)
        passed = Warranty(threshold, alpha, delta, len(scores), kept, errors, bound)
    return passed


def _counts(scores: Sequence[float], right: Sequence[bool], threshold: float) -> tuple[int, int]:
    kept = [bool(r) for score, r in zip(scores, right, strict=True) if score >= threshold]
    return len(kept), len(kept) - sum(kept)


def _refusal(
    scores: Sequence[float], right: Sequence[bool], ordered: Sequence[float], alpha: float, delta: float
) -> NoWarranty:
    strictest = min(first for first, _ in SEQUENCES)
    kept, errors = _counts(scores, right, ordered[max(1, round(strictest * len(ordered))) - 1])
    if errors > alpha * kept:
        return NoWarranty(
            f"even of the surest {kept / len(scores):.0%} of the answers, {errors} of {kept} are wrong, "
            f"which is more than {alpha:.0%}"
        )
    return NoWarranty(
        f"of the surest {kept} answers {errors} are wrong, and that few labels do not rule out "
        f"that more than {alpha:.0%} are, with {1 - delta:.0%} confidence; label more answers"
    )


def needed(alpha: float, delta: float) -> int:
    """Return how many answers, all right, it takes to promise ``alpha`` with confidence ``1 - delta``."""
    n = max(1, int(log(delta) / log1p(-alpha)))
    while (1 - alpha) ** n > delta:
        n += 1
    return n


def binomial_tail(errors: int, n: int, rate: float) -> float:
    """Return the probability of at most ``errors`` in ``n`` trials at ``rate``."""
    if errors >= n:
        return 1.0
    if rate <= 0 or rate >= 1:
        return float(rate <= 0)
    first = lgamma(n + 1)
    total = sum(
        exp(first - lgamma(k + 1) - lgamma(n - k + 1) + k * log(rate) + (n - k) * log1p(-rate))
        for k in range(errors + 1)
    )
    return min(1.0, total)


def upper_bound(errors: int, n: int, delta: float) -> float:
    """Return Clopper and Pearson's upper limit of the rate, with confidence ``1 - delta``; 1 without trials."""
    if errors >= n:
        return 1.0
    low, high = errors / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if binomial_tail(errors, n, middle) > delta:
            low = middle
        else:
            high = middle
    return high
