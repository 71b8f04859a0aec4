"""Who is fitted on what, and how sure the numbers are.

Within one folder: repeated stratified cross-validation; a number is the mean over the repeats. With a test folder: one
fit on the training folder. Intervals come from resampling the items; each resample takes the scores of one repeat, in
turn, so that they hold the noise of the splits too. They do not hold that of drawing other training questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from benchmarks.pairs_data import Outcome, Task
from benchmarks.pairs_features import Vector, together, views
from benchmarks.pairs_rows import LEARNED, Scored, score_rows
from hybridchat.evaluation.bootstrap import Interval, interval, resamples
from hybridchat.evaluation.honesty import brier, ece
from hybridchat.evaluation.metrics import oracle_scores, random_scores, routing_metrics

METRICS = (
    "apgr", "cpt50", "cpt80", "saved95", "saved98", "saved99", "saved100", "auroc_wrong", "auroc_gain", "ece", "brier",
)  # fmt: skip
FOLDS = 10

COMPARISONS = (
    ("text", "baseline-text"),
    ("text+agreement", "baseline"),
    ("text+agreement+gain", "baseline"),
    ("text+agreement+gain", "text+agreement"),
)
"""The pairs of rows whose difference is told, with an interval."""

Measured = dict[str, float | None]
Runs = Sequence[Mapping[str, Scored]]


@dataclass(frozen=True)
class Report:
    """The metrics of every row, their intervals, and those of the differences between rows."""

    n: int
    rows: Mapping[str, Measured]
    intervals: Mapping[str, Mapping[str, Interval | None]]
    differences: Mapping[str, Mapping[str, tuple[float, Interval] | None]]


def folds(outcomes: Sequence[Outcome], seed: int) -> list[list[int]]:
    """Split the items at random into folds with like shares of each outcome."""
    random = Random(seed)
    order = list(range(len(outcomes)))
    random.shuffle(order)
    order.sort(key=lambda i: (outcomes[i].local, outcomes[i].remote))
    count = max(2, min(FOLDS, len(outcomes)))
    return [order[start::count] for start in range(count)]


def cross_validated(task: Task, repeats: int, *, static: bool = False) -> list[dict[str, Scored]]:
    """Score every item by routers fitted on the other folds, once a repeat."""
    outcomes, seen = known(task), views(task.items, static=static)
    n = len(task.items)
    runs: list[dict[str, Scored]] = []
    for repeat in range(repeats):
        run = {row: Scored(np.zeros(n), np.zeros(n)) for row in LEARNED}
        for test in folds(outcomes, repeat):
            train = sorted(set(range(n)) - set(test))
            for row, scored in score_rows(seen.rows(train), [outcomes[i] for i in train], seen.rows(test)).items():
                run[row].escalate[test] = scored.escalate
                run[row].confidence[test] = scored.confidence
        runs.append(run)
    return runs


def transferred(train: Task, test: Task, *, static: bool = False) -> list[dict[str, Scored]]:
    """Score the items of ``test`` by routers fitted on ``train``; the outcomes of ``test`` are not looked at."""
    learnt, new = together(train.items, test.items, static=static)
    return [score_rows(learnt, known(train), new)]


def known(task: Task) -> tuple[Outcome, ...]:
    """Return the outcomes; raises ``ValueError`` without them."""
    if task.outcomes is None:
        raise ValueError(f"{task.name} has no outcomes")
    return task.outcomes


def report(outcomes: Sequence[Outcome], runs: Runs, count: int) -> Report:
    """Measure the rows over all runs, with intervals from ``count`` resamples."""
    measured = [measure(outcomes, run) for run in runs]
    rows = {row: {name: _mean([m[row][name] for m in measured]) for name in METRICS} for row in measured[0]}
    drawn = [
        measure([outcomes[i] for i in chosen], _taken(runs[number % len(runs)], chosen))
        for number, chosen in enumerate(resamples(len(outcomes), count))
    ]
    return Report(
        len(outcomes),
        rows,
        {row: {name: interval([m[row][name] for m in drawn]) for name in METRICS} for row in rows},
        {f"{one} - {other}": _differences(rows, drawn, one, other) for one, other in COMPARISONS},
    )


def measure(outcomes: Sequence[Outcome], run: Mapping[str, Scored]) -> dict[str, Measured]:
    """Measure every row of one run, and beside them the random router and the oracle."""
    local, remote = [outcome.local for outcome in outcomes], [outcome.remote for outcome in outcomes]
    base = sum(local) / len(local)
    rows = {
        "random": _measured(random_scores(len(local)), [base] * len(local), local, remote),
        "oracle": _measured(oracle_scores(local, remote), None, local, remote),
    }
    for row, scored in run.items():
        rows[row] = _measured(scored.escalate.tolist(), scored.confidence.tolist(), local, remote)
    return rows


def _measured(
    escalate: Sequence[float], confidence: Sequence[float] | None, local: Sequence[bool], remote: Sequence[bool]
) -> Measured:
    found = routing_metrics(escalate, local, remote)
    found["ece"] = None if confidence is None else ece(confidence, local)
    found["brier"] = None if confidence is None else brier(confidence, local)
    return {name: found[name] for name in METRICS}


def _taken(run: Mapping[str, Scored], chosen: Sequence[int]) -> dict[str, Scored]:
    indices = np.asarray(chosen, dtype=np.intp)
    return {row: Scored(scored.escalate[indices], scored.confidence[indices]) for row, scored in run.items()}


def _differences(
    rows: Mapping[str, Measured], drawn: Sequence[Mapping[str, Measured]], one: str, other: str
) -> dict[str, tuple[float, Interval] | None]:
    found: dict[str, tuple[float, Interval] | None] = {}
    for name in METRICS:
        apart = minus(rows[one][name], rows[other][name])
        spread = interval([minus(m[one][name], m[other][name]) for m in drawn])
        found[name] = None if apart is None or spread is None else (apart, spread)
    return found


def minus(one: float | None, other: float | None) -> float | None:
    """Return the difference, None where a side is not defined."""
    return None if one is None or other is None else one - other


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if len(defined) == len(values) else None


def average(runs: Runs, row: str) -> tuple[Vector, Vector]:
    """Return a row's scores and confidences, averaged over the runs."""
    return (
        np.mean([run[row].escalate for run in runs], axis=0),
        np.mean([run[row].confidence for run in runs], axis=0),
    )
