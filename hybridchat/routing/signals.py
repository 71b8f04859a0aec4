"""Numbers read off a stream of token logprobs, each in constant time per token.

Notation: ``l`` is the natural logarithm of a token's probability, ``-l`` its surprise in nats, ``v_1 >= v_2 >= ...``
the logprobs of the ``k`` likeliest tokens at its position. All signals are known after every token; reading them
(``snapshot``) costs a walk over 64 bins and is meant for checkpoints.

Sources: first-token margin: Ramírez et al., *Optimising calls to large language models with uncertainty-based two-tier
selection* (2024). First content token's entropy: *The first token knows* (arXiv 2605.05166). Quantiles: Gupta et al.,
*Language model cascades: token-level uncertainty and beyond* (2024). Lowest window: Fu et al., *Deep think with
confidence* (2025), here on ``l`` instead of the top-k mean. CUSUM: Page, *Continuous inspection schemes* (1954), as in
arXiv 2606.12476. Mean and largest entropy: arXiv 2605.28264.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isnan, log, sqrt
from operator import mul

from hybridchat.messages import TokenLogprob
from hybridchat.routing.openers import ContentFilter

FLOOR = -16.0
"""Smallest logprob told apart: e^-16 is one in nine million, and servers print sentinels (-9999, -inf) below."""

BINS = 64
WINDOWS = (8, 16)
OPENING = 4
"""Content tokens at the beginning that are looked at closely: the least sure of them tells more than the first."""

OPENING_WITHIN = 32
"""Tokens up to which the opening counts: how a long answer begins tells little about where it ends."""

ALLOWANCE = 0.5
"""CUSUM's allowance in nats: surprise up to this much a token counts as normal."""

_PER_ROOT = BINS / sqrt(-FLOOR)
_LOG = tuple(log(k) if k > 1 else 1.0 for k in range(65))


class LogprobQuantiles:
    """Quantiles of logprobs from a histogram of fixed size.

    The bins are even in the square root of the surprise: bin ``i`` covers ``-((i+1)/16)**2 < l <= -(i/16)**2``. So
    they are 0.004 nats wide where almost all tokens are, and half a nat wide at the floor.
    """

    __slots__ = ("_counts", "_n")

    def __init__(self) -> None:
        self._counts = [0] * (BINS + 1)
        self._n = 0

    def add(self, logprob: float) -> None:
        """Count a logprob between ``FLOOR`` and 0."""
        self._counts[int(_PER_ROOT * sqrt(-logprob))] += 1
        self._n += 1

    def at(self, shares: Sequence[float]) -> list[float]:
        """Return the quantiles at ascending ``shares``, within a bin's width of the exact ones; 0 without data.

        The quantile at ``share`` is the smallest value with at least ``share * n`` values at or below it; within its
        bin it is interpolated.
        """
        if not self._n:
            return [0.0] * len(shares)
        found: list[float] = []
        below, index = 0, BINS
        for share in shares:
            rank = max(share * self._n, 1.0)
            while below + self._counts[index] < rank:
                below += self._counts[index]
                index -= 1
            inside = (rank - below) / self._counts[index]
            found.append(max(FLOOR, -(((index + 1 - inside) / _PER_ROOT) ** 2)))
        return found


class LowestWindow:
    """The lowest mean of ``width`` consecutive logprobs; of all so far while there are fewer."""

    __slots__ = ("_lowest", "_position", "_ring", "_sum", "_width")

    def __init__(self, width: int) -> None:
        self._width = width
        self._ring = [0.0] * width
        self._position = 0
        self._sum = 0.0
        self._lowest = 0.0

    def add(self, logprob: float) -> None:
        """Move the window on by one token."""
        position = self._position
        slot = position % self._width
        self._sum += logprob - self._ring[slot]
        self._ring[slot] = logprob
        self._position = position + 1
        if position < self._width or self._sum < self._lowest:
            self._lowest = self._sum

    @property
    def mean(self) -> float:
        """The lowest mean, 0 without data."""
        return self._lowest / max(1, min(self._position, self._width))


@dataclass(slots=True)
class _ContentToken:
    certainty: float
    logprob: float
    margin: float


