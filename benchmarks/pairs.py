"""How well a router does on paired outcomes of a small and a large model.

``python -m benchmarks.pairs --train DIR [--test DIR] [--json] [--repeats 20] [--resamples 1000] [--scores FILE]
[--calibration] [--static]`` on folders of ``*.jsonl.gz`` or ``*.jsonl`` (the format stands in
``benchmarks.pairs_data``). Without ``--test`` it cross-validates within ``--train``; with it, everything is fitted on
``--train`` alone. ``--scores`` writes every item's scores, one JSON object a line, and needs no outcomes in ``--test``.
``--calibration`` measures calibration and warranty on 200 labels instead. ``--static`` does not work out what code in a
question comes to.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.pairs_data import Task, read_tasks
from benchmarks.pairs_protocol import METRICS, Report, Runs, average, cross_validated, report, transferred
from benchmarks.pairs_rows import LEARNED
from benchmarks.pairs_warranty import honesty, kept, scores
from hybridchat.errors import CannotWrite, HybridChatError, InputError, Interrupted

LABELS = 200
SPLITS = 200
FEWEST = 2
FEW = 20

ROWS = ("random", "oracle", "length", "baseline", "text", "text+agreement", "text+agreement+gain")
"""The rows of the JSON; others are beside them as ``references``."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pairs", description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=_positive, default=20)
    parser.add_argument("--resamples", type=_positive, default=1000)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--calibration", action="store_true")
    parser.add_argument("--static", action="store_true")
    options = parser.parse_args(arguments)
    try:
        _run(options)
    except HybridChatError as error:
        print(f"{error.message}\n{error.hint}".strip(), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; nothing was measured to its end", file=sys.stderr)
        return Interrupted.exit_code
    return 0


def _run(options: argparse.Namespace) -> None:
    train = read_tasks(options.train)
    test = read_tasks(options.test) if options.test else None
    scored = {task.name: (task, runs) for task, runs in _scored(train, test, options.repeats, static=options.static)}
    if options.scores:
        _write_scores(options.scores, scored)
    if options.calibration:
        found = {name: _calibration(task, runs) for name, (task, runs) in scored.items() if task.outcomes}
        print(json.dumps(found, indent=1) if options.json else _calibration_text(found))
        return
    reports = {name: _report(task, runs, options.resamples) for name, (task, runs) in scored.items()}
    if options.json:
        print(json.dumps({name: as_json(reports[name], len(task.items)) for name, (task, _) in scored.items()}))
    else:
        print(as_text(reports))


def _scored(
    train: Mapping[str, Task], test: Mapping[str, Task] | None, repeats: int, *, static: bool
) -> list[tuple[Task, Runs]]:
    for task in train.values():
        _check(task)
    if test is None:
        return [(task, cross_validated(task, repeats, static=static)) for task in train.values()]
    for name in sorted(train.keys() - test.keys()):
        print(f"{name}: in the training folder only, left out", file=sys.stderr)
    for name in sorted(test.keys() - train.keys()):
        print(f"{name}: in the test folder only, nothing to learn it from, left out", file=sys.stderr)
    common = [name for name in test if name in train]
    if not common:
        raise InputError("the folders have no task in common", hint=f"the training folder has {', '.join(train)}")
    return [(test[name], transferred(train[name], test[name], static=static)) for name in common]


def _check(task: Task) -> None:
    if task.outcomes is None:
        raise InputError(f"{task.name}: the training items do not say who was right", hint="train on labelled items")
    if len(task.items) < FEWEST:
        raise InputError(f"{task.name}: {len(task.items)} items are too few", hint=f"give at least {FEWEST}")
    if len(task.items) < FEW:
        print(
            f"{task.name}: {len(task.items)} items are few; expect nothing of what is fitted on them", file=sys.stderr
        )
    right = sum(outcome.local for outcome in task.outcomes)
    if right in {0, len(task.items)}:
        print(f"{task.name}: the local answers are all {'right' if right else 'wrong'}", file=sys.stderr)


def _report(task: Task, runs: Runs, resamples: int) -> Report | None:
    if task.outcomes is None:
        print(f"{task.name}: the test items do not say who was right; nothing to measure", file=sys.stderr)
        return None
    return report(task.outcomes, runs, resamples)


def _write_scores(path: Path, scored: Mapping[str, tuple[Task, Runs]]) -> None:
    lines: list[str] = []
    for name, (task, runs) in scored.items():
        rows = {row: average(runs, row) for row in LEARNED}
        for i, item in enumerate(task.items):
            values = {row: [float(score[i]), float(sure[i])] for row, (score, sure) in rows.items()}
            lines.append(json.dumps({"task": name, "id": item.id, "scores": values}) + "\n")
    try:
        path.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}", hint="name another file") from error


