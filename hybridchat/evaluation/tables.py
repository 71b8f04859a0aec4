"""A report as text: tables and plots of at most 80 columns, without colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from hybridchat.evaluation.estimates import Estimate
from hybridchat.evaluation.plots import COLUMNS, cost_quality, reliability_diagram
from hybridchat.evaluation.report import Estimates, Report

_NAME = 20
_CELL = 10
_NOTHING = Estimate()

_CONFIDENCE = {
    "auroc": "AUROC, wrong answers found",
    "auprc_wrong": "average precision of the same",
    "auarc": "AUARC",
    "aurc": "AURC",
    "e_aurc": "E-AURC",
    "risk50": "wrong among the surest 50%",
    "risk80": "wrong among the surest 80%",
    "risk90": "wrong among the surest 90%",
    "ece": "ECE",
    "ideal_ece": "ECE if it were honest",
    "brier": "Brier",
    "log_loss": "log-loss",
}
_BOUGHT = {
    "apgr": "APGR",
    "cpt50": "CPT50",
    "cpt80": "CPT80",
    "aiq": "AIQ",
    "auroc_wrong": "wrong",
    "auroc_gain": "gain",
}
_SAVED = {"saved95": "95%", "saved98": "98%", "saved99": "99%", "saved100": "100%"}
_HONEST = {"auarc": "AUARC", "aurc": "AURC", "ece": "ECE", "brier": "Brier", "log_loss": "log-loss"}
_RESULT = {
    "calls": "calls",
    "quality": "right",
    "of_remote": "of remote",
    "pgr": "PGR",
    "random": "random",
    "oracle": "oracle",
}
_COST = {"regret": "regret", "regret_share": "of gap", "cost_per_100": "$/100"}
_TIMING = {
    "by_32": "by 32",
    "bail_outs": "cut short",
    "false_aborts": "false",
    "shown": "shown",
    "shown_90": "90%",
    "one_pass": "one pass",
}
_WHOLE = {"shown", "shown_90"}


def as_text(report: Report) -> str:
    """Return the whole report for people."""
    sections = [
        list(_source(report)),
        *([list(_confidence(report))] if report.source.labelled else []),
        *([list(_rows(report))] if report.rows else []),
        list(_decisions(report)),
        *([list(_budgets(report))] if report.budgets else []),
        list(_earliness(report)),
        *(
            [["Not defined", *(line for reason in report.undefined for line in _wrapped(reason, "- "))]]
            if report.undefined
            else []
        ),
    ]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _source(report: Report) -> Iterator[str]:
    source, setting = report.source, report.setting
    models = ", ".join(source.local_models) + (f" -> {', '.join(source.remote_models)}" if source.remote_models else "")
    yield from _wrapped(
        f"{source.traces} recorded turns ({source.short} short answers, {source.long} long), {source.labelled} graded, "
        f"{source.paired} with a graded remote answer: {models}"
    )
    if source.local_right is not None:
        remote = (
            ""
            if source.remote_right is None
            else (
                f", remote {source.remote_right:.1%}; only the remote one {_share(source.gain)}, only the local one "
                f"{_share(source.loss)}, none {_share(source.both_wrong)}"
            )
        )
        yield from _wrapped(f"right: local {source.local_right:.1%}{remote}")
    least = "" if setting.min_confidence is None else f", --min-confidence {setting.min_confidence}"
    yield from _wrapped(f"policy: --bias {setting.bias}{least}; its confidence: {setting.confidence}")
    yield from _wrapped(f"below a number: its 95% interval, from {setting.resamples} resamples of the questions")


def _confidence(report: Report) -> Iterator[str]:
    yield "How good the confidence in the finished local answer is"
    kinds = {kind: found for kind, found in report.confidence.items() if found}
    counts = {"all": report.source.labelled, **{kind: report.earliness[kind].n for kind in ("short", "long")}}
    yield " " * 31 + "".join(f"{f'{kind} ({counts[kind]})':>16}" for kind in kinds)
    for name, label in _CONFIDENCE.items():
        cells = [found.get(name, _NOTHING) for found in kinds.values()]
        yield f"{label:31}" + "".join(f"{_with_interval(cell):>16}" for cell in cells)
    yield ""
    yield "wrong among the surest answers that are kept (risk-coverage)"
    yield "  kept  " + "".join(f"{share:>7.0%}" for share, _ in report.risk_coverage)
    yield "  wrong " + "".join(f"{risk:>7.1%}" for _, risk in report.risk_coverage)
    yield ""
    yield from reliability_diagram(report.reliability)


def _rows(report: Report) -> Iterator[str]:
    if report.curves:
        yield "What routing buys: answers go to the remote model by descending score"
        yield from _table(report.rows, _BOUGHT, above="AUROC of finding")
        yield ""
        yield "Share of remote calls saved at so much of the remote model's quality"
        yield from _table(report.rows, _SAVED)
        yield ""
        biases = {name: found for name, found in report.decisions.items() if name in ("local", "balanced", "quality")}
        places = {name: (_value(found, "calls"), _value(found, "quality")) for name, found in biases.items()}
        yield from cost_quality(report.curves, places)
        yield ""
    yield "How honest each is about a local answer's chance to be right"
    yield from _table(report.rows, _HONEST)


def _decisions(report: Report) -> Iterator[str]:
    yield "What the policy does"
    if report.curves:
        yield from _table(report.decisions, _RESULT)
        yield ""
        yield from _wrapped(
            "random, oracle: their share of right answers at as many calls; regret: what is missing to the oracle, "
            "and as a part of the way there from random"
        )
        yield from _table(report.decisions, _COST)
        yield ""
    asking = {name: found for name, found in report.decisions.items() if not name.startswith("always")}
    yield from _table(asking, _TIMING)
    yield ""
    yield from _wrapped(
        "by 32: of the escalations, those decided by token 32; cut short: of all turns; false: local answers that were "
        "right and cut short, of all that were right; shown: tokens on the screen before that (median, 90%); "
        "one pass: turns for which the local model reads nothing a second time, of all"
    )
    if report.curves:
        yield from _wrapped(
            "98%: the price is to reach 98% of the remote model's quality; chosen for each tenth of the questions on "
            "the other nine"
        )


def _budgets(report: Report) -> Iterator[str]:
    yield "Share of right answers at equal budgets (share of turns that may ask)"
    names = list(next(iter(report.budgets.values())))
    yield " " * _NAME + "".join(f"{budget:>{_CELL}}" for budget in report.budgets)
    for name in names:
        yield from _line(name, [found[name] for found in report.budgets.values()])


def _earliness(report: Report) -> Iterator[str]:
    yield "How early: AUROC of finding wrong answers after so many tokens"
    kinds = {kind: found for kind, found in report.earliness.items() if found.auroc}
    columns = list(report.earliness["all"].auroc)
    yield " " * 8 + "".join(f"{column:>9}" for column in columns)
    for kind, found in kinds.items():
        yield from _line(kind, [found.auroc.get(column, _NOTHING) for column in columns], name=8, cell=9)
    yield "of the answers alone that go on after so many tokens, and how many those are"
    for kind, found in kinds.items():
        cells = [found.auroc_unfinished.get(column, _NOTHING) for column in columns[:-2]]
        yield from _line(kind, cells, name=8, cell=9)
        yield " " * 8 + "".join(f"{f'n={count}':>9}" for count in found.unfinished.values())
    yield ""
    yield f"When it decides, --bias {report.setting.bias}"
    yield from _table({kind: found.timing for kind, found in report.earliness.items() if found.timing}, _TIMING)
    if any(found.timing_98 for found in report.earliness.values()):
        yield "When it decides, at 98% of the remote model's quality"
        yield from _table(
            {kind: found.timing_98 for kind, found in report.earliness.items() if found.timing_98}, _TIMING
        )


def _table(rows: Mapping[str, Estimates], columns: Mapping[str, str], above: str = "") -> Iterator[str]:
    if above:
        yield f"{above:>{COLUMNS}}"
    yield " " * _NAME + "".join(f"{label:>{_CELL}}" for label in columns.values())
    for name, found in rows.items():
        if any(column in found for column in columns):
            cells = [found.get(column, _NOTHING) for column in columns]
            yield from _line(name, cells, [column in _WHOLE for column in columns])


def _line(
    label: str, cells: Sequence[Estimate], whole: Sequence[bool] = (), *, name: int = _NAME, cell: int = _CELL
) -> Iterator[str]:
    kinds = whole or [False] * len(cells)
    values = [_number(one.value, whole=kind) for one, kind in zip(cells, kinds, strict=True)]
    yield f"{label:{name}}" + "".join(f"{value:>{cell}}" for value in values)
    spreads = [_interval(one, whole=kind) for one, kind in zip(cells, kinds, strict=True)]
    if any(spreads):
        yield " " * name + "".join(f"{spread:>{cell}}" for spread in spreads)


def _number(value: float | None, *, whole: bool = False) -> str:
    if value is None:
        return "-"
    if whole:
        return f"{value:.0f}"
    return _pointed(value, 3)


def _interval(cell: Estimate, *, whole: bool = False) -> str:
    if cell.low is None or cell.high is None or cell.low == cell.high:
        return ""
    if whole:
        return f"{cell.low:.0f}-{cell.high:.0f}"
    return f"{_pointed(cell.low, 2)}-{_pointed(cell.high, 2)}"


def _with_interval(cell: Estimate) -> str:
    spread = _interval(cell)
    return f"{_number(cell.value)} {spread:>8}" if spread else f"{_number(cell.value)} {'':8}"


def _pointed(value: float, digits: int) -> str:
    """Return a number without the zero before its point, and without a minus before a zero."""
    text = f"{value:.{digits}f}"
    text = text.lstrip("-") if not float(text) else text
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _value(found: Estimates, name: str) -> float:
    return found[name].value or 0.0


def _wrapped(text: str, mark: str = "") -> list[str]:
    return wrap(text, COLUMNS, initial_indent=mark, subsequent_indent=" " * len(mark))
