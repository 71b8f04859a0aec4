from __future__ import annotations

import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from benchmarks.pairs import main
from benchmarks.pairs_models import fit_head, sigmoid
from tests.benchmarks.paired_outcomes import Record, records, stripped, write

REAL = os.environ.get("HYBRIDCHAT_TEST_PAIRS")
ROWS = ["random", "oracle", "length", "baseline", "text", "text+agreement", "text+agreement+gain"]
METRICS = [
    "apgr", "cpt50", "cpt80", "saved95", "saved98", "saved99", "saved100", "auroc_wrong", "auroc_gain", "ece", "brier",
]  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    quick = ["--json", "--repeats", "2", "--resamples", "20"]
    assert main([*map(str, arguments), *quick]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([*map(str, arguments), "--repeats", "1", "--resamples", "5"])
    return code, capsys.readouterr().err


def check_shape(task: dict[str, Any]) -> None:
    assert list(task["rows"]) == ROWS
    for row in ROWS:
        assert list(task["rows"][row]) == METRICS


def test_cross_validation_measures_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path, "sums", records(n=120))
    found = run(capsys, "--train", folder)
    assert list(found) == ["sums"]
    assert found["sums"]["n"] == 120
    check_shape(found["sums"])
    rows = found["sums"]["rows"]
    assert rows["random"]["apgr"] == pytest.approx(0.5)
    assert rows["oracle"]["apgr"] > rows["text"]["apgr"] > 0.5
    assert rows["oracle"]["ece"] is None
    assert rows["text"]["auroc_wrong"] > 0.9
    low, high = found["sums"]["intervals"]["text"]["apgr"]
    assert low < high
    assert found["sums"]["differences"]["text - baseline-text"]["apgr"]["mean"] == pytest.approx(
        rows["text"]["apgr"] - found["sums"]["references"]["baseline-text"]["apgr"]
    )
    assert run(capsys, "--train", folder) == found


def test_the_tables_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path, "sums", records())
    assert main(["--train", str(folder), "--repeats", "1", "--resamples", "5"]) == 0
    out = capsys.readouterr().out
    assert "sums, n = 90" in out
    assert all(row in out for row in ROWS)
    assert "APGR, text+agreement - baseline:" in out


def test_scores_do_not_hang_on_what_a_router_may_not_see(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = write(tmp_path / "train", "sums", records(seed=1))
    new = records(seed=2, n=40)
    swapped = [
        {**row, "gold": "0", **{who: {**row[who], "correct": not row[who]["correct"]} for who in ("local", "remote")}}
        for row in new
    ]
    written: list[str] = []
    for name, rows in (("whole", new), ("stripped", stripped(new)), ("swapped", swapped)):
        test, out = write(tmp_path / name, "sums", rows), tmp_path / f"{name}.jsonl"
        found = run(capsys, "--train", train, "--test", test, "--scores", out)
        check_shape(found["sums"])
        assert (found["sums"]["rows"]["text"]["auroc_wrong"] is None) == (name == "stripped")
        assert found["sums"]["n"] == 40
        written.append(out.read_text())
    assert written[0] == written[1] == written[2]
    lines = [json.loads(line) for line in written[0].splitlines()]
    assert [line["id"] for line in lines] == [row["id"] for row in new]
    assert len({line["scores"]["text"][0] for line in lines}) > 20


def test_an_item_is_scored_alike_whatever_stands_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = write(tmp_path / "train", "sums", records(seed=1))
    new = records(seed=2, n=30)
    found: list[dict[str, Any]] = []
    for name, rows in (("all", new), ("some", new[:10])):
        test, out = write(tmp_path / name, "sums", rows), tmp_path / f"{name}.jsonl"
        run(capsys, "--train", train, "--test", test, "--scores", out)
        found.append({line["id"]: line["scores"] for line in map(json.loads, out.read_text().splitlines())})
    for key, scores in found[1].items():
        for row, values in scores.items():
            assert values == pytest.approx(found[0][key][row], abs=1e-9)


def test_a_missing_second_model_is_no_obstacle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = records()
    for row in rows[::3]:
        row["second"] = None
    check_shape(run(capsys, "--train", write(tmp_path / "some", "sums", rows))["sums"])
    for row in rows:
        row["second"] = None
    found = run(capsys, "--train", write(tmp_path / "none", "sums", rows))["sums"]
    assert found["rows"]["baseline"] == found["references"]["baseline-text"]
    found = found["rows"]
    assert found["text+agreement"]["auroc_wrong"] == pytest.approx(found["text"]["auroc_wrong"])


def test_tasks_that_one_folder_lacks_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = write(write(tmp_path / "train", "sums", records()), "more", records("more"))
    test = write(write(tmp_path / "test", "sums", records(seed=3)), "other", records("other"))
    assert main(["--train", str(train), "--test", str(test), "--json", "--resamples", "5"]) == 0
    captured = capsys.readouterr()
    assert list(json.loads(captured.out)) == ["sums"]
    assert "more: in the training folder only" in captured.err
    assert "other: in the test folder only" in captured.err
    code, words = refused(capsys, "--train", train, "--test", write(tmp_path / "alien", "alien", records("alien")))
    assert code == 65
    assert "no task in common" in words


def test_the_task_is_the_file_where_no_field_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{name: value for name, value in row.items() if name != "task"} for row in records()]
    assert list(run(capsys, "--train", write(tmp_path, "pens", rows))) == ["pens"]


