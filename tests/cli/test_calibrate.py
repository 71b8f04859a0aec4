from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from hybridchat.backends.protocol import Backend
from hybridchat.cli import wiring
from hybridchat.config.settings import Settings
from hybridchat.evaluation.traces import Trace, read_traces
from hybridchat.messages import Place
from hybridchat.routing.prior import Prior, shipped
from tests.cli.conftest import Command
from tests.cli.pupil import Pupil

Enter = Callable[..., Pupil]


@pytest.fixture
def pupil(monkeypatch: pytest.MonkeyPatch) -> Enter:
    """Let a pupil answer as the local model; ``remote`` answers as the remote one."""

    def enter(one: Pupil, remote: Pupil | None = None) -> Pupil:
        def local(settings: Settings, environ: Mapping[str, str] = os.environ) -> Backend:
            return one

        async def opened(_model: str | None) -> Backend:
            assert remote is not None
            return remote

        monkeypatch.setattr(wiring, "_remote_opener", lambda *_: opened)
        monkeypatch.setattr(wiring, "local_backend", local)
        return one

    return enter


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYBRIDCHAT_STORE_PATH", str(home / "data"))
    return home / "data" / "calibrations"


def questions(path: Path, count: int = 40) -> str:
    lines = [{"question": f"What is {a} + 3?", "answer": a + 3} for a in range(1, count + 1)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def third(a: int) -> bool:
    return a % 3 == 0


def traces(folder: Path) -> list[Trace]:
    (path,) = folder.glob("*.jsonl")
    return read_traces(path)


def kept(folder: Path) -> Prior:
    (path,) = folder.glob("*.json")
    return Prior.parse(path.read_bytes())


def confidence(command: Command) -> dict[str, object]:
    out = command("ask", "--local", "--json", "What is 4 + 3?").out
    found: dict[str, object] = json.loads(out.splitlines()[-1])["provenance"]["confidence"]
    return found


def test_a_calibration_is_printed_kept_privately_and_used(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path
) -> None:
    asked = pupil(Pupil(third))
    before = confidence(command)
    assert before["calibrated"] is False
    ended = command("calibrate", questions(tmp_path / "q.jsonl"))
    assert ended.code == 0
    assert "40 graded answers, 27 right" in ended.out
    assert "How often answers of each confidence are right" in ended.out
    assert "Warranty" in ended.out
    assert "asking pupil: 0 of 40" in ended.err
    assert "asking pupil: 40 of 40" in ended.err
    assert len(asked.asked) == 41
    prior = kept(folder)
    assert prior.model is not None
    assert (prior.model.name, prior.model.digest, prior.model.top_k) == ("pupil", "sha256:1", 3)
    assert (prior.questions, prior.right, prior.remote) == (40, 27, shipped().remote)
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.iterdir()])
    after = confidence(command)
    assert after["calibrated"] is True
    assert after["value"] != before["value"]


@pytest.mark.parametrize("changed", [Pupil(third, digest="sha256:2"), Pupil(third, top_k=2), Pupil(third, digest=None)])
def test_in_another_version_of_the_model_a_calibration_is_stale(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path, changed: Pupil
) -> None:
    pupil(Pupil(third))
    command("calibrate", questions(tmp_path / "q.jsonl"))
    pupil(changed)
    assert confidence(command)["calibrated"] is False
    shown = command("calibrate", "--show")
    assert shown.code == 0
    assert ("stale: the model's digest is another one" in shown.out) == (changed.digest != "sha256:1")


