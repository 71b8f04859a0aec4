"""Makes the tables of docs/routing.md, in Markdown.

``python -m benchmarks.routing_tables [--traces FILE] [--pairs DIR] [--resamples 1000] [--repeats 20]``: ``--traces``
those on recorded turns with logprobs (``benchmarks.record_pair`` records them), ``--pairs`` those on paired outcomes
without logprobs (``benchmarks.pairs_data`` has the format; takes minutes).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.pairs_data import Task, read_tasks
from benchmarks.pairs_protocol import METRICS, Report, Runs, cross_validated, known, report
from benchmarks.pairs_warranty import honesty, kept, scores
from hybridchat.config.settings import Bias
from hybridchat.errors import HybridChatError
from hybridchat.evaluation.bootstrap import Interval
from hybridchat.evaluation.cross_fit import FAMILIES, TENTHS, cross_fitted
from hybridchat.evaluation.estimates import Estimate
from hybridchat.evaluation.evaluating import Subject, evaluate
from hybridchat.evaluation.report import Estimates
from hybridchat.evaluation.report import Report as Evaluation
from hybridchat.evaluation.traces import Trace, read_traces
from hybridchat.routing.gain import GainPolicy

ROUTING = ("apgr", "cpt50", "cpt80", "aiq", "saved95", "saved98", "saved99", "saved100", "auroc_wrong", "auroc_gain")
HONEST = ("auarc", "aurc", "ece", "brier", "log_loss")
RESULT = ("calls", "quality", "of_remote", "pgr", "random", "oracle", "regret", "regret_share")
TIMING = ("by_32", "bail_outs", "false_aborts", "shown", "shown_90", "one_pass")
NAMES = {
    "apgr": "APGR",
    "cpt50": "CPT50",
    "cpt80": "CPT80",
    "aiq": "AIQ",
    **{f"saved{percent}": f"saved {percent}%" for percent in (95, 98, 99, 100)},
    "auroc": "AUROC",
    "auroc_wrong": "AUROC wrong",
    "auroc_gain": "gain",
    "auarc": "AUARC",
    "aurc": "AURC",
    "ece": "ECE",
    "ideal_ece": "if honest",
    "brier": "Brier",
    "log_loss": "log-loss",
    "quality": "right",
    "of_remote": "of remote",
    "pgr": "PGR",
    "regret_share": "of the gap",
    "by_32": "by token 32",
    "bail_outs": "cut short",
    "false_aborts": "false aborts",
    "shown": "tokens shown",
    "shown_90": "90%",
    "one_pass": "one pass",
}
LABELS, SPLITS = 200, 200


def main(arguments: list[str] | None = None) -> int:
    """Print the tables and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing_tables", description=__doc__)
    parser.add_argument("--traces", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args(arguments)
    try:
        if options.traces:
            print("\n".join(of_traces(read_traces(options.traces), options.resamples)))
        if options.pairs:
            print("\n".join(of_pairs(read_tasks(options.pairs), options.repeats, options.resamples)))
    except HybridChatError as error:
        print(f"{error.message}\n{error.hint}".strip(), file=sys.stderr)
        return error.exit_code
    return 0


def of_traces(traces: Sequence[Trace], resamples: int) -> Iterator[str]:
    """Yield the tables on recorded turns: calibrated without each tenth, without each family, and not at all."""
    by_tenths, by_families = cross_fitted(traces, TENTHS), cross_fitted(traces, FAMILIES)
    subjects = {
        "calibrated, questions of known kinds": Subject(by_tenths.policy_for, str(by_tenths)),
        "calibrated, questions of new kinds": Subject(by_families.policy_for, str(by_families)),
        "shipped prior": Subject(lambda _, price: GainPolicy(price=price), "the shipped prior"),
    }
    found = {name: evaluate(traces, subject, (), resamples) for name, subject in subjects.items()}
    first = next(iter(found.values()))
    source = first.source
    yield (
        f"{source.traces} questions ({source.short} short answers, {source.long} long), {source.labelled} graded; "
        f"local {' '.join(source.local_models)} {source.local_right:.1%}, remote {' '.join(source.remote_models)} "
        f"{source.remote_right:.1%}; gain {source.gain:.1%}, loss {source.loss:.1%}, both wrong {source.both_wrong:.1%}"
    )
    fixed = [name for name in first.rows if name not in ("confidence", "policy")]
    rows = {name: first.rows[name] for name in fixed}
    for name, one in found.items():
        rows |= {f"{row}, {name}": one.rows[row] for row in ("confidence", "policy")}
    yield from ["", "### What routing buys", "", *table(rows, ROUTING), "", "### How honest", "", *table(rows, HONEST)]
    for name, one in found.items():
        yield from ["", f"### Confidence: {name}", ""]
        yield from table(one.confidence, ("auroc", *HONEST, "ideal_ece"))
        yield from ["", f"### Decisions: {name}", "", *table(one.decisions, RESULT), ""]
        yield from table({k: v for k, v in one.decisions.items() if k in {*map(str, Bias), "98%"}}, TIMING)
        yield from ["", f"### Earliness: {name}", "", *_earliness(one)]
        yield from ["", f"### Budgets: {name}", "", *table(_turned(one.budgets), tuple(one.budgets))]


def _earliness(one: Evaluation) -> Iterator[str]:
    kinds = one.earliness
    columns = tuple(kinds["all"].auroc)
    rows = {f"{kind} ({found.n})": found.auroc for kind, found in kinds.items()}
    rows |= {f"{kind}, of those that go on": found.auroc_unfinished for kind, found in kinds.items()}
    yield from table(rows, columns)
    yield ""
    yield from table({f"{kind}, at 98%": found.timing_98 for kind, found in kinds.items()}, TIMING)


def _turned(budgets: Mapping[str, Estimates]) -> dict[str, Estimates]:
    rows = list(next(iter(budgets.values()), {}))
    return {row: {budget: found[row] for budget, found in budgets.items()} for row in rows}


def table(rows: Mapping[str, Estimates], columns: Sequence[str]) -> Iterator[str]:
    """Yield a table of numbers with their intervals."""
    yield "| | " + " | ".join(NAMES.get(column, column) for column in columns) + " |"
    yield "|---|" + "---|" * len(columns)
    for name, found in rows.items():
        if any(column in found for column in columns):
            cells = (_cell(found.get(column, Estimate()), column) for column in columns)
            yield f"| {name} | " + " | ".join(cells) + " |"


def _cell(one: Estimate, column: str) -> str:
    if one.value is None:
        return "–"
    if column in ("shown", "shown_90"):
        return f"{one.value:.0f}"
    spread = "" if one.low is None or one.high is None or one.low == one.high else f" [{_s(one.low)}, {_s(one.high)}]"
    return _s(one.value, 3) + spread


def of_pairs(tasks: Mapping[str, Task], repeats: int, resamples: int) -> Iterator[str]:
    """Yield the tables on paired outcomes."""
    calibration: list[str] = []
    promises: list[str] = []
    differences: list[str] = []
    for name, task in tasks.items():
        runs = cross_validated(task, repeats)
        found = report(known(task), runs, resamples)
        yield from [f"### {name}, n = {len(task.items)}", "", *_pairs_table(found, found.rows), ""]
        differences += _differences(name, found)
        calibration += _calibration(task, runs)
        promises += _promises(task, runs)
        if any("def " in item.question for item in task.items):
            static = report(known(task), cross_validated(task, repeats, static=True), resamples)
            rows = [row for row in static.rows if row.startswith("text")]
            yield from [f"### {name}, `--static`", "", *_pairs_table(static, rows), ""]
            differences += _differences(f"{name}, `--static`", static)
    yield from ["### Differences in APGR", "", "| task | rows | difference |", "|---|---|---|", *differences, ""]
    yield "| task | score | ECE before | after | a perfect predictor | Brier before | after | AUROC changes by |"
    yield from ["|---|---|---|---|---|---|---|---|", *calibration, ""]
    yield from ["| task | kept | promise broken | no promise |", "|---|---|---|---|", *promises]


def _pairs_table(found: Report, rows: Sequence[str] | Mapping[str, object]) -> Iterator[str]:
    yield "| | " + " | ".join(NAMES[metric] for metric in METRICS) + " |"
    yield "|---|" + "---|" * len(METRICS)
    for row in rows:
        cells = []
        for metric in METRICS:
            value, spread = found.rows[row][metric], found.intervals[row][metric]
            text = "–" if value is None else _s(value, 3 if metric not in METRICS[1:7] else 2)
            with_spread = metric == "apgr" and row != "random" and spread is not None
            cells.append(text + (_spread(spread) if with_spread else ""))
        yield f"| {row} | " + " | ".join(cells) + " |"


def _differences(name: str, found: Report) -> Iterator[str]:
    for pair, apart in found.differences.items():
        pieces = apart["apgr"]
        if pieces is not None:
            yield f"| {name} | {pair} | {pieces[0]:+.3f} [{pieces[1].low:+.3f}, {pieces[1].high:+.3f}] |"


def _calibration(task: Task, runs: Runs) -> Iterator[str]:
    for row, score in scores(task, runs).items():
        h = honesty(task, score, min(LABELS, len(task.items) // 2), SPLITS)
        cells = (h.ece_before, h.ece, h.ideal, h.brier_before, h.brier)
        yield f"| {task.name} | {row} | " + " | ".join(_s(cell, 3) for cell in cells) + f" | {h.auroc_change:+.4f} |"


def _promises(task: Task, runs: Runs) -> Iterator[str]:
    w = kept(task, scores(task, runs)["text+agreement"], min(LABELS, len(task.items) // 2), SPLITS)
    yield f"| {task.name} | {w.saved:.2f} | {w.broken:.1%} | {w.none:.1%} |"


def _spread(spread: Interval | None) -> str:
    return "" if spread is None else f" [{_s(spread.low)}, {_s(spread.high)}]"


def _s(value: float, digits: int = 2) -> str:
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


if __name__ == "__main__":
    raise SystemExit(main())
