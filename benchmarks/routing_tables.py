"""Makes the tables of docs/routing.md, in Markdown.

``python -m benchmarks.routing_tables [--traces FILE] [--base PRIOR] [--pairs DIR] [--into docs/routing.md]
[--resamples 1000] [--repeats 20]``: ``--traces`` those on recorded turns with logprobs (``benchmarks.record_pair``
records them), ``--pairs`` those on paired outcomes without logprobs (``benchmarks.pairs_data`` has the format; takes
minutes). ``--into`` puts them into the page, between its marks, instead of printing them. ``--base`` is the prior that
is measured and that calibrations begin with, where the shipped one was fitted on these very turns.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.pairs_data import Task, read_tasks
from benchmarks.pairs_protocol import METRICS, Report, Runs, cross_validated, known, report
from benchmarks.pairs_warranty import honesty, kept, scores
from hybridchat.errors import HybridChatError, InputError
from hybridchat.evaluation.bootstrap import Interval
from hybridchat.evaluation.cross_fit import FAMILIES, TENTHS, cross_fitted
from hybridchat.evaluation.estimates import Estimate
from hybridchat.evaluation.evaluating import Subject, evaluate
from hybridchat.evaluation.report import Estimates
from hybridchat.evaluation.report import Report as Evaluation
from hybridchat.evaluation.traces import Trace, read_traces
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.prior import Prior, shipped

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
BARE = frozenset(("cpt50", "cpt80", "saved95", "saved99", "auarc", "aurc", "log_loss", "random", "oracle", "pgr"))
"""Columns whose intervals are left out, so that a table can be read."""

LABELS, SPLITS = 200, 200


def main(arguments: list[str] | None = None) -> int:
    """Make the tables and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing_tables", description=__doc__)
    parser.add_argument("--traces", type=Path)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--into", type=Path)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args(arguments)
    made: dict[str, str] = {}
    try:
        if options.traces:
            base = Prior.parse(options.base.read_bytes()) if options.base else shipped()
            made["traces"] = "\n".join(of_traces(read_traces(options.traces), options.resamples, base))
        if options.pairs:
            made["pairs"] = "\n".join(of_pairs(read_tasks(options.pairs), options.repeats, options.resamples))
    except HybridChatError as error:
        print(f"{error.message}\n{error.hint}".strip(), file=sys.stderr)
        return error.exit_code
    if options.into:
        page = options.into.read_text(encoding="utf-8")
        for name, tables in made.items():
            page = between_marks(page, name, tables)
        options.into.write_text(page, encoding="utf-8")
    else:
        print("\n\n".join(made.values()))
    return 0


