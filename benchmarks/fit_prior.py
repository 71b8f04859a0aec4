"""Fit the shipped prior to recorded answers, and say how good it is on families of questions that it was not fitted on.

``python -m benchmarks.fit_prior TRACES... [--first N] [--name TEXT] [--out hybridchat/routing/prior.json]``. The
signals are gathered by the very code that runs live. An answer that was cut off before it said anything right has no
known label and is left out. Each number that is printed is of answers whose whole family of questions had no part in
the weights; the intercept alone is that of all (``hybridchat.evaluation.fitting`` says why).
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from hybridchat.config.settings import Bias
from hybridchat.evaluation.fitting import HeadFit, Sample, Scores, abort_thresholds, is_aborted
from hybridchat.evaluation.honesty import brier, ece
from hybridchat.evaluation.ranking import auroc
from hybridchat.evaluation.traces import Trace, read_traces
from hybridchat.routing.calibration import logistic
from hybridchat.routing.gain import PRICES, SCORED, worthwhile_below
from hybridchat.routing.prior import CHECKPOINTS, END, Checkpoint, Head, Prior, Remote, Trigger

LOGPROB_FEATURES = (
    "opening_certainty",
    "opening_logprob",
    "q10",
    "mean",
    "window8",
    "cusum",
    "mean_entropy",
    "hedges",
    "repairs",
    "repetition",
)
"""Left out: what grows with an answer's length alone (its length, its least likely token, its highest entropy), and
what added nothing beside these (other quantiles, the wider window, the first two tokens)."""

TEXT_FEATURES = ("hedges", "repairs", "repetition")
"""What is read where there are no logprobs. How the question looks is left out: it did worse than a coin on families of
questions that were held out."""

TRIGGERS = ("refusal", "loop", "empty", "broken_json")
UNANSWERABLE = {"nonsense", "future"}
"""Families in which an answer is right that declines: that says nothing about answers that decline elsewhere."""


def blank(features: Sequence[str], sample: Sample) -> Head:
    """Return a head that knows nothing, with the features' means and spreads."""
    columns = [
        [signals[name] for answer in sample.signals for signals in answer.values() if name in signals]
        for name in features
    ]
    means = [sum(column) / max(1, len(column)) for column in columns]
    scales = [
        max(1e-6, (sum((v - mean) ** 2 for v in column) / max(1, len(column))) ** 0.5)
        for column, mean in zip(columns, means, strict=True)
    ]
    return Head(
        tuple(features),
        tuple(float(f"{v:.6g}") for v in means),
        tuple(float(f"{v:.6g}") for v in scales),
        {name: Checkpoint(0.0, (0.0,) * len(features)) for name in (*map(str, CHECKPOINTS), END)},
    )


def fit_head(name: str, features: Sequence[str], sample: Sample, *, aborts: bool) -> tuple[Head, Scores]:
    """Fit a head, print how it does, and return it with the probabilities for families that were held out."""
    fitted = HeadFit(blank(features, sample), sample)
    held_out: Scores = [{c: logistic(score) for c, score in answer.items()} for answer in fitted.held_out_scores]
    thresholds = abort_thresholds(held_out, sample.right, SCORED) if aborts else {}
    print(f"\n{name}: {len(sample)} answers, {sum(sample.right)} right; whole families held out")
    print(
        "AUROC of the answers that go on after so many tokens, and of all (those that are over with their last number)"
    )
    columns = ("right", "AUROC", "of all", "Brier", "base", "ECE", "abort below")
    print(f"{'tokens':>6} {'n':>5} {columns[0]:>5}", *(f"{column:>6}" for column in columns[1:]))
    checkpoints = {}
    for checkpoint, one in fitted.score.checkpoints.items():
        members = [i for i, answer in enumerate(held_out) if checkpoint in answer]
        right = [sample.right[i] for i in members]
        scores = [held_out[i][checkpoint] for i in members]
        share, area = sum(right) / max(1, len(right)), auroc(scores, right)
        everyone = auroc([known_at(answer, checkpoint) for answer in held_out], sample.right)
        print(
            f"{checkpoint:>6} {len(members):>5} {sum(right):>5} {_shown(area)} {_shown(everyone)}"
            f" {brier(scores, right):>6.3f} {share * (1 - share):>6.3f}"
            f" {ece(scores, right, bins=10):>6.3f} {_shown(thresholds.get(checkpoint))}"
        )
        checkpoints[checkpoint] = Checkpoint(
            round(one.intercept, 4),
            tuple(round(weight, 4) for weight in one.weights),
            len(members),
            None if area is None else round(area, 3),
            thresholds.get(checkpoint),
        )
    return msgspec.structs.replace(fitted.score, checkpoints=checkpoints), held_out


