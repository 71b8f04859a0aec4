"""Fit the shipped prior to recorded traces, and say how good it is on families of questions that it was not fitted on.

``python -m benchmarks.fit_prior --traces local.jsonl --remote remote.jsonl --out hybridchat/routing/prior.json
[--outside FILE --outside-questions FILE]``. The signals are gathered by the
very code that runs live. An answer that was cut off before it said anything right has no known label and is left out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hybridchat.config.settings import Bias
from hybridchat.evaluation.honesty import brier, ece
from hybridchat.evaluation.logistic import Coefficients, fit
from hybridchat.evaluation.ranking import auroc
from hybridchat.messages import FinishReason, TokenLogprob
from hybridchat.routing.answer_signals import AnswerSignals
from hybridchat.routing.estimator import probability, standardise
from hybridchat.routing.gain import PRICES, SCORED, worthwhile_below
from hybridchat.routing.prior import CHECKPOINTS, END, Checkpoint, Head, Prior, Remote, Trigger

Trace = Mapping[str, Any]
Signals = Mapping[str, float]

LOGPROB_SIGNS = {
    "opening_certainty": 1,
    "opening_logprob": 1,
    "q10": 1,
    "mean": 1,
    "window8": 1,
    "cusum": -1,
    "mean_entropy": -1,
    "hedges": -1,
    "repairs": -1,
    "repetition": -1,
}
"""The features and the sign that each weight must have: doubt in a token, or in words, never raises a confidence.

Left out: what grows with an answer's length alone (its length, its least likely token, its highest entropy), and what
added nothing beside these (other quantiles, the wider window, the first two tokens).
"""

TEXT_SIGNS = {"hedges": -1, "repairs": -1, "repetition": -1}
"""What is read where there are no logprobs. How the question looks is left out: it did worse than a coin on families of
questions that were held out."""

TRIGGERS = ("refusal", "loop", "empty", "broken_json")
PATH = [str(c) for c in CHECKPOINTS if c >= SCORED]
FALSE_ABORTS = 0.05
"""The share of right answers that may be set aside before their end."""


class Samples:
    """The signals of every trace at every checkpoint that it reached."""

    def __init__(self, traces: Sequence[Trace], signs: Mapping[str, int], *, logprobs: bool) -> None:
        self.right = [bool(trace["correct"]) for trace in traces]
        self.families = [trace.get("family", "") for trace in traces]
        self.signals: list[dict[str, Signals]] = [read(trace, logprobs=logprobs) for trace in traces]
        self.features = tuple(signs)
        self.signs = tuple(signs.values())
        columns = [
            [signals[name] for answer in self.signals for signals in answer.values() if name in signals]
            for name in self.features
        ]
        self.means = tuple(sum(column) / max(1, len(column)) for column in columns)
        self.scales = tuple(
            max(1e-6, (sum((v - mean) ** 2 for v in column) / max(1, len(column))) ** 0.5)
            for column, mean in zip(columns, self.means, strict=True)
        )

    def row(self, signals: Signals) -> list[float]:
        """Return standardised features, as the estimator computes them."""
        return standardise(self.features, self.means, self.scales, signals)

    def fit(self, folds: Sequence[str], without: str | None = None) -> dict[str, Coefficients]:
        """Fit all checkpoints, leaving out one of the folds that the answers are in."""
        data: dict[str, tuple[list[list[float]], list[bool]]] = {}
        for index, answer in enumerate(self.signals):
            if folds[index] != without:
                for checkpoint, signals in answer.items():
                    rows, labels = data.setdefault(checkpoint, ([], []))
                    rows.append(self.row(signals))
                    labels.append(self.right[index])
        return fit({name: data[name] for name in (*map(str, CHECKPOINTS), END) if name in data}, self.signs)

    def held_out(self, folds: Sequence[str]) -> list[dict[str, float]]:
        """Return each answer's probabilities by models fitted without its fold."""
        predicted: list[dict[str, float]] = [{} for _ in self.signals]
        for fold in sorted(set(folds)):
            fitted = self.fit(folds, without=fold)
            for index, answer in enumerate(self.signals):
                if folds[index] == fold:
                    predicted[index] = {
                        name: fitted[name].probability(self.row(signals))
                        for name, signals in answer.items()
                        if name in fitted
                    }
        return predicted


def _auroc(scores: Sequence[float], right: Sequence[bool]) -> float:
    """Return the area under the curve; .5 where all are of one class and nothing can be told apart."""
    area = auroc(scores, right)
    return 0.5 if area is None else area