def as_json(found: Report | None, n: int) -> dict[str, Any]:
    """Return a report on ``n`` items as plain data; without outcomes every number is null."""
    if found is None:
        return {"n": n, "rows": {row: dict.fromkeys(METRICS) for row in ROWS}}
    return {
        "n": n,
        "rows": {row: found.rows[row] for row in ROWS},
        "references": {row: values for row, values in found.rows.items() if row not in ROWS},
        "intervals": {
            row: {name: spread and [spread.low, spread.high] for name, spread in spreads.items()}
            for row, spreads in found.intervals.items()
        },
        "differences": {
            pair: {
                name: pieces and {"mean": pieces[0], "low": pieces[1].low, "high": pieces[1].high}
                for name, pieces in apart.items()
            }
            for pair, apart in found.differences.items()
        },
    }


def as_text(reports: Mapping[str, Report | None]) -> str:
    """Return the reports as tables: each number, and below it its 95% interval."""
    lines: list[str] = []
    for name, found in reports.items():
        if found is None:
            continue
        lines += ["", f"{name}, n = {found.n}", " " * 22 + "".join(f"{metric:>12}" for metric in METRICS)]
        for row, values in found.rows.items():
            lines.append(f"{row:22}" + "".join(f"{_number(values[metric]):>12}" for metric in METRICS))
            spreads = (found.intervals[row][metric] for metric in METRICS)
            shown = (f"{_number(s.low)}-{_number(s.high)}" if s else "" for s in spreads)
            lines.append(" " * 22 + "".join(f"{text:>12}" for text in shown))
        for pair, apart in found.differences.items():
            pieces = apart["apgr"]
            if pieces:
                spread = pieces[1]
                lines.append(f"APGR, {pair}: {pieces[0]:+.3f} [{spread.low:+.3f}, {spread.high:+.3f}]")
    return "\n".join(lines).strip()


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".replace("0.", ".", 1)


def _calibration(task: Task, runs: Runs) -> dict[str, Any]:
    labels = min(LABELS, len(task.items) // 2)
    return {
        row: {
            "labels": labels,
            "calibration": asdict(honesty(task, score, labels, SPLITS)),
            "warranty": asdict(kept(task, score, labels, SPLITS)),
        }
        for row, score in scores(task, runs).items()
    }


def _calibration_text(found: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for name, rows in found.items():
        for row, values in rows.items():
            c, w = values["calibration"], values["warranty"]
            lines.append(f"{name}, {row}, {values['labels']} labels, {SPLITS} re-splits")
            lines.append(
                f"  ECE {c['ece_before']:.3f} -> {c['ece']:.3f} (a perfect predictor: {c['ideal']:.3f}); "
                f"Brier {c['brier_before']:.3f} -> {c['brier']:.3f}; AUROC changed by {c['auroc_change']:+.4f}"
            )
            lines.append(
                f"  warranty of at most 10% wrong, 90% confidence: saves {w['saved']:.2f}, "
                f"broken in {w['broken']:.1%}, none in {w['none']:.1%}" + (f" ({w['reason']})" if w["reason"] else "")
            )
    return "\n".join(lines)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