def test_one_class_only_is_said_and_survived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = records()
    for row in rows:
        row["local"]["correct"] = True
    folder = write(tmp_path, "sums", rows)
    assert main(["--train", str(folder), "--json", "--repeats", "1", "--resamples", "5"]) == 0
    captured = capsys.readouterr()
    assert "the local answers are all right" in captured.err
    found = json.loads(captured.out)["sums"]["rows"]["text"]
    assert found["auroc_wrong"] is None
    assert found["apgr"] is None
    assert found["saved95"] == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 3: not JSON"),
        ("[" * 100_000, "line 3: not JSON"),
        (
            '{"id": "a", "task": "sums", "question": "b", "local": {"text": "", "answer": 1' + "0" * 999 + "}}",
            "1 of 3 items do not say",
        ),
        ('{"id": "a", "question": "b", "local": {"text": ""}, "remote": [3]}', "line 3: 'remote' is not an object"),
        ("[]", "line 3: not a JSON object"),
        ('{"id": 3}', "line 3: 'id' is missing"),
        ('{"id": "a", "question": "b"}', "line 3: 'local' is missing"),
        ('{"id": "a", "question": "b", "local": {"answer": 3}}', "line 3: 'local' has no text"),
        ('{"id": "a", "question": "b", "local": {"text": ""}, "second": 3}', "line 3: 'second' has no text"),
        ('{"id": "a", "task": 3, "question": "b", "local": {"text": ""}}', "line 3: 'task' is not a string"),
        (
            '{"id": "a", "question": "b", "local": {"text": "", "correct": 1}, "remote": {"correct": 0}}',
            "line 3: 'correct' is not true or false",
        ),
        ('{"id": "sums/0", "task": "sums", "question": "b", "local": {"text": ""}}', "was there before, at sums"),
        ('{"id": "new", "task": "sums", "question": "b", "local": {"text": ""}}', "1 of 3 items do not say"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, words: str) -> None:
    write(tmp_path, "sums", records(n=2))
    with gzip.open(tmp_path / "sums.jsonl.gz", "at", encoding="utf-8") as file:
        file.write(line + "\n")
    code, said = refused(capsys, "--train", tmp_path)
    assert code == 65
    assert words in said
    assert "sums" in said


def test_a_file_that_is_cut_short_or_no_gzip_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "sums", records()) / "sums.jsonl.gz"
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"no gzip", whole[:200] + b"\0" * 50 + whole[250:]):
        file.write_bytes(content)
        code, said = refused(capsys, "--train", tmp_path)
        assert code == 65
        assert "sums.jsonl.gz, after line" in said


def test_plain_files_are_read_whatever_they_are_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = write(tmp_path / "packed", "sums", records())
    text = gzip.decompress((packed / "sums.jsonl.gz").read_bytes())
    found = run(capsys, "--train", packed)
    for name in ("sums.jsonl", "sums.jsonl.gz"):
        folder = tmp_path / f"plain-{name}"
        folder.mkdir()
        (folder / name).write_bytes(text)
        assert run(capsys, "--train", folder) == found


