from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hybridchat.cli.evaluating import Call, run
from hybridchat.config.loading import Flag
from hybridchat.errors import BadConfiguration, InputError, InputMissing, UsageError
from hybridchat.evaluation.calibrating import fit_calibration
from hybridchat.evaluation.traces import write_traces
from hybridchat.routing.prior import FittedModel
from tests.evaluation.made_traces import traces


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "turns.jsonl.gz"
    write_traces(path, traces(40))
    return path


def call(*files: object, bias: str | None = None, **more: Any) -> Call:
    return Call(files=tuple(map(str, files)), flags={"routing.bias": Flag("--bias", bias)}, resamples=5, **more)


def test_tables_are_for_people(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call(recorded, bias="quality")) == 0
    captured = capsys.readouterr()
    assert "40 recorded turns" in captured.out
    assert "--bias quality" in captured.out
    assert "the shipped prior" in captured.out
    assert captured.err == ""


def test_one_json_object_is_for_programs(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call(recorded, recorded, as_json=True)) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["source"]["files"] == [str(recorded)] * 2
    assert found["source"]["traces"] == 80
    assert found["rows"]["policy"]["apgr"]["low"] is not None


def test_a_calibration_of_ones_own_takes_the_place_of_the_prior(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted = fit_calibration(traces(40, seed=2), FittedModel("small")).prior
    file = tmp_path / "small.json"
    file.write_bytes(msgspec.json.encode(fitted))
    assert run(call(recorded, calibration=str(file))) == 0
    assert "the calibration (small: 40 questions)" in capsys.readouterr().out
    with pytest.raises(InputMissing, match="cannot read"):
        run(call(recorded, calibration=str(tmp_path / "none.json")))
    file.write_text("{}")
    with pytest.raises(BadConfiguration, match="cannot be read"):
        run(call(recorded, calibration=str(file)))


def test_turns_can_be_calibrated_on_themselves(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call(recorded, cross_fit="tenths")) == 0
    assert "calibrated on these answers, each without the tenth" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(InputError, match="one family"):
        run(call(recorded, cross_fit="families"))
    with pytest.raises(UsageError, match="exclude each other"):
        run(call(recorded, cross_fit="tenths", calibration="x"))


def test_what_is_no_file_of_traces_is_refused(recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to evaluate"):
        run(call())
    with pytest.raises(InputMissing, match="cannot read"):
        run(call(tmp_path / "none.jsonl"))
    with pytest.raises(InputMissing, match="directory"):
        run(call(tmp_path))
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(gzip.decompress(recorded.read_bytes()) + b'{"id": "x"}\n')
    with pytest.raises(InputError, match=r"line 41 of .*broken\.jsonl is not a trace"):
        run(call(recorded, broken))
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(InputError, match="holds no traces"):
        run(call(empty))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--resamples", "3"], 0, ""),
        (["--resamples", "3", "--json", "--quiet"], 0, ""),
        (["--min-confidence", "3"], 2, "--min-confidence: expected a number from 0 to 1"),
        (["--resamples", "-1"], 2, "--resamples"),
    ],
)
def test_the_command_ends_as_it_should(recorded: Path, arguments: list[str], code: int, said: str) -> None:
    command = [sys.executable, "-m", "hybridchat", "evaluate", str(recorded), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code
    assert said in done.stderr
    assert "\x1b" not in done.stdout
