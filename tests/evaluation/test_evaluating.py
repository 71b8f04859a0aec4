from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import msgspec
import pytest

from hybridchat.config.settings import Bias
from hybridchat.evaluation.evaluating import Subject, evaluate
from hybridchat.evaluation.metrics import confidence_metrics, routing_metrics
from hybridchat.evaluation.replay import replay
from hybridchat.evaluation.report import Estimates, Report, encoded, schema
from hybridchat.evaluation.tables import as_text
from hybridchat.evaluation.traces import Trace
from hybridchat.routing.gain import GainPolicy
from tests.evaluation.made_traces import trace, traces

SCHEMA = Path(__file__).parents[2] / "docs/evaluation.schema.json"
SUBJECT = Subject(lambda _, price: GainPolicy(price=price), "the shipped prior")
ROWS = [
    "always-local", "always-remote", "random", "oracle", "question-only", "answer-length-only", "confidence", "policy",
]  # fmt: skip


def measured(made: Sequence[Trace], subject: Subject = SUBJECT, resamples: int = 10) -> Report:
    return evaluate(made, subject, ["made.jsonl"], resamples)


def unlabelled(made: Sequence[Trace]) -> list[Trace]:
    return [msgspec.structs.replace(one, local=msgspec.structs.replace(one.local, right=None)) for one in made]


def without_remote(made: Sequence[Trace]) -> list[Trace]:
    return [msgspec.structs.replace(one, remote=None) for one in made]


def value(found: Estimates, name: str) -> float:
    number = found[name].value
    assert number is not None
    return number


def check_texts(report: Report) -> str:
    text = as_text(report)
    assert max(map(len, text.splitlines())) <= 80
    assert text.isascii()
    return text


@pytest.fixture(scope="module")
def report() -> Report:
    return measured(traces(80))


def test_the_json_is_as_its_schema_says(report: Report) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for one in (report, measured(unlabelled(traces(5))), measured(without_remote(traces(30)))):
        jsonschema.Draft202012Validator(schema).validate(json.loads(encoded(one)))


def test_the_schema_is_that_of_the_report() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()


def test_every_row_stands_beside_the_others(report: Report) -> None:
    assert list(report.rows) == ROWS
    assert list(report.curves) == ROWS[2:]
    assert list(report.decisions) == ["always-local", "always-remote", "local", "balanced", "quality", "98%"]
    assert list(report.budgets) == ["5%", "10%", "20%", "30%", "50%"]
    assert list(report.budgets["5%"]) == [*ROWS[2:], "regret"]
    assert value(report.rows["random"], "apgr") == pytest.approx(0.5)
    assert value(report.rows["oracle"], "auroc_gain") == 1
    assert value(report.rows["always-remote"], "quality") == report.source.remote_right
    assert value(report.rows["confidence"], "apgr") > 0.6
    for row in ROWS[2:]:
        assert value(report.rows["oracle"], "saved98") >= value(report.rows[row], "saved98")
    assert report.undefined == []


def test_the_numbers_are_those_of_the_metrics(report: Report) -> None:
    made = traces(80)
    replays = replay(made, GainPolicy(price=0.0))
    sure = [one.confidence for one in replays]
    local = [bool(one.local.right) for one in made]
    remote = [bool(one.remote and one.remote.right) for one in made]
    for name, number in confidence_metrics(sure, local).items():
        assert report.confidence["all"][name].value == pytest.approx(number)
    for name, number in routing_metrics([-p for p in sure], local, remote).items():
        assert report.rows["confidence"][name].value == pytest.approx(number)
    asked = [one.escalation is not None for one in replay(made, GainPolicy())]
    assert value(report.decisions["balanced"], "calls") == pytest.approx(sum(asked) / 80)
    assert report.source.local_right == pytest.approx(sum(local) / 80)
    assert (report.source.gain or 0) + (report.source.both_wrong or 0) == pytest.approx(1 - sum(local) / 80)


def test_intervals_hold_their_numbers(report: Report) -> None:
    found = measured(traces(80), resamples=60)
    outside = [
        (row, name)
        for row, numbers in found.rows.items()
        for name, one in numbers.items()
        if one.value is not None
        and one.low is not None
        and one.high is not None
        and not one.low - 0.05 <= one.value <= one.high + 0.05
    ]
    assert outside == []
    assert all(one.low is None for one in measured(traces(40), resamples=0).rows["policy"].values())


def test_short_and_long_answers_are_told_apart(report: Report) -> None:
    made = traces(80)
    counts = {kind: sum(one.length == kind for one in made) for kind in ("short", "long")}
    assert (report.source.short, report.source.long) == (counts["short"], counts["long"])
    assert {kind: found.n for kind, found in report.earliness.items()} == {"all": 80, **counts}
    for found in report.earliness.values():
        end = value(found.auroc, "end")
        assert value(found.auroc, "64") == pytest.approx(end)
        assert value(found.auroc, "32/end") == pytest.approx(value(found.auroc, "32") / end)
        assert found.unfinished["32"] > found.unfinished["64"] == 0
        assert found.auroc_unfinished["64"].value is None
        assert 0 <= value(found.timing, "false_aborts") <= 1
        assert value(found.timing_98, "by_32") > 0


