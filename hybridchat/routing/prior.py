"""What confidence and gain are computed with: the shipped prior, and what ``calibrate`` fitted on the user's own model.

``prior.json`` is made by ``benchmarks/fit_prior.py``; each number in it was read from recorded answers, of other models
and to other questions than the user's. A calibration has the same shape and says which model it belongs to.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Self

import msgspec

from hybridchat.errors import BadConfiguration
from hybridchat.routing.calibration import Calibration

CHECKPOINTS = (1, 2, 4, 8, 16, 32, 64)
"""Answer tokens after which the confidence is read."""

END = "end"


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The logistic model at one checkpoint.

    ``weights`` belong to the head's features. ``n`` answers reached it; ``auroc`` was measured on families of questions
    that were held out.
    ``abort_below`` is the confidence below which an answer may be set aside here, chosen so that over the whole path
    few right answers are; None where an answer must not be. ``calibration`` turns the model's logit into a
    probability where it was fitted on the very model that answers; without it the logistic function does.
    """

    intercept: float
    weights: tuple[float, ...]
    n: int = 0
    auroc: float | None = None
    abort_below: float | None = None
    calibration: Calibration | None = None


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

    @property
    def calibrated(self) -> bool:
        """Whether it was fitted on the model that it belongs to, not on others."""
        return self.checkpoints[END].calibration is not None


class Remote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the remote model was right, where the local one was right and where it was wrong.

    Many questions are too hard for both: ``where_wrong`` tells those, of the ones that the local model gets wrong, that
    the remote one gets right, from the question and the confidence. Without it ``if_local_wrong`` holds for all.
    """

    if_local_right: float
    if_local_wrong: float
    where_wrong: Head | None = None


class FittedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model that a calibration was made with: in another one, the same numbers mean something else.

    ``digest`` and ``quantisation`` are the server's words, None where it has none; ``template`` is a digest of what is
    put before every question; ``top_k`` the number of alternatives a token, 0 without logprobs.
    """

    name: str
    digest: str | None = None
    quantisation: str | None = None
    template: str | None = None
    top_k: int = 0

    def differs(self, live: FittedModel) -> str:
        """Return what the ``live`` model differs in, in words; empty where the calibration holds.

        ``top_k`` is not compared: it is known only once tokens have come, and the estimator looks at it itself.
        """
        if self.name != live.name:
            return f"another model answers ({live.name})"
        if self.digest != live.digest:
            return "the model's digest is another one"
        if None not in (self.quantisation, live.quantisation) and self.quantisation != live.quantisation:
            return f"the model's quantisation is {live.quantisation} now"
        return "" if self.template == live.template else "another system prompt is put before the questions"


class Promise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The warranty of a calibration: the confidence from which it holds (None: none could be given), and its words."""

    threshold: float | None
    words: str


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sign that all but decides, with the confidence left in an answer that shows it.

    ``n`` such answers were measured, ``right`` of them were right; with few, the confidence is mostly an assumption.
    """

    confidence: float
    n: int = 0
    right: int = 0


class Prior(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the estimator and the policy need, and what it was measured on.

    ``model`` is the user's own model that a calibration belongs to, None for the shipped prior; ``pairs`` the answers
    that ``remote`` was measured on beside those of the prior it began with.
    """

    fitted_on: str
    date: str
    questions: int
    right: int
    logprobs: Head
    text: Head
    remote: Remote
    triggers: dict[str, Trigger]
    model: FittedModel | None = None
    pairs: int = 0
    promise: Promise | None = None

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
