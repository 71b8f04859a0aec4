"""What an evaluation reports. The JSON of ``hybridchat evaluate --json`` is this, field by field.

``docs/evaluation.schema.json`` is its schema. A number that is not defined is null, and ``undefined`` says why. Within
version 1 fields may be added; none is renamed, removed or given another meaning.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec

from hybridchat.evaluation.estimates import Estimate

VERSION = 1

Estimates = dict[str, Estimate]
Point = tuple[float, float]


class Source(msgspec.Struct, frozen=True):
    """What was replayed.

    ``labelled`` traces say whether the local answer is right, ``paired`` ones say it of the remote answer too; the
    shares are those of the paired traces, or of the labelled ones where there is no pair. ``gain`` is the share of
    questions that only the remote model answers rightly, ``loss`` that of those that only the local one does.
    """

    files: list[str]
    traces: int
    labelled: int
    paired: int
    with_logprobs: int
    short: int
    long: int
    local_models: list[str]
    remote_models: list[str]
    local_right: float | None
    remote_right: float | None
    gain: float | None
    loss: float | None
    both_wrong: float | None


class Setting(msgspec.Struct, frozen=True):
    """How the policy was set; ``confidence`` says what its probabilities were fitted on."""

    bias: str
    min_confidence: float | None
    confidence: str
    resamples: int


class Bin(msgspec.Struct, frozen=True):
    """Answers of similar confidence: how many, how sure on average, how often right."""

    count: int
    confidence: float
    accuracy: float


class Earliness(msgspec.Struct, frozen=True):
    """How early things are known, for one kind of answer.

    ``auroc`` is that of finding wrong answers after so many tokens, where an answer that is over by then counts with
    all that is known of it; ``auroc_unfinished`` leaves such answers out, and ``unfinished`` counts the others.
    ``timing`` is when the policy decided as it is set, ``timing_98`` when it does at the price that reaches 98% of the
    remote model's quality (see ``decisions``).
    """

    n: int
    auroc: Estimates
    auroc_unfinished: Estimates
    unfinished: dict[str, int]
    timing: Estimates
    timing_98: Estimates


class Report(msgspec.Struct, frozen=True):
    """Everything that was measured.

    ``confidence``: by kind of answer (``all``, ``short``, ``long``), how well the final confidence ranks and whether it
    means what it says; ``ideal_ece`` is the ECE that a perfectly honest predictor of these probabilities would show.
    ``reliability`` and ``risk_coverage`` (coverage, share of errors) are of all labelled answers.
    ``rows``: what routing by different scores buys. ``curves``: for each row, (share of remote calls, quality).
    ``decisions``: what the policy does at each bias, at the price that reaches 98% of the remote model's quality
    (``98%``: chosen for each tenth of the questions on the other nine), and the two policies that always do the same.
    ``budgets``: the quality at equal shares of remote calls, by row, and the ``regret`` of the policy against the
    oracle.
    """

    version: int
    source: Source
    setting: Setting
    confidence: dict[str, Estimates]
    reliability: list[Bin]
    risk_coverage: list[Point]
    rows: dict[str, Estimates]
    curves: dict[str, list[Point]]
    decisions: dict[str, Estimates]
    budgets: dict[str, Estimates]
    earliness: dict[str, Earliness]
    undefined: list[str]


def encoded(report: Report) -> str:
    """Return a report as one line of JSON."""
    return msgspec.json.encode(report).decode()


def schema() -> dict[str, Any]:
    """Return the JSON schema of a report, the docstrings above as its descriptions."""
    found = msgspec.json.schema(Report)
    for definition in found["$defs"].values():
        definition["description"] = cleandoc(definition["description"])
    return found
