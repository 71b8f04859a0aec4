"""The shipped prior: what was measured once, on other models and questions than the user's.

``prior.json`` is made by ``benchmarks/fit_prior.py``; each number in it was read from recorded answers.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Self

import msgspec

from hybridchat.errors import BadConfiguration

CHECKPOINTS = (1, 2, 4, 8, 16, 32, 64)
"""Answer tokens after which the confidence is read."""

END = "end"


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The logistic model at one checkpoint.

    ``weights`` belong to the head's features. ``n`` answers reached it; ``auroc`` was measured on families of questions
    that were held out.
    ``abort_below`` is the confidence below which an answer may be set aside here, chosen so that over the whole path
    few right answers are; None where an answer must not be.
    """

    intercept: float
    weights: tuple[float, ...]
    n: int = 0
    auroc: float | None = None
    abort_below: float | None = None


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A logistic model over standardised features, with one set of coefficients for each checkpoint."""

    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    checkpoints: dict[str, Checkpoint]

    def __post_init__(self) -> None:
        widths = {len(self.features), len(self.means), len(self.scales)}
        widths |= {len(checkpoint.weights) for checkpoint in self.checkpoints.values()}
        if len(widths) != 1:
            raise ValueError("features, means, scales and weights must be equally many")
        if END not in self.checkpoints:
            raise ValueError("the checkpoint 'end' is missing")
        if not all(scale > 0 for scale in self.scales):
            raise ValueError("a scale is not positive")


class Remote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the remote model was right, where the local one was right and where it was wrong."""

    if_local_right: float
    if_local_wrong: float


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sign that all but decides, with the confidence left in an answer that shows it.

    ``n`` such answers were measured, ``right`` of them were right; with few, the confidence is mostly an assumption.
    """

    confidence: float
    n: int = 0
    right: int = 0


class Prior(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the estimator and the policy need, and what it was measured on."""

    fitted_on: str
    date: str
    questions: int
    right: int
    logprobs: Head
    text: Head
    remote: Remote
    triggers: dict[str, Trigger]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a prior from JSON; raises ``BadConfiguration``."""
        try:
            return msgspec.json.decode(data, type=cls)
        except msgspec.DecodeError as error:
            raise BadConfiguration(
                f"the routing model cannot be read: {error}", hint="install hybridchat again, or fit the model anew"
            ) from error


@functools.cache
def shipped() -> Prior:
    """Return the prior that comes with the package."""
    return Prior.parse(resources.files(__package__).joinpath("prior.json").read_bytes())