def read(trace: Trace, *, logprobs: bool) -> dict[str, Signals]:
    """Replay a trace; return its signals at each checkpoint and at the end."""
    answer, found, ahead = AnswerSignals(trace.get("question", "")), dict[str, Signals](), list(CHECKPOINTS)
    for token, logprob, top in trace["tokens"]:
        answer.add_text(token)
        if logprobs:
            answer.add_token(TokenLogprob(token, logprob, tuple(top)))
        while ahead and answer.count >= ahead[0]:
            found[str(ahead.pop(0))] = answer.snapshot()
    found[END] = answer.finished(FinishReason.STOP if trace["finish"] == "stop" else FinishReason.LENGTH)
    return found


def aborted(predicted: Mapping[str, float], thresholds: Mapping[str, float]) -> bool:
    """Return whether an answer with these probabilities would be set aside before its end."""
    return any(predicted[c] < thresholds[c] for c in PATH if c in predicted and c in thresholds)


def path_thresholds(predicted: Sequence[Mapping[str, float]], right: Sequence[bool]) -> dict[str, float]:
    """Return thresholds, the same quantile of right answers at each checkpoint, that abort few right ones overall."""
    good = [p for p, is_right in zip(predicted, right, strict=True) if is_right]
    best: dict[str, float] = {}
    for permille in range(1, 200):
        thresholds = {}
        for checkpoint in PATH:
            values = sorted(p[checkpoint] for p in good if checkpoint in p)
            if len(values) >= 20:
                thresholds[checkpoint] = round(values[int(len(values) * permille / 1000)], 4)
        if sum(aborted(p, thresholds) for p in good) > FALSE_ABORTS * len(good):
            break
        best = thresholds
    return best


def build_head(name: str, samples: Samples, *, aborts: bool) -> tuple[Head, list[dict[str, float]]]:
    """Fit a head, print how it does on held-out answers, and return it with the probabilities for held-out families."""
    predicted, fitted = samples.held_out(samples.families), samples.fit(samples.families)
    mixed = samples.held_out([str(index % 10) for index in range(len(samples.right))])
    thresholds = path_thresholds(predicted, samples.right) if aborts else {}
    print(f"\n{name}: {len(samples.right)} answers, {sum(samples.right)} right")
    print("AUROC with whole families held out (AUROC with a tenth held out, families mixed); the rest for families")
    print(f"{'tokens':>6} {'n':>5} {'right':>5} {'AUROC':>14} {'Brier':>6} {'base':>6} {'ECE':>6} {'abort below':>12}")
    checkpoints = {}
    for checkpoint, coefficients in fitted.items():
        members = [i for i, p in enumerate(predicted) if checkpoint in p]
        right = [samples.right[i] for i in members]
        scores = [predicted[i][checkpoint] for i in members]
        share, area = sum(right) / len(right), _auroc(scores, right)
        area_mixed = _auroc([mixed[i][checkpoint] for i in members], right)
        print(
            f"{checkpoint:>6} {len(members):>5} {sum(right):>5} {area:>6.3f} ({area_mixed:.3f})"
            f" {brier(scores, right):>6.3f} {share * (1 - share):>6.3f}"
            f" {ece(scores, right, bins=10):>6.3f} {thresholds.get(checkpoint, float('nan')):>12.3f}"
        )
        checkpoints[checkpoint] = Checkpoint(
            round(coefficients.intercept, 4),
            tuple(round(weight, 4) for weight in coefficients.weights),
            len(members),
            round(area, 3),
            thresholds.get(checkpoint),
        )
    rounded = [tuple(float(f"{v:.6g}") for v in values) for values in (samples.means, samples.scales)]
    return Head(samples.features, rounded[0], rounded[1], checkpoints), predicted


def report_policy(predicted: Sequence[Mapping[str, float]], right: Sequence[bool], head: Head, remote: Remote) -> None:
    """Print what each bias would do with the held-out probabilities."""
    print(
        f"\n{'bias':>9} {'below':>6} {'false aborts':>13} {'aborted wrong':>14} {'by token 32':>12}"
        f" {'kept':>6} {'kept right':>11}"
    )
    for bias in Bias:
        below = worthwhile_below(PRICES[bias], remote)
        thresholds = {c: min(head.checkpoints[c].abort_below or 0.0, below) for c in PATH if c in head.checkpoints}
        good = [p for p, ok in zip(predicted, right, strict=True) if ok]
        bad = [p for p, ok in zip(predicted, right, strict=True) if not ok]
        kept = [ok for p, ok in zip(predicted, right, strict=True) if not aborted(p, thresholds) and p[END] >= below]
        early = {c: t for c, t in thresholds.items() if int(c) <= 32}
        escalated = len(right) - len(kept)
        print(
            f"{bias:>9} {below:>6.2f} {sum(aborted(p, thresholds) for p in good) / max(1, len(good)):>13.3f}"
            f" {sum(aborted(p, thresholds) for p in bad) / max(1, len(bad)):>14.3f}"
            f" {sum(aborted(p, early) for p in (*good, *bad)) / max(1, escalated):>12.3f}"
            f" {len(kept) / len(right):>6.3f} {sum(kept) / max(1, len(kept)):>11.3f}"
        )