@pytest.mark.parametrize("n", [2, 3, 7])
def test_a_handful_of_items_is_measured_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], n: int
) -> None:
    few = write(tmp_path / "few", "sums", records(n=n))
    assert main(["--train", str(few), "--json", "--repeats", "2", "--resamples", "5"]) == 0
    captured = capsys.readouterr()
    assert f"{n} items are few" in captured.err
    check_shape(json.loads(captured.out)["sums"])
    found = run(capsys, "--train", write(tmp_path / "train", "sums", records()), "--test", few)["sums"]
    assert found["n"] == n
    check_shape(found)


def test_an_interruption_ends_it_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.pairs.cross_validated", interrupt)
    code, said = refused(capsys, "--train", write(tmp_path, "sums", records()))
    assert (code, "interrupted" in said) == (130, True)


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "--train", tmp_path / "nowhere")[0] == 66
    code, said = refused(capsys, "--train", write(tmp_path / "few", "sums", records(n=1)))
    assert (code, "1 items are too few" in said) == (65, True)
    code, said = refused(capsys, "--train", write(tmp_path / "empty", "sums", []))
    assert (code, "are empty" in said) == (65, True)
    code, said = refused(capsys, "--train", write(tmp_path / "bare", "sums", stripped(records())))
    assert (code, "do not say who was right" in said) == (65, True)
    train = write(tmp_path / "train", "sums", records())
    code, said = refused(capsys, "--train", train, "--scores", tmp_path / "no" / "file")
    assert (code, "cannot be written" in said) == (74, True)
    with pytest.raises(SystemExit):
        main(["--train", str(train), "--repeats", "0"])


def test_calibration_and_warranty_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path, "sums", records(n=120))
    found = run(capsys, "--train", folder, "--calibration")["sums"]
    assert list(found) == ["shipped", "text+agreement"]
    for values in found.values():
        assert values["labels"] == 60
        assert values["calibration"]["auroc_change"] == pytest.approx(0, abs=1e-9)
        assert 0 <= values["warranty"]["saved"] <= 1
    assert main(["--train", str(folder), "--repeats", "1", "--calibration"]) == 0
    assert "sums, shipped, 60 labels" in capsys.readouterr().out


def test_the_head_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(300, 8))
    labels = generator.random(300) < sigmoid(rows[:, 0] - 0.5 * rows[:, 1])
    head = fit_head(rows, labels.tolist(), [10.0])
    reference = LogisticRegression(C=0.1, tol=1e-10, max_iter=1000).fit(head.scaling(rows)[:, 1:], labels)
    assert head.weights[1:] == pytest.approx(reference.coef_[0], abs=1e-4)
    assert head.weights[0] == pytest.approx(reference.intercept_[0], abs=1e-4)


def test_left_out_logits_are_those_of_refits() -> None:
    generator = np.random.default_rng(1)
    rows = generator.normal(size=(80, 20))
    labels = (generator.random(80) < sigmoid(2 * rows[:, 0])).tolist()
    head = fit_head(rows, labels, [5.0])
    for i in range(0, 80, 8):
        rest = [j for j in range(80) if j != i]
        refitted = fit_head(rows[rest], [labels[j] for j in rest], [5.0])
        assert head.left_out[i] == pytest.approx(float(refitted.logits(rows[[i]])[0]), abs=0.15)


def test_on_noise_the_stronger_penalty_is_chosen() -> None:
    generator = np.random.default_rng(2)
    rows = generator.normal(size=(100, 30))
    labels = [random.Random(3).random() < 0.5 for _ in range(100)]
    labels[0] = not labels[0]
    assert fit_head(rows, labels, [0.1, 1000.0]).penalty == 1000.0


@pytest.mark.skipif(REAL is None, reason="HYBRIDCHAT_TEST_PAIRS names no folder")
def test_the_real_pair_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "--train", REAL)
    for task in found.values():
        check_shape(task)
        assert task["rows"]["random"]["apgr"] == pytest.approx(0.5)
        assert task["rows"]["oracle"]["auroc_gain"] == 1
        assert task["rows"]["text+agreement"]["auroc_wrong"] > task["rows"]["length"]["auroc_wrong"] > 0.6


def test_the_synthetic_folder_is_of_the_same_format(tmp_path: Path) -> None:
    row: Record = records(n=1)[0]
    assert set(row) == {"id", "task", "question", "gold", "local", "second", "remote"}
    assert set(row["local"]) == {"model", "text", "answer", "correct"}