def between_marks(page: str, name: str, tables: str) -> str:
    """Return the page with ``tables`` between its two marks of this name."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise InputError(f"the page has no place for the tables of {name}", hint=f"Write {begin} and {end} into it.")
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


def of_traces(traces: Sequence[Trace], resamples: int, base: Prior) -> Iterator[str]:
    """Yield the tables on recorded turns: calibrated without each tenth, without each family, and not at all."""
    by_tenths, by_families = (cross_fitted(traces, by, base=base) for by in (TENTHS, FAMILIES))
    subjects = {
        "calibrated": Subject(by_tenths.policy_for, str(by_tenths)),
        "calibrated, new kinds": Subject(by_families.policy_for, str(by_families)),
        "prior": Subject(lambda _, price: GainPolicy(base, price=price), "the prior"),
    }
    found = {name: evaluate(traces, subject, (), resamples) for name, subject in subjects.items()}
    main = found["calibrated"]
    yield from [*_facts(main), "", *_bought(found), "", *_honest(found), ""]
    yield from ["**What the policy does**, calibrated", "", *table(main.decisions, RESULT), ""]
    asking = {name: one for name, one in main.decisions.items() if not name.startswith("always")}
    yield from [*table(asking, TIMING), "", "**Right answers at equal budgets**, calibrated", ""]
    yield from [*table(_turned(main.budgets), tuple(main.budgets)), "", *_early(found), "", *_aims(found)]


def _facts(one: Evaluation) -> Iterator[str]:
    source = one.source
    yield (
        f"{source.traces} questions ({source.short} short, {source.long} long answers), {source.labelled} graded; "
        f"intervals from {one.setting.resamples} resamples."
    )
    yield (
        f"Right: {', '.join(source.local_models)} {_share(source.local_right)}, {', '.join(source.remote_models)} "
        f"{_share(source.remote_right)}; only the remote one {_share(source.gain)}, only the local one "
        f"{_share(source.loss)}, none {_share(source.both_wrong)}."
    )


def _bought(found: Mapping[str, Evaluation]) -> Iterator[str]:
    rows = {name: row for name, row in found["calibrated"].rows.items() if name not in ("confidence", "policy")}
    for name, one in found.items():
        rows |= {f"{row}, {name}": one.rows[row] for row in ("confidence", "policy") if row in one.rows}
    yield from ["**What routing buys**", "", *table(rows, ROUTING)]


def _honest(found: Mapping[str, Evaluation]) -> Iterator[str]:
    yield from ["**How good the confidence in a finished answer is**", ""]
    fitted = {name: row for name, row in found["calibrated"].rows.items() if name.endswith("-only") and "ece" in row}
    rows: dict[str, Estimates] = {name: {"auroc": row["auroc_wrong"], **row} for name, row in fitted.items()}
    for name, one in found.items():
        rows |= {f"{name}, {kind} ({one.earliness[kind].n})": values for kind, values in one.confidence.items()}
    yield from table(rows, ("auroc", *HONEST, "ideal_ece"))


def _early(found: Mapping[str, Evaluation]) -> Iterator[str]:
    yield from ["**AUROC of finding wrong answers after so many tokens**", ""]
    columns = tuple(found["calibrated"].earliness["all"].auroc)
    rows: dict[str, Estimates] = {}
    for name, one in found.items():
        rows |= {f"{name}, {kind}": early.auroc for kind, early in one.earliness.items()}
    yield from [*table(rows, columns), "", "Of those answers alone that go on after so many tokens:", ""]
    kinds = found["calibrated"].earliness
    yield from [*table({kind: early.auroc_unfinished for kind, early in kinds.items()}, columns[:-2]), ""]
    counts = (f"{kind} {', '.join(map(str, early.unfinished.values()))}" for kind, early in kinds.items())
    yield from [f"(How many those are: {'; '.join(counts)}.)", ""]
    yield from ["**When it decides**, at the price that reaches 98% of the remote model's quality", ""]
    timing = {f"{name}, {kind}": e.timing_98 for name, one in found.items() for kind, e in one.earliness.items()}
    yield from table(timing, TIMING)


def _aims(found: Mapping[str, Evaluation]) -> Iterator[str]:
    """Yield the aims of early decisions, and what was reached."""
    yield from ["| aim | calibrated | calibrated, new kinds | prior |", "|---|---|---|---|"]
    aims: dict[str, Callable[[Evaluation], Estimate | None]] = {
        "AUROC at token 32 at least .95 of the end's, short answers": lambda e: e.earliness["short"].auroc.get(
            "32/end"
        ),
        "the same, long answers": lambda e: e.earliness["long"].auroc.get("32/end"),
        "at 98%: escalations decided by token 32": lambda e: e.decisions.get("98%", {}).get("by_32"),
        "at 98%: false aborts at most .05": lambda e: e.decisions.get("98%", {}).get("false_aborts"),
        "at 98%: no extra local pass on at least .85 of turns": lambda e: e.decisions.get("98%", {}).get("one_pass"),
        "ECE at most .03 above an honest one's": _above_honest,
    }
    for aim, read in aims.items():
        cells = (_cell(read(one) or Estimate(), "") for one in found.values())
        yield f"| {aim} | " + " | ".join(cells) + " |"


def _above_honest(one: Evaluation) -> Estimate:
    found, ideal = (
        one.confidence["all"].get("ece", Estimate()).value,
        one.confidence["all"].get("ideal_ece", Estimate()),
    )
    return Estimate() if found is None or ideal.value is None else Estimate(found - ideal.value)


def _turned(budgets: Mapping[str, Estimates]) -> dict[str, Estimates]:
    rows = list(next(iter(budgets.values()), {}))
    return {row: {budget: found[row] for budget, found in budgets.items()} for row in rows}


def table(rows: Mapping[str, Estimates], columns: Sequence[str]) -> Iterator[str]:
    """Yield a table of numbers, with the intervals of those that matter most."""
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
    known = column not in BARE and one.low is not None and one.high is not None and one.high - one.low > 5e-3
    spread = f" [{_s(one.low or 0.0)}, {_s(one.high or 0.0)}]" if known else ""
    return _s(one.value, 3 if known else 2) + spread


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


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
    yield from ["### Calibration on 200 labels", ""]
    yield "| task | score | ECE before | after | a perfect predictor | Brier before | after | AUROC changes by |"
    yield from ["|---|---|---|---|---|---|---|---|", *calibration, ""]
    yield from ["### The warranty", ""]
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