def test_under_another_system_prompt_a_calibration_is_stale(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil(Pupil(third))
    command("calibrate", questions(tmp_path / "q.jsonl"))
    monkeypatch.setenv("HYBRIDCHAT_ANSWER_SYSTEM", "Be brief.")
    assert confidence(command)["calibrated"] is False
    assert "another system prompt" in command("calibrate", "--show").out


def test_what_is_shown_names_the_model_and_whether_it_is_calibrated(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path
) -> None:
    pupil(Pupil(third))
    assert command("calibrate", "--show").out == "pupil would answer now: not calibrated, the shipped prior counts\n"
    command("calibrate", questions(tmp_path / "q.jsonl"))
    shown = command("calibrate", "--show").out
    assert "pupil: calibrated on" in shown
    assert "with 40 answers (27 right)" in shown
    assert "3 alternatives a token" in shown
    assert "stale" not in shown


def test_doctor_says_whether_there_is_a_calibration_and_whether_it_holds(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path
) -> None:
    def told() -> str:
        lines = (json.loads(line) for line in command("doctor", "--json").out.splitlines())
        return next(json.dumps(line) for line in lines if "calibration" in line.values())

    pupil(Pupil(third))
    assert "the shipped prior" in told()
    command("calibrate", questions(tmp_path / "q.jsonl"))
    assert "from 40 answers of this model" in told()
    pupil(Pupil(third, digest="sha256:2"))
    assert "stale: the model's digest is another one" in told()


def test_a_server_without_logprobs_calibrates_what_is_read_from_the_text(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path
) -> None:
    pupil(Pupil(third, top_k=0))
    ended = command("calibrate", questions(tmp_path / "q.jsonl"))
    assert ended.code == 0
    assert "the server gives no logprobs" in " ".join(ended.out.split())
    found = confidence(command)
    assert (found["calibrated"], found["basis"]) == (True, "text")
    assert found["value"] == pytest.approx(27 / 40, abs=0.05)


@pytest.mark.parametrize(("fails", "said"), [(lambda _: False, "right"), (lambda _: True, "wrong")])
def test_answers_of_one_class_teach_nothing_but_are_kept(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path, fails: Callable[[int], bool], said: str
) -> None:
    pupil(Pupil(fails))
    ended = command("calibrate", questions(tmp_path / "q.jsonl"))
    assert (ended.code, ended.out) == (65, "")
    assert f"all 40 graded answers are {said}" in ended.err
    assert len(traces(folder)) == 40
    assert confidence(command)["calibrated"] is False


def test_few_answers_are_too_few(command: Command, pupil: Enter, folder: Path, tmp_path: Path) -> None:
    pupil(Pupil(third))
    ended = command("calibrate", questions(tmp_path / "q.jsonl"), "--limit", "9")
    assert ended.code == 65
    assert "too few for a calibration" in ended.err
    assert len(traces(folder)) == 9


def test_ctrl_c_keeps_what_was_answered_and_the_same_command_goes_on(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path
) -> None:
    path = questions(tmp_path / "q.jsonl")
    pupil(Pupil(third, stops_after=7))
    ended = command("calibrate", path)
    assert ended.code == 130
    assert "stopped: 7 of 40 answers are kept" in ended.err
    assert f"`hybridchat calibrate {path}` goes on from there" in ended.err
    assert len(traces(folder)) == 7
    asked = pupil(Pupil(third))
    assert command("calibrate", path).code == 0
    assert len(asked.asked) == 33


def test_a_broken_question_file_names_the_line_and_asks_nothing(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path
) -> None:
    asked = pupil(Pupil(third))
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "What is 1 + 1?", "answer": 2}\n{"question": 5}\n', encoding="utf-8")
    ended = command("calibrate", str(path))
    assert ended.code == 65
    assert "line 2 of" in ended.err
    assert asked.asked == []
    assert command("calibrate", str(tmp_path / "none.jsonl")).code == 66


def test_a_sample_is_put_to_the_remote_model_by_turns_that_the_ledger_knows(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path
) -> None:
    remote = Pupil(lambda a: a % 7 == 0, place=Place.REMOTE)
    pupil(Pupil(third), remote)
    ended = command("calibrate", questions(tmp_path / "q.jsonl"), "--remote-sample", "25", "--allow-remote")
    assert ended.code == 0
    assert len(remote.asked) == 25
    prior = kept(folder)
    assert prior.pairs == 25
    assert prior.remote.if_local_wrong > shipped().remote.if_local_wrong
    assert "measured on 25 questions" in " ".join(ended.out.split())
    ledger = command("egress", "list", "--limit", "100", "--json").out
    assert len([line for line in ledger.splitlines() if json.loads(line)["entry"]["model"] == "pupil"]) == 25
    assert command("history", "list", "--json").out == ""


