"""Calibration and warranty from few labels, over many re-splits.

Each time ``labels`` items are drawn to calibrate on, the others tell what came of it. The scores are left-out ones, so
that no item was in the fit of the head that scores it. Two scores: ``shipped`` is the confidence that the live policy
reads off the text with the prior that comes with the package, which was fitted on other models and questions;
``text+agreement`` is the benchmark's row of that name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from random import Random

from benchmarks.pairs_data import Task
from benchmarks.pairs_protocol import Runs, average, known
from hybridchat.evaluation.bootstrap import quantile
from hybridchat.evaluation.honesty import brier, ece, ideal_ece
from hybridchat.evaluation.ranking import auroc
from hybridchat.messages import FinishReason
from hybridchat.routing.answer_signals import AnswerSignals
from hybridchat.routing.calibration import calibrate, logistic
from hybridchat.routing.estimator import Estimator
from hybridchat.routing.prior import shipped
from hybridchat.routing.warranty import Warranty, warranty


@dataclass(frozen=True)
class Honesty:
    """Means over the re-splits, of one score. ``ideal`` is the ECE of a perfectly calibrated predictor."""

    ece_before: float
    ece: float
    ece_high: float
    ideal: float
    brier_before: float
    brier: float
    auroc_change: float


@dataclass(frozen=True)
class Kept:
    """What became of the warranty over the re-splits, all shares of them but ``saved``.

    ``saved`` is the mean share of other items that are kept, nothing where there was no warranty; ``broken`` the share
    of re-splits in which more of them than promised were wrong; ``reason`` an example of why there was none.
    """

    saved: float
    broken: float
    none: float
    reason: str


def live_logits(task: Task) -> list[float]:
    """Return the logits of the confidence that the live policy reads off each text."""
    estimator = Estimator(shipped())
    logits: list[float] = []
    for item in task.items:
        signals = AnswerSignals(item.question)
        signals.add_text(item.local.text)
        p = min(1 - 1e-6, max(1e-6, estimator.confidence(signals.finished(FinishReason.STOP)).value))
        logits.append(log(p / (1 - p)))
    return logits


def scores(task: Task, runs: Runs) -> dict[str, list[float]]:
    """Return both scores, larger for surer."""
    return {"shipped": live_logits(task), "text+agreement": [-value for value in average(runs, "text+agreement")[0]]}


def splits(n: int, labels: int, count: int, seed: int = 0) -> list[tuple[list[int], list[int]]]:
    """Draw ``count`` splits into ``labels`` items and the rest."""
    random = Random(seed)
    drawn: list[tuple[list[int], list[int]]] = []
    for _ in range(count):
        order = random.sample(range(n), n)
        drawn.append((order[:labels], order[labels:]))
    return drawn


def honesty(task: Task, score: Sequence[float], labels: int, count: int) -> Honesty:
    """Calibrate on ``labels`` items and measure on the rest, ``count`` times."""
    right = [outcome.local for outcome in known(task)]
    rows: list[tuple[float, ...]] = []
    for number, (chosen, rest) in enumerate(splits(len(right), labels, count)):
        fitted = calibrate([score[i] for i in chosen], [right[i] for i in chosen])
        truth = [right[i] for i in rest]
        before = [logistic(score[i]) for i in rest]
        after = [fitted.probability(score[i]) for i in rest]
        change = (auroc(after, truth) or 0.0) - (auroc([score[i] for i in rest], truth) or 0.0)
        rows.append(
            (
                ece(before, truth),
                ece(after, truth),
                ideal_ece(after, seed=number, draws=10),
                brier(before, truth),
                brier(after, truth),
                change,
            )
        )
    mean = [sum(column) / count for column in zip(*rows, strict=True)]
    return Honesty(mean[0], mean[1], quantile([row[1] for row in rows], 0.95), mean[2], mean[3], mean[4], mean[5])


def kept(task: Task, score: Sequence[float], labels: int, count: int, alpha: float = 0.1, delta: float = 0.1) -> Kept:
    """Ask for a warranty on ``labels`` items and hold the rest against it, ``count`` times."""
    right = [outcome.local for outcome in known(task)]
    saved = broken = none = 0.0
    reason = ""
    for chosen, rest in splits(len(right), labels, count):
        found = warranty([score[i] for i in chosen], [right[i] for i in chosen], alpha, delta)
        if not isinstance(found, Warranty):
            none += 1
            reason = reason or found.reason
            continue
        stays = [i for i in rest if score[i] >= found.threshold]
        saved += len(stays) / len(rest)
        broken += sum(not right[i] for i in stays) > alpha * len(stays)
    return Kept(saved / count, broken / count, none / count, reason)
