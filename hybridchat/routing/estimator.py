"""From signals to the probability that the local answer is right."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, log
from operator import mul

from hybridchat.messages import Confidence
from hybridchat.routing.calibration import logistic
from hybridchat.routing.prior import END, Checkpoint, Head, Prior, Remote

SURENESS = "sureness"
"""The logit of the confidence, as a feature of the remote model's chance."""

_FAR = 1e-3

FARTHEST = 4.0
"""Standard deviations from the mean at which a feature is cut off: no single odd number may decide."""


class Estimator:
    """Reads a confidence from signals, by logprobs where there are any, else by text alone.

    A calibration counts only for what it was made with: where the server gives another number of alternatives than it
    did then, ``otherwise`` (the shipped prior) is read instead.
    """

    def __init__(self, prior: Prior, otherwise: Prior | None = None) -> None:
        self._prior = prior
        self._otherwise = otherwise or prior

    def confidence(self, signals: Mapping[str, float], checkpoint: str = END) -> Confidence:
        """Return the confidence at ``checkpoint`` (a number of tokens, or ``end``) given the signals so far.

        A sign that all but decides (``Prior.triggers``) bounds it from above.
        """
        head, basis = self.head(signals)
        value = probability(head, checkpoint, signals)
        for name, trigger in self._prior.triggers.items():
            if signals.get(name):
                value = min(value, trigger.confidence)
        return Confidence(value, calibrated=head.calibrated, basis=basis)

    def head(self, signals: Mapping[str, float]) -> tuple[Head, str]:
        """Return the model that fits the signals at hand, and what it reads: ``logprobs`` or ``text``."""
        if "mean" not in signals:
            return self._prior.text, "text"
        top_k = self._prior.model.top_k if self._prior.model else 0
        prior = self._prior if top_k in {0, signals.get("alternatives", 0)} else self._otherwise
        return prior.logprobs, "logprobs"

    def abort_below(self, signals: Mapping[str, float], checkpoint: str) -> float | None:
        """Return the confidence below which the answer may be set aside at ``checkpoint``; None for never."""
        return at(self.head(signals)[0], checkpoint).abort_below


def remote_given(remote: Remote, signals: Mapping[str, float], confidence: float) -> Remote:
    """Return what is to be expected of the remote model on this very question, given the confidence in the local one.

    Where it was never measured what the chance depends on, it is the same for all questions.
    """
    if remote.where_wrong is None:
        return remote
    chance = probability(remote.where_wrong, END, {**signals, SURENESS: sureness(confidence)})
    return Remote(remote.if_local_right, chance)


def sureness(confidence: float) -> float:
    """Return the logit of a confidence, which is kept off 0 and 1."""
    inside = min(1 - _FAR, max(_FAR, confidence))
    return log(inside / (1 - inside))


def at(head: Head, checkpoint: str) -> Checkpoint:
    """Return a head's coefficients at ``checkpoint``; those of the end where it has none of its own."""
    return head.checkpoints.get(checkpoint) or head.checkpoints[END]


def probability(head: Head, checkpoint: str, signals: Mapping[str, float]) -> float:
    """Evaluate a head: the probability that belongs to the weighted, standardised features."""
    calibration = at(head, checkpoint).calibration
    score = logit(head, checkpoint, signals)
    return logistic(score) if calibration is None else calibration.probability(score)


def logit(head: Head, checkpoint: str, signals: Mapping[str, float]) -> float:
    """Return the weighted sum of the standardised features at ``checkpoint``."""
    coefficients = at(head, checkpoint)
    standardised = standardise(head.features, head.means, head.scales, signals)
    return coefficients.intercept + float(sum(map(mul, coefficients.weights, standardised)))


def standardise(
    features: tuple[str, ...], means: tuple[float, ...], scales: tuple[float, ...], signals: Mapping[str, float]
) -> list[float]:
    """Return the features as standard deviations from their means; a missing one counts as its mean."""
    values: list[float] = []
    for name, mean, scale in zip(features, means, scales, strict=True):
        value = signals.get(name)
        deviation = 0.0 if value is None or not isfinite(value) else (value - mean) / scale
        values.append(max(-FARTHEST, min(FARTHEST, deviation)))
    return values
