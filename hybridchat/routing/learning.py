"""What is learned from use: how far the confidence is off for this user's questions, and how careful to be.

Two things move, and nothing else. Platt's two parameters map the confidence to a better one; they are the most likely
ones given the labels and a prior that is worth ``PRIOR_LABELS`` answers. And the threshold follows the errors among the
answers that were kept, as in adaptive conformal inference (Gibbs and Candès, 2021): an error raises it, a success
lowers it a little, so that in the long run the share of errors is the one aimed at. Both are bounded, so that no flood
of wrong signals can do more than the bounds allow. Labels come from both kinds of use, said and done; an answer about
which nothing is known says nothing.

Everything is a function of the labels in their order: whoever replays them learns the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, log

from hybridchat.routing.calibration import logistic

PRIOR_LABELS = 100
"""The prior counts as much as so many labelled answers."""

SLOPES = (0.5, 2.0)
INTERCEPTS = (-1.0, 1.0)
"""The bounds of Platt's parameters: at worst, 50% becomes 27% or 73%."""

AIM = 0.1
"""The share of errors among kept answers that the threshold is led to."""

PACE = 0.02
"""By so much times its weight an error raises the threshold."""

OFFSETS = (-0.1, 0.15)
"""The bounds of what the threshold is moved by: it may become more careful than careless."""

STALE_MARGIN = 0.05
"""By so much the threshold is raised where what was learned belongs to another version of the model."""

QUIET_AT_MOST = 25.0
"""All quiet next turns together weigh no more than so many labelled answers: that someone goes on proves little."""

_PER_LABEL = 0.2  # Fisher's information about the intercept that one labelled answer carries: p(1-p) near .7
_LOGIT_VARIANCE = 2.0  # of confidences, as measured on the shipped prior's answers
_FARTHEST = 6.0  # logits beyond are cut off: one answer must not decide


class Signal(StrEnum):
    """What a user made of a local answer, or what a comparison showed."""

    UP = "up"  # thumbs up
    DOWN = "down"
    ESCALATED = "escalated"  # the user asked the remote model, too
    REGENERATED = "regenerated"  # the user asked the local model again
    QUIET = "quiet"  # the user went on to the next question
    CONFIRMED = "confirmed"  # the remote model, asked without need, says the same
    CONTRADICTED = "contradicted"

    @property
    def right(self) -> bool:
        """Whether it speaks for the answer."""
        return self in {Signal.UP, Signal.QUIET, Signal.CONFIRMED}

    @property
    def weight(self) -> float:
        """How much it counts, beside a thumb."""
        return 0.2 if self is Signal.QUIET else 1.0

    @property
    def replaces(self) -> frozenset[Signal]:
        """The signals about the same answer that this one overrules: what was said counts before what was done."""
        if self in {Signal.UP, Signal.DOWN}:
            return frozenset(Signal)
        return frozenset({Signal.QUIET}) if self is not Signal.QUIET else frozenset()


@dataclass(frozen=True, slots=True)
class Label:
    """What became of an answer: its confidence before anything was learned, whether it was kept, and the signal."""

    score: float
    signal: Signal
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from ``labels``.

    A confidence ``p`` becomes ``logistic(slope * logit(p) + intercept)``; ``offset`` is added to the threshold at the
    end. ``stale``: there are labels, but of another version of the model, so that none of them counts.
    """

    slope: float = 1.0
    intercept: float = 0.0
    offset: float = 0.0
    labels: int = 0
    stale: bool = False

    def applied(self, confidence: float) -> float:
        """Return the confidence in the light of what was learned; no two confidences change their order."""
        if self.slope == 1.0 and self.intercept == 0.0:
            return confidence
        return logistic(self.slope * _logit(confidence) + self.intercept)

    @property
    def threshold_moves_by(self) -> float:
        """What is added to the confidence below which the remote model is asked at the end."""
        return STALE_MARGIN if self.stale else self.offset


NOTHING = Learned()
STALE = Learned(stale=True)


def learn(labels: Sequence[Label]) -> Learned:
    """Return what ``labels``, in the order in which they came, teach."""
    usable = [label for label in labels if isfinite(label.score) and 0 <= label.score <= 1]
    if not usable:
        return NOTHING
    slope, intercept = _most_likely(usable, _weights(usable))
    offset = 0.0
    for label in usable:
        if label.kept:
            moved = offset + PACE * label.signal.weight * (float(not label.signal.right) - AIM)
            offset = _within(moved, OFFSETS)
    return Learned(slope, intercept, offset, len(usable))


def _weights(labels: Sequence[Label]) -> list[float]:
    quiet = sum(label.signal.weight for label in labels if label.signal is Signal.QUIET)
    share = min(1.0, QUIET_AT_MOST / quiet) if quiet else 1.0
    return [label.signal.weight * (share if label.signal is Signal.QUIET else 1.0) for label in labels]


def _most_likely(labels: Sequence[Label], weights: Sequence[float]) -> tuple[float, float]:
    """Return slope and intercept of the largest posterior probability, within their bounds, by Newton's method."""
    precision_b = PRIOR_LABELS * _PER_LABEL
    precision_a = precision_b * _LOGIT_VARIANCE
    points = [
        (_logit(label.score), float(label.signal.right), weight) for label, weight in zip(labels, weights, strict=True)
    ]
    a, b = 1.0, 0.0
    for _ in range(50):
        gradient_a, gradient_b = -precision_a * (a - 1.0), -precision_b * b
        aa, ab, bb = precision_a, 0.0, precision_b
        for x, right, weight in points:
            p = logistic(a * x + b)
            error, information = weight * (right - p), weight * p * (1 - p)
            gradient_a += error * x
            gradient_b += error
            aa += information * x * x
            ab += information * x
            bb += information
        determinant = aa * bb - ab * ab  # positive: the prior's precision is
        step_a = (bb * gradient_a - ab * gradient_b) / determinant
        step_b = (aa * gradient_b - ab * gradient_a) / determinant
        a, b = _within(a + step_a, SLOPES), _within(b + step_b, INTERCEPTS)
        if abs(step_a) + abs(step_b) < 1e-9:
            break
    return a, b


def _logit(p: float) -> float:
    if p <= 0:
        return -_FARTHEST
    return _FARTHEST if p >= 1 else max(-_FARTHEST, min(_FARTHEST, log(p / (1 - p))))


def _within(value: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return max(low, min(high, value))
