"""The routers that are compared. All that they know of the test rows is ``Views``: no outcome, no remote answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.pairs_data import Outcome
from benchmarks.pairs_features import Matrix, Vector, Views
from benchmarks.pairs_models import LogisticHead, fit_head
from hybridchat.routing.calibration import calibrate

BASELINE_PENALTY = (1.0,)
"""That of the first measurements: no tuning."""

GAIN_PENALTIES = (30.0, 100.0)
"""For what the remote model does where the local one is wrong: fewer rows to learn from."""

LEARNED = ("length", "baseline-text", "baseline", "text", "text+agreement", "text+agreement+gain")


@dataclass(frozen=True)
class Scored:
    """One router's view of the test rows: the larger the ``escalate``, the sooner to the remote model.

    ``confidence`` is the calibrated probability that the local answer is right.
    """

    escalate: Vector
    confidence: Vector


def score_rows(train: Views, outcomes: Sequence[Outcome], test: Views) -> dict[str, Scored]:
    """Fit every router on the training rows alone and score the test rows."""
    wrong = [not outcome.local for outcome in outcomes]
    matrices = {
        "length": (train.length, test.length),
        "baseline-text": (train.baseline_text, test.baseline_text),
        "baseline": (train.baseline, test.baseline),
        "text": (train.text, test.text),
        "text+agreement": (train.agreement, test.agreement),
    }
    scored: dict[str, Scored] = {}
    for name, (known, new) in matrices.items():
        head = fit_head(known, wrong, BASELINE_PENALTY) if name.startswith("baseline") else fit_head(known, wrong)
        scored[name] = Scored(head.logits(new), _confidence(head, wrong, new))
    doubt = scored["text+agreement"]
    scored["text+agreement+gain"] = Scored(
        expected_gain(1 - doubt.confidence, train.agreement, outcomes, test.agreement), doubt.confidence
    )
    return scored


def expected_gain(p_wrong: Vector, known: Matrix, outcomes: Sequence[Outcome], new: Matrix) -> Vector:
    """Return P(remote right) - P(local right) of the new rows.

    It is ``b * p_wrong + a * (1 - p_wrong) - (1 - p_wrong)``, as in ``hybridchat.routing.gain``. How often the remote
    model is right where the local one is wrong, ``b``, is a logistic head of its own. Where the local one is right, the
    remote one fails so seldom that ``a`` is one number: a head for it lowered every measure.
    """
    failed = [i for i, outcome in enumerate(outcomes) if not outcome.local]
    worked = [outcome.remote for outcome in outcomes if outcome.local]
    a = (sum(worked) + 1) / (len(worked) + 2)
    if not failed:
        return p_wrong * 0.5 - (1 - p_wrong) * (1 - a)
    head = fit_head(known[failed], [outcomes[i].remote for i in failed], GAIN_PENALTIES)
    return p_wrong * head.probabilities(new) - (1 - p_wrong) * (1 - a)


def _confidence(head: LogisticHead, wrong: Sequence[bool], new: Matrix) -> Vector:
    fitted = calibrate([-logit for logit in head.left_out], [not w for w in wrong])
    return np.array([fitted.probability(-logit) for logit in head.logits(new)])