@pytest.mark.parametrize("policy", ["confirm", "local-only"])
def test_without_consent_the_remote_model_is_not_asked_and_the_rest_is_done(
    command: Command, pupil: Enter, folder: Path, tmp_path: Path, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybridchat.cli.calibrating.open_terminal", lambda: None)
    remote = Pupil(third, place=Place.REMOTE)
    pupil(Pupil(third), remote)
    ended = command("calibrate", questions(tmp_path / "q.jsonl"), "--remote-sample", "5", "--data-policy", policy)
    assert ended.code == 0
    assert "the remote model was not asked to the end" in ended.err
    assert remote.asked == []
    assert kept(folder).pairs == 0


class Typing:
    """A terminal at which the same line is typed at every question."""

    def __init__(self, line: str) -> None:
        self._line = line
        self.shown: list[str] = []

    def write(self, text: str) -> None:
        self.shown.append(text)

    async def line(self) -> str:
        return self._line

    def close(self) -> None: ...


@pytest.mark.parametrize(("typed", "asked", "questions_put"), [("a", 5, 1), ("s", 5, 5), ("l", 0, 1)])
def test_on_a_terminal_the_usual_question_is_put_until_the_answer_is_always(
    command: Command,
    pupil: Enter,
    folder: Path,
    tmp_path: Path,
    typed: str,
    asked: int,
    questions_put: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Typing(typed)
    monkeypatch.setattr("hybridchat.cli.calibrating.open_terminal", lambda: terminal)
    remote = Pupil(third, place=Place.REMOTE)
    pupil(Pupil(third), remote)
    ended = command("calibrate", questions(tmp_path / "q.jsonl"), "--remote-sample", "5")
    assert ended.code == 0
    assert len(remote.asked) == asked
    assert "".join(terminal.shown).count("Send this to a remote model?") == questions_put
    assert ("the remote model was not asked to the end" in ended.err) == (typed == "l")


def test_what_was_learned_from_use_is_told(command: Command, pupil: Enter, folder: Path) -> None:
    pupil(Pupil(third))
    assert command("calibrate", "--from-history").out == "nothing was learned from use yet\n"
    command("ask", "--local", "What is 4 + 3?")
    assert command("calibrate", "--from-history").out.startswith("pupil: nothing was learned yet")


def test_a_model_that_is_not_there_is_told_before_anything_is_asked(
    command: Command, folder: Path, tmp_path: Path
) -> None:
    ended = command("calibrate", "--local-backend", "embedded", "--model", str(tmp_path / "none.gguf"))
    assert ended.code == 69
    assert "there is no model file" in ended.err
    shown = command("calibrate", "--show", "--local-backend", "embedded", "--model", str(tmp_path / "none.gguf"))
    assert "which model would answer now is not known" in shown.out


@pytest.fixture
def stop_server(monkeypatch: pytest.MonkeyPatch, command: Command) -> Iterator[None]:
    monkeypatch.setenv("HYBRIDCHAT_EMBEDDED_THREADS", "1")
    yield
    command("models", "stop")


@pytest.mark.real_model
@pytest.mark.usefixtures("stop_server")
def test_a_real_model_is_calibrated_and_says_so_from_then_on(
    command: Command, folder: Path, tmp_path: Path, smollm2: Path
) -> None:
    sums = [{"question": f"What is {a} + 1? Reply with the answer only.", "answer": a + 1} for a in range(2, 42)]
    easy = [{"question": f"Write the word {word}.", "answer": word} for word in ("cat", "dog", "sun", "red", "tree")]
    path = tmp_path / "q.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in sums + easy), encoding="utf-8")
    model = ["--local-backend", "embedded", "--model", str(smollm2), "--max-tokens", "24"]
    ended = command("calibrate", str(path), *model)
    graded = traces(folder)
    assert len(graded) == len(sums) + len(easy)
    assert all(trace.local.tokens and trace.local.top_k == 10 for trace in graded)
    assert ended.code == 0, ended.err
    answer = command("ask", "--local", "--json", "What is 7 + 1?", *model).out
    assert json.loads(answer.splitlines()[-1])["provenance"]["confidence"]["calibrated"] is True