def entropy(top: Sequence[float]) -> float:
    """Return the entropy of the renormalised ``top`` logprobs over ``ln k``: 0 (certain) to 1 (uniform).

    With ``z = sum(e^v)`` and ``h = -sum(e^v * v)`` it is ``(ln z + h/z) / ln k``; 0 for fewer than two tokens.
    """
    k = len(top)
    if k < 2:
        return 0.0
    weights = [exp(v) for v in top]
    z = sum(weights)
    return (log(z) - sum(map(mul, weights, top)) / z) / _LOG[min(k, 64)] if z else 1.0


class SignalAccumulator:
    """Takes in the tokens of one answer (not those of a thinking channel) and knows its signals at any time.

    ``question`` is needed to find the first tokens that say something new: a small model tends to open with the
    question's own words ("The capital of Australia is"), and those say nothing about what it knows.
    """

    def __init__(self, question: str = "") -> None:
        self._content = ContentFilter(question)
        self.n = 0
        self._sum = 0.0
        self._first_two = 0.0
        self._lowest = 0.0
        self.least_sure = ""
        self._cusum = 0.0
        self._cusum_peak = 0.0
        self._entropies = 0
        self._alternatives = 0
        self._entropy_sum = 0.0
        self._entropy_peak = 0.0
        self._opening: list[_ContentToken] = []
        self._quantiles = LogprobQuantiles()
        self._windows = tuple(LowestWindow(width) for width in WINDOWS)

    def add(self, token: TokenLogprob) -> None:
        """Take in the next token.

        One without a usable logprob is a gap and is passed over; so is an empty one, with which some servers report
        the end of the answer and others do not.
        """
        logprob = token.logprob
        if isnan(logprob) or not (token.token or token.raw):
            return
        logprob = min(0.0, max(FLOOR, logprob))
        self.n += 1
        self._sum += logprob
        if self.n <= 2:
            self._first_two += logprob
        if logprob <= self._lowest:
            self._lowest = logprob
            self.least_sure = token.token
        self._cusum = cusum = max(0.0, self._cusum - logprob - ALLOWANCE)
        self._cusum_peak = max(self._cusum_peak, cusum)
        self._quantiles.add(logprob)
        for window in self._windows:
            window.add(logprob)
        top = token.top
        if top:
            if not (top[-1] >= FLOOR and top[0] <= 0.0):
                top = tuple(min(0.0, max(FLOOR, v)) for v in top)
            spread = entropy(top)
            self._alternatives = max(self._alternatives, len(top))
            self._entropies += 1
            self._entropy_sum += spread
            self._entropy_peak = max(self._entropy_peak, spread)
        else:
            spread = 0.0
        if len(self._opening) < OPENING and self._content.passes(token.token):
            margin = exp(top[0]) - exp(top[1]) if len(top) > 1 else exp(logprob)
            self._opening.append(_ContentToken(1.0 - spread if top else exp(logprob), logprob, margin))

    def snapshot(self) -> Mapping[str, float]:
        """Return all signals by name; a larger value means more certainty for all but ``cusum``, entropies and ``n``.

        Signals that are not known are left out: those of the opening until there is content and again in long answers,
        entropies where the server gives no alternatives, everything but ``n`` before the first token.
        """
        n = self.n
        if not n:
            return {"n": 0.0}
        q10, q20, q50 = self._quantiles.at((0.1, 0.2, 0.5))
        signals = {
            "n": float(n),
            "ln_n": log(n),
            "mean": self._sum / n,
            "first_two": self._first_two / min(n, 2),
            "min": self._lowest,
            "q10": q10,
            "q20": q20,
            "q50": q50,
            "cusum": self._cusum_peak,
        }
        for width, window in zip(WINDOWS, self._windows, strict=True):
            signals[f"window{width}"] = window.mean
        signals["content"] = float(len(self._opening))
        if self._opening and n <= OPENING_WITHIN:
            first = self._opening[0]
            signals["first_certainty"] = first.certainty
            signals["first_logprob"] = first.logprob
            signals["first_margin"] = first.margin
            signals["opening_certainty"] = min(token.certainty for token in self._opening)
            signals["opening_logprob"] = min(token.logprob for token in self._opening)
        if self._entropies:
            signals["alternatives"] = float(self._alternatives)
            signals["mean_entropy"] = self._entropy_sum / self._entropies
            signals["max_entropy"] = self._entropy_peak
        return signals
