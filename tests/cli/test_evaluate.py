from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hybridchat.backends.protocol import Backend
from hybridchat.cli import wiring
from hybridchat.cli.evaluating import Call, run
from hybridchat.config.loading import Flag
from hybridchat.errors import BadConfiguration, InputError, InputMissing, UsageError
from hybridchat.evaluation.calibrating import fit_calibration
from hybridchat.evaluation.traces import read_traces, write_traces
from hybridchat.messages import Place
from hybridchat.routing.prior import FittedModel
from tests.cli.conftest import Command
from tests.cli.pupil import Pupil
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


@pytest.fixture
def pupils(monkeypatch: pytest.MonkeyPatch, home: Path) -> Pupil:
    """Let one pupil answer as the local model, and one that errs less as the remote one."""
    local, remote = Pupil(lambda a: a % 3 == 0), Pupil(lambda a: a % 9 == 0, place=Place.REMOTE)

    async def opened(_model: str | None) -> Backend:
        return remote

    monkeypatch.setenv("HYBRIDCHAT_STORE_PATH", str(home / "data"))
    monkeypatch.setattr(wiring, "_remote_opener", lambda *_: opened)
    monkeypatch.setattr(wiring, "local_backend", lambda *_: local)
    return local


@pytest.fixture
def sums(tmp_path: Path) -> str:
    path = tmp_path / "sums.jsonl"
    lines = [{"question": f"What is {a} + 3?", "answer": a + 3} for a in range(1, 31)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def test_models_can_be_asked_now(command: Command, pupils: Pupil, sums: str, tmp_path: Path) -> None:
    record = str(tmp_path / "new" / "turns.jsonl")
    arguments = ["evaluate", "--live", "--questions", sums, "--record", record, "--resamples", "2", "--json"]
    ended = command(*arguments, "--limit", "24")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert (found["source"]["traces"], found["source"]["labelled"], found["source"]["paired"]) == (24, 24, 0)
    assert len(pupils.asked) == 24
    more = json.loads(command(*arguments).out)
    assert more["source"]["traces"] == 30
    assert len(pupils.asked) == 30
    assert len(read_traces(Path(record))) == 30


def test_a_sample_is_put_to_the_remote_model_with_consent(
    command: Command, pupils: Pupil, sums: str, tmp_path: Path
) -> None:
    arguments = ["evaluate", "--live", "--questions", sums, "--remote-sample", "12", "--resamples", "2", "--json"]
    agreed = command(*arguments, "--allow-remote", "--record", str(tmp_path / "a.jsonl"))
    assert json.loads(agreed.out)["source"]["paired"] == 12
    refused = command(*arguments, "--offline", "--record", str(tmp_path / "b.jsonl"))
    assert refused.code == 0
    assert json.loads(refused.out)["source"]["paired"] == 0
    assert "the remote model was not asked to the end" in refused.err


def test_what_was_asked_before_an_interruption_is_kept(
    command: Command, pupils: Pupil, sums: str, tmp_path: Path
) -> None:
    pupils.stops_after = 9
    record = tmp_path / "turns.jsonl"
    ended = command("evaluate", "--live", "--questions", sums, "--record", str(record))
    assert ended.code == 130
    assert "of 30 answers are kept" in ended.err
    assert 0 < len(read_traces(record)) < 30


def test_the_calibration_of_the_very_model_is_used_unless_it_is_declined(
    command: Command, pupils: Pupil, sums: str, tmp_path: Path
) -> None:
    assert command("calibrate", sums).code == 0
    record = str(tmp_path / "turns.jsonl")
    ended = command("evaluate", "--live", "--questions", sums, "--record", record, "--resamples", "0")
    assert "its confidence: the calibration (pupil" in " ".join(ended.out.split())
    declined = command("evaluate", record, "--calibration", "none", "--resamples", "0")
    assert "its confidence: the shipped prior" in " ".join(declined.out.split())


@pytest.mark.parametrize("option", [["--limit", "3"], ["--record", "x"], ["--remote-sample", "2"], ["--allow-remote"]])
def test_options_of_asking_need_somebody_to_be_asked(command: Command, recorded: Path, option: list[str]) -> None:
    ended = command("evaluate", str(recorded), *option)
    assert ended.code == 2
    assert "Give --live, too." in ended.err


def test_a_turn_of_ask_is_recorded_and_can_be_replayed(command: Command, pupils: Pupil, tmp_path: Path) -> None:
    record = tmp_path / "turns.jsonl"
    assert command("ask", "--local", "--record", str(record), "What is 4 + 3?").code == 0
    (turn,) = read_traces(record)
    assert (turn.question, turn.local.text, turn.local.right) == ("What is 4 + 3?", "It is 7.", None)
    assert len(turn.local.tokens[0][2]) == 3
    ended = command("evaluate", str(record), "--resamples", "0")
    assert ended.code == 0
    assert "no trace says whether the local answer is right" in ended.out


def test_the_setting_records_every_turn(
    command: Command, pupils: Pupil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_ROUTING_RECORD", str(tmp_path / "turns.jsonl"))
    for question in ("What is 1 + 3?", "What is 2 + 3?"):
        command("ask", "--local", question)
    assert [turn.question for turn in read_traces(tmp_path / "turns.jsonl")] == ["What is 1 + 3?", "What is 2 + 3?"]


def test_a_recording_that_cannot_be_written_is_told_before_anything_is_asked(
    command: Command, pupils: Pupil, tmp_path: Path
) -> None:
    ended = command("ask", "--local", "--record", str(tmp_path), "What is 4 + 3?")
    assert ended.code == 74
    assert "cannot be written" in ended.err
    assert pupils.asked == []