def measure_remote(traces: Sequence[Trace], remote: Path | None) -> tuple[Remote, int]:
    """Return how often the remote model was right given the local outcome, and on how many questions."""
    answers = {trace["id"]: trace["correct"] for trace in load(remote)} if remote else {}
    pairs = [(trace["correct"], answers[trace["id"]]) for trace in traces if trace["id"] in answers]
    if not pairs:
        return Remote(0.95, 0.6), 0
    if_right = [theirs for ours, theirs in pairs if ours]
    if_wrong = [theirs for ours, theirs in pairs if not ours]
    shares = [(sum(values) + 1) / (len(values) + 2) for values in (if_right, if_wrong)]
    return Remote(round(shares[0], 3), round(shares[1], 3)), len(pairs)


def measure_triggers(samples: Samples) -> dict[str, Trigger]:
    """Return the share of right answers among those that show each sign, drawn to 5% where there are few."""
    triggers = {}
    for name in TRIGGERS:
        shown = [ok for answer, ok in zip(samples.signals, samples.right, strict=True) if answer[END].get(name)]
        triggers[name] = Trigger(round((sum(shown) + 0.5) / (len(shown) + 10), 3), len(shown), sum(shown))
    return triggers


def load(path: Path) -> list[Trace]:
    """Read a JSON Lines file, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def report_outside(traces: Sequence[Trace], prior: Prior) -> None:
    """Print the prior's AUROC on traces that it was not fitted on."""
    right = [bool(trace["correct"]) for trace in traces]
    print(f"\noutside: {len(right)} answers, {sum(right)} right; not fitted on")
    for head, logprobs in ((prior.logprobs, True), (prior.text, False)):
        signals = [read(trace, logprobs=logprobs) for trace in traces]
        for checkpoint in head.checkpoints:
            members = [i for i, answer in enumerate(signals) if checkpoint in answer]
            scores = [probability(head, checkpoint, signals[i][checkpoint]) for i in members]
            area = _auroc(scores, [right[i] for i in members])
            print(
                f"{'logprobs' if logprobs else 'text':>9} {checkpoint:>4} {len(members):>5}"
                f" AUROC {area:.3f} mean {sum(scores) / len(scores):.3f}"
            )


def main() -> None:
    """Fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument("--remote", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--name", default="")
    parser.add_argument("--outside", type=Path)
    parser.add_argument("--outside-questions", type=Path)
    options = parser.parse_args()
    recorded = load(options.traces)
    traces = [trace for trace in recorded if trace["finish"] == "stop" or trace["correct"]]
    print(
        f"{len(recorded)} answers; {len(recorded) - len(traces)} were cut off before they said anything right: left out"
    )
    remote, pairs = measure_remote(traces, options.remote)
    print(
        f"remote right: {remote.if_local_right} where the local one was,"
        f" {remote.if_local_wrong} where not ({pairs} pairs)"
    )
    with_logprobs = Samples(traces, LOGPROB_SIGNS, logprobs=True)
    head, predicted = build_head("logprobs", with_logprobs, aborts=True)
    report_policy(predicted, with_logprobs.right, head, remote)
    without = Samples(traces, TEXT_SIGNS, logprobs=False)
    text_head, _ = build_head("text", without, aborts=False)
    prior = Prior(
        options.name or options.traces.stem,
        dt.datetime.now(tz=dt.UTC).date().isoformat(),
        len(traces),
        sum(with_logprobs.right),
        head,
        text_head,
        remote,
        measure_triggers(with_logprobs),
    )
    print({name: msgspec.to_builtins(trigger) for name, trigger in prior.triggers.items()})
    if options.outside:
        asked = {item["id"]: item for item in load(options.outside_questions)} if options.outside_questions else {}
        report_outside(
            [{**t, "question": asked.get(t["id"], {}).get("question", "")} for t in load(options.outside)], prior
        )
    if options.out:
        options.out.write_bytes(msgspec.json.format(msgspec.json.encode(prior), indent=1) + b"\n")


if __name__ == "__main__":
    main()