def test_the_least_confidence_that_is_asked_for_is_held(report: Report) -> None:
    strict = measured(traces(80), Subject(SUBJECT.policy_for, "the shipped prior", Bias.LOCAL, min_confidence=0.99))
    assert value(strict.decisions["local"], "calls") >= value(report.decisions["local"], "calls")
    assert value(strict.decisions["quality"], "calls") == value(report.decisions["quality"], "calls")
    text = check_texts(strict)
    assert "--bias local, --min-confidence 0.99" in text


def test_the_text_has_every_table_within_80_columns(report: Report) -> None:
    text = check_texts(report)
    for words in (
        "80 recorded turns",
        "APGR     CPT50     CPT80       AIQ",
        "quality (share of right answers)",
        "B balanced",
        "share of right answers",
        "ECE if it were honest",
        "How early",
        "at equal budgets",
        "cut short",
    ):
        assert words in text
    for row in ROWS:
        assert f"\n{row} " in text
    assert "Not defined" not in text


def test_without_labels_only_what_the_policy_does_is_told() -> None:
    found = measured(unlabelled(traces(12)))
    assert (found.rows, found.curves, found.budgets, found.reliability) == ({}, {}, {}, [])
    assert found.decisions["balanced"]["bail_outs"].value is not None
    assert found.decisions["balanced"]["false_aborts"].value is None
    assert found.source.local_right is None
    text = check_texts(found)
    assert "no trace says whether the local answer is right" in text
    assert "cut short" in text


def test_without_remote_answers_the_confidence_is_measured_all_the_same() -> None:
    found = measured(without_remote(traces(40)))
    assert found.confidence["all"]["auroc"].value is not None
    assert list(found.rows) == ["random", "question-only", "answer-length-only", "confidence"]
    assert found.rows["confidence"]["auroc_wrong"].value is not None
    assert "apgr" not in found.rows["confidence"]
    assert "no trace has a graded remote answer" in check_texts(found)


def test_some_pairs_are_measured_and_the_others_told() -> None:
    made = traces(40)
    found = measured([*made[:30], *without_remote(made[30:36]), *unlabelled(made[36:])])
    assert (found.source.traces, found.source.labelled, found.source.paired) == (40, 36, 30)
    text = check_texts(found)
    assert "4 of 40 traces are not graded" in text
    assert "30 of 36 graded traces have a graded remote answer" in " ".join(text.split())


@pytest.mark.parametrize(("right", "said"), [(True, "all right"), (False, "all wrong")])
def test_one_class_only_is_said(right: bool, said: str) -> None:
    found = measured([trace(i, right=right, remote=i % 2 == 0) for i in range(25)])
    assert found.confidence["all"]["auroc"].value is None
    assert found.confidence["all"]["brier"].value is not None
    assert "question-only" not in found.rows
    text = check_texts(found)
    assert said in text
    assert ("PGR, APGR and CPT are undefined" in " ".join(text.split())) == right


def test_without_logprobs_it_reads_the_text_and_says_so() -> None:
    found = measured(traces(25, logprobs=False))
    assert found.source.with_logprobs == 0
    assert found.decisions["balanced"]["bail_outs"].value == 0
    assert "no trace has logprobs" in check_texts(found)
    mixed = measured([*traces(20), *traces(5, logprobs=False)])
    assert "5 of 25 traces do not have logprobs" in check_texts(mixed)


def test_a_single_turn_is_measured_as_far_as_it_goes() -> None:
    found = measured([trace(1, right=True, remote=True)])
    assert found.rows["policy"]["aiq"].value == 1
    assert len(found.reliability) == 1
    check_texts(found)


def test_few_answers_are_too_few_to_fit_a_row_on() -> None:
    found = measured(traces(12))
    assert "question-only" not in found.rows
    assert "12 graded answers are fewer than the 20" in check_texts(found)


def test_unknown_prices_leave_the_cost_open() -> None:
    assert measured(traces(20, cost=None)).decisions["quality"]["cost_per_100"].value is None


def test_the_plot_shows_where_the_policy_stands() -> None:
    generator = random.Random(8)
    made = [
        trace(i, right=(good := generator.random() < 0.5), remote=True, doubt=0.02 if good else 2.0) for i in range(60)
    ]
    lines = check_texts(measured(made)).splitlines()
    top = lines.index("quality (share of right answers)")
    plot = lines[top + 1 : top + 17]
    assert plot[0].startswith(" 100% |")
    assert any("B" in line or "Q" in line for line in plot)
    assert plot[-1].split("|")[1].startswith(("#", "c"))