def known_at(answer: Mapping[str, float], checkpoint: str) -> float:
    """Return what is known of an answer at a checkpoint: where it is over by then, what was known at its end."""
    return answer.get(checkpoint, answer[END])


def _shown(value: float | None) -> str:
    return f"{'-' if value is None else f'{value:.3f}':>6}"


def report_policy(held_out: Scores, right: Sequence[bool], head: Head, remote: Remote) -> None:
    """Print what each bias would do with the held-out probabilities."""
    print(
        f"\n{'bias':>9} {'below':>6} {'false aborts':>13} {'aborted wrong':>14} {'by token 32':>12}"
        f" {'kept':>6} {'kept right':>11}"
    )
    limits = {name: one.abort_below for name, one in head.checkpoints.items() if one.abort_below is not None}
    for bias in Bias:
        below = worthwhile_below(PRICES[bias], remote)
        thresholds = {name: min(limit, below) for name, limit in limits.items()}
        early = {name: limit for name, limit in thresholds.items() if int(name) <= 32}
        good = [answer for answer, ok in zip(held_out, right, strict=True) if ok]
        bad = [answer for answer, ok in zip(held_out, right, strict=True) if not ok]
        kept = [
            ok
            for answer, ok in zip(held_out, right, strict=True)
            if not is_aborted(answer, thresholds) and answer[END] >= below
        ]
        escalated = len(right) - len(kept)
        print(
            f"{bias:>9} {below:>6.2f} {sum(is_aborted(one, thresholds) for one in good) / max(1, len(good)):>13.3f}"
            f" {sum(is_aborted(one, thresholds) for one in bad) / max(1, len(bad)):>14.3f}"
            f" {sum(is_aborted(one, early) for one in (*good, *bad)) / max(1, escalated):>12.3f}"
            f" {len(kept) / len(right):>6.3f} {sum(kept) / max(1, len(kept)):>11.3f}"
        )


def measure_remote(traces: Sequence[Trace]) -> Remote:
    """Return how often the remote model was right given the local outcome, and print on how many questions."""
    pairs = [(t.local.right, t.remote.right) for t in traces if t.remote is not None and t.remote.right is not None]
    shares = []
    for outcome in (True, False):
        theirs = [there for here, there in pairs if here is outcome]
        shares.append(round((sum(theirs) + 1) / (len(theirs) + 2), 3))
        print(f"remote right: {sum(theirs)} of {len(theirs)} where the local one was {'right' if outcome else 'wrong'}")
    return Remote(shares[0], shares[1])


def measure_triggers(traces: Sequence[Trace], sample: Sample) -> dict[str, Trigger]:
    """Return the share of right answers among those that show each sign, drawn to 5% where there are few."""
    triggers = {}
    for name in TRIGGERS:
        shown = [
            ok
            for trace, answer, ok in zip(traces, sample.signals, sample.right, strict=True)
            if answer[END].get(name) and trace.family not in UNANSWERABLE
        ]
        triggers[name] = Trigger(round((sum(shown) + 0.5) / (len(shown) + 10), 3), len(shown), sum(shown))
    return triggers


def main() -> None:
    """Fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path, nargs="+")
    parser.add_argument(
        "--first", type=int, help="only so many answers of the first file, to try the prior on the rest"
    )
    parser.add_argument("--name", default="recorded answers", help="what the answers are")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    first, *others = map(read_traces, options.traces)
    recorded = [*first[: options.first], *(trace for traces in others for trace in traces)]
    traces = [trace for trace in recorded if trace.local.right is not None]
    cut = len(recorded) - len(traces)
    print(f"{len(recorded)} answers; {cut} were cut off before they said anything right: left out")
    remote = measure_remote(traces)
    sample = Sample.of(traces, logprobs=True)
    head, held_out = fit_head("logprobs", LOGPROB_FEATURES, sample, aborts=True)
    report_policy(held_out, sample.right, head, remote)
    text_head, _ = fit_head("text", TEXT_FEATURES, Sample.of(traces, logprobs=False), aborts=False)
    prior = Prior(
        options.name,
        dt.datetime.now(tz=dt.UTC).date().isoformat(),
        len(traces),
        sum(sample.right),
        head,
        text_head,
        remote,
        measure_triggers(traces, sample),
    )
    print({name: msgspec.to_builtins(trigger) for name, trigger in prior.triggers.items()})
    if options.out:
        options.out.write_bytes(msgspec.json.format(msgspec.json.encode(prior), indent=1) + b"\n")


if __name__ == "__main__":
    main()
