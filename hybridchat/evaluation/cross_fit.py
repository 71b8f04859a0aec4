"""A calibration of the very answers that are evaluated, without any of them having a say in what is said of it.

For each part of the answers one calibration is fitted on all others, thresholds and all, as ``hybridchat calibrate``
fits it; the part is then replayed with it. That is what a calibration made of as many answers promises for new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hybridchat.errors import InputError
from hybridchat.evaluation.baselines import folds
from hybridchat.evaluation.calibrating import fit_calibration
from hybridchat.evaluation.traces import Trace
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.policy import Policy
from hybridchat.routing.prior import FittedModel, Prior

TENTHS = "tenths"
FAMILIES = "families"

Tell = Callable[[int, int], None]
"""Told how many parts of how many are fitted."""


class CrossFitted:
    """The policy for each trace, with the calibration that was fitted without its part."""

    def __init__(self, priors: Mapping[str, Prior], parts: Mapping[str, str], by: str) -> None:
        self._priors = priors
        self._parts = parts
        self._by = by

    def __str__(self) -> str:
        """Say where the confidence comes from."""
        left_out = "the tenth" if self._by == TENTHS else "the family of questions"
        return f"calibrated on these answers, each without {left_out} that it belongs to"

    def policy_for(self, trace: Trace, price: float) -> Policy:
        """Return the policy that has not seen ``trace``."""
        return GainPolicy(self._priors[self._parts[trace.id]], price=price)


def cross_fitted(
    traces: Sequence[Trace], by: str = TENTHS, tell: Tell = lambda _done, _of: None, base: Prior | None = None
) -> CrossFitted:
    """Fit a calibration for each part of ``traces``: random tenths, or whole families of questions.

    Each begins with ``base`` (the shipped prior), which must not have been fitted on ``traces`` itself.

    Raises ``InputError`` where a part's rest is too little to fit anything on.
    """
    parts = _parts(traces, by)
    names = sorted(set(parts.values()))
    if len(names) < 2:
        raise InputError(
            "all answers belong to one family of questions: nothing would be left to calibrate on",
            hint=f"Use {TENTHS}.",
        )
    priors: dict[str, Prior] = {}
    for done, name in enumerate(names, 1):
        others = [trace for trace in traces if parts[trace.id] != name]
        model = FittedModel(others[0].local.model, others[0].local.digest)
        priors[name] = fit_calibration(others, model, base).prior
        tell(done, len(names))
    return CrossFitted(priors, parts, by)


def _parts(traces: Sequence[Trace], by: str) -> dict[str, str]:
    if by == FAMILIES:
        return {trace.id: trace.family for trace in traces}
    fold = folds([bool(trace.local.right) for trace in traces])
    return {trace.id: str(number) for trace, number in zip(traces, fold, strict=True)}
