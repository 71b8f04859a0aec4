"""Fits what is to be expected of the remote model to answers of both models.

How often it is right where the local one is right is one number: it hardly ever fails there. Where the local one is
wrong, much depends on the question: many are too hard for both. With enough such answers a logistic model tells those
apart, from the question and from how sure the local model is.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridchat.evaluation.baselines import logistic_regression
from hybridchat.evaluation.traces import Trace
from hybridchat.routing.estimator import SURENESS, standardise, sureness
from hybridchat.routing.prior import END, Checkpoint, Head, Remote
from hybridchat.routing.question_features import question_features

KNOWN_LABELS = 20
"""What is known of the remote model beforehand counts as much as so many of its answers, for each outcome here."""

APART_FROM = 60
"""Wrong local answers with a graded remote one from which their questions are told apart, if at least ``EACH_CLASS`` of
the remote answers are right and as many wrong."""

EACH_CLASS = 15
RIDGE = 1.0

Judged = tuple[Trace, float]
"""A trace, and the confidence in its local answer by a model that has not seen it."""


def fit_remote(judged: Sequence[Judged], known: Remote) -> tuple[Remote, int]:
    """Return what is to be expected of the remote model, drawn to what is known, and from how many pairs."""
    pairs = [(trace, confidence) for trace, confidence in judged if _paired(trace)]
    if not pairs:
        return known, 0
    shares = []
    for outcome, before in ((True, known.if_local_right), (False, known.if_local_wrong)):
        theirs = [_there(trace) for trace, _ in pairs if trace.local.right is outcome]
        shares.append(round((sum(theirs) + KNOWN_LABELS * before) / (len(theirs) + KNOWN_LABELS), 4))
    wrong = [(trace, confidence) for trace, confidence in pairs if not trace.local.right]
    return Remote(shares[0], shares[1], where_wrong(wrong) or known.where_wrong), len(pairs)


def where_wrong(judged: Sequence[Judged]) -> Head | None:
    """Return the model of the remote one being right on questions that the local one gets wrong; None for too few."""
    right = [_there(trace) for trace, _ in judged]
    if len(right) < APART_FROM or min(sum(right), len(right) - sum(right)) < EACH_CLASS:
        return None
    seen = [{**question_features(trace.question), SURENESS: sureness(confidence)} for trace, confidence in judged]
    features = tuple(name for name in seen[0] if len({row[name] for row in seen}) > 1)
    columns = [[row[name] for row in seen] for name in features]
    means = tuple(sum(column) / len(column) for column in columns)
    scales = tuple(
        (sum((value - mean) ** 2 for value in column) / len(column)) ** 0.5
        for column, mean in zip(columns, means, strict=True)
    )
    rows = [[1.0, *standardise(features, means, scales, row)] for row in seen]
    intercept, *weights = logistic_regression(rows, right, RIDGE)
    return Head(features, means, scales, {END: Checkpoint(intercept, tuple(weights), len(right))})


def _paired(trace: Trace) -> bool:
    return trace.local.right is not None and trace.remote is not None and trace.remote.right is not None


def _there(trace: Trace) -> bool:
    return trace.remote is not None and bool(trace.remote.right)
