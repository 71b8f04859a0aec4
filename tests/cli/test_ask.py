from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridchat.backends import recording
from hybridchat.backends.scripted import Pause
from hybridchat.cli import wiring
from tests.cli.conftest import Command
from tests.cli.scripted_program import play
from tests.plain.test_json_lines import validate

Program = Callable[..., "subprocess.Popen[bytes]"]

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals and pipes")


@pytest.fixture(autouse=True)
def _real_wiring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    handlers = list(logging.getLogger().handlers)
    for name in ("local_backend", "_remote_opener"):
        monkeypatch.setattr(wiring, name, getattr(wiring, name))  # so that it comes back afterwards
    yield
    logging.getLogger().handlers = handlers


def events(out: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in out.splitlines()]
    for line in lines:
        validate(line)
    assert [line["seq"] for line in lines] == list(range(len(lines)))
    return lines


def test_the_answer_goes_to_standard_output_alone(command: Command) -> None:
    play("four")
    ended = command("ask", "--local", "2+2?")
    assert (ended.code, ended.out, ended.err) == (0, "four\n", "")


def test_json_lines_fit_the_schema_and_end_with_finished(command: Command) -> None:
    play("four")
    ended = command("ask", "--local", "--json", "2+2?")
    lines = events(ended.out)
    assert (ended.code, lines[-1]["event"], lines[-1]["text"]) == (0, "finished", "four")
    assert [line["event"] for line in lines][:2] == ["routed", "opened"]


def test_a_conversation_goes_on(command: Command) -> None:
    play("four")
    first = events(command("ask", "--local", "--json", "one").out)[0]["conversation_id"]
    play("four")
    assert events(command("ask", "--local", "--json", "-c", "two").out)[0]["conversation_id"] == first
    play("four")
    other = events(command("ask", "--local", "--json", "three").out)[0]["conversation_id"]
    assert other != first
    play("four")
    named = command("ask", "--local", "--json", "--conversation", str(first), "four")
    assert events(named.out)[0]["conversation_id"] == first


def test_an_unknown_conversation_is_missing_input(command: Command) -> None:
    play("four")
    assert command("ask", "--conversation", "nope", "two").code == 66


def test_going_on_without_a_conversation_is_missing_input(command: Command) -> None:
    play("four")
    ended = command("ask", "-c", "two")
    assert (ended.code, ended.out) == (66, "")
    assert "no conversation" in ended.err


def test_nothing_is_kept_on_demand(command: Command, home: Path) -> None:
    play("four")
    assert command("ask", "--local", "--no-save", "2+2?").out == "four\n"
    assert not list(home.rglob("*.db"))


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["--local", "--remote", "hi"], 2, "usage_error"),
        (["-c", "--conversation", "x", "hi"], 2, "usage_error"),
        (["--min-confidence", "7", "hi"], 2, "usage_error"),
        (["--seed", "x", "hi"], 2, "usage_error"),
        ([], 65, "input_error"),
    ],
)
def test_errors_before_a_turn_are_lines_for_people_and_for_programs(
    arguments: list[str], code: int, kind: str, command: Command
) -> None:
    play("four")
    told = command("ask", *arguments)
    assert (told.code, told.out) == (code, "")
    assert told.err.startswith("hybridchat: ")
    (line,) = events(command("ask", "--json", *arguments).out)
    assert (line["event"], line["code"], line["exit_code"]) == ("failed", kind, code)


def test_an_unknown_option_is_a_usage_error(command: Command) -> None:
    assert command("ask", "--nonsense").code == 2


def test_a_bad_configuration_names_its_file(command: Command, home: Path) -> None:
    play("four")
    file = home / "config.toml"
    file.write_text("[local]\nmodle = 'x'\n")
    os.environ["HYBRIDCHAT_CONFIG"] = str(file)
    try:
        ended = command("ask", "hi")
    finally:
        del os.environ["HYBRIDCHAT_CONFIG"]
    assert ended.code == 78
    assert str(file) in ended.err


def test_no_model_at_all_is_69(command: Command) -> None:
    play("unreachable")
    ended = command("ask", "--local", "hi")
    assert (ended.code, ended.out) == (69, "")
    assert "nobody answers at all" in ended.err
    assert "Start the server." in ended.err


def test_a_local_answer_below_the_confidence_asked_for_is_10(command: Command) -> None:
    play("four")
    ended = command("ask", "--local", "--min-confidence", "1", "2+2?")
    assert (ended.code, ended.out) == (10, "four\n")
    assert "unsure" in ended.err


def test_a_remote_that_was_demanded_and_is_forbidden_is_79(command: Command) -> None:
    play("four")
    assert command("ask", "--remote", "--offline", "hi").code == 79
    assert command("ask", "--remote", "--data-policy", "local-only", "hi").code == 79


def test_a_remote_answer_that_is_allowed_needs_nobody(command: Command) -> None:
    play("four")
    ended = command("ask", "--remote", "--allow-remote", "hi")
    assert (ended.code, ended.out) == (0, "from afar\n")
    assert "far.example" in command("egress", "list").out


def test_a_fault_of_our_own_is_one_line_and_a_private_log_without_the_prompt(command: Command, home: Path) -> None:
    play("crash")
    ended = command("ask", "--local", "hi")
    assert ended.code == 70
    assert "Traceback" not in ended.err
    assert "secret" not in ended.err
    (log,) = home.rglob("errors.log")
    assert "secret" not in log.read_text("utf-8")
    assert "LookupError" in log.read_text("utf-8")
    if sys.platform != "win32":
        assert log.stat().st_mode & 0o777 == 0o600
    play("crash")
    assert events(command("ask", "--local", "--json", "hi").out)[-1]["exit_code"] == 70


@POSIX
def test_piped_data_reaches_the_model(program: Program) -> None:
    process = program("four", "ask", "--local", "--json", "sum it up", stdin=subprocess.PIPE)
    out, err = process.communicate(b"1\n2\n", timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert events(out.decode())[-1]["text"] == "four"


@POSIX
def test_a_reader_that_goes_is_met_with_silence(program: Program) -> None:
    process = program("lines", "ask", "--local", "count")
    assert process.stdout is not None
    assert process.stdout.readline() == b"line 0\n"
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


@POSIX
def test_a_reader_that_goes_before_anything_is_written_stops_the_model(program: Program) -> None:
    reader, writer = os.pipe()
    process = program("endless", "ask", "--no-stream", "--local", "hi", stdout=writer)
    os.close(writer)
    os.close(reader)
    assert process.wait(60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


@POSIX
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_full_disk_is_told_and_the_answer_is_kept(extra: list[str], program: Program, command: Command) -> None:
    with Path("/dev/full").open("wb") as full:
        process = program("four", "ask", "--local", *extra, "2+2?", stdout=full.fileno())
        _, err = process.communicate(timeout=60)
    assert process.returncode == 74
    assert err.decode().count("hybridchat: standard output cannot be written") == 1
    assert command("history", "list").out.count("2+2?") == 1
    conversation = command("history", "list").out.split("\t")[0]
    assert "four" in command("history", "show", conversation).out


@POSIX
def test_a_closed_standard_output_is_told(program: Program) -> None:
    process = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m tests.cli.scripted_program four ask --local hi >&-"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert process.returncode == 74
    assert b"standard output is closed" in process.stderr


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_the_partial_answer(
    number: signal.Signals, code: int, program: Program, command: Command
) -> None:
    process = program("endless", "ask", "--local", "hi")
    assert process.stdout is not None
    assert process.stdout.read(14) == b"half an answer"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, b"\n")
    assert b"hybridchat ask --continue" in err
    assert err.count(b"\n") == 1
    conversation = command("history", "list").out.split("\t")[0]
    shown = command("history", "show", conversation).out
    assert "half an answer" in shown
    assert "partial" in shown


@POSIX
def test_a_signal_ends_json_lines_with_failed(program: Program) -> None:
    process = program("endless", "ask", "--local", "--json", "hi")
    assert process.stdout is not None
    begun = b"".join(process.stdout.readline() for _ in range(3))
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    process.communicate(timeout=60)
    last = events((begun + rest).decode())[-1]
    assert (process.returncode, last["event"], last["code"], last["exit_code"]) == (130, "failed", "interrupted", 130)
    assert last["text"] == "half an answer"


@POSIX
def test_without_a_terminal_nothing_leaves(program: Program, command: Command) -> None:
    process = program("four", "ask", "--remote", "hi")
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (79, b"")
    assert command("egress", "list").out == ""


@pytest.mark.parametrize(
    "arguments",
    [("--local", "--auto"), ("--remote", "--auto"), ("--local", "--remote"), ("--raw", "--json"), ("--demo", "hi")],
)
def test_options_that_exclude_each_other_are_a_usage_error(command: Command, arguments: tuple[str, ...]) -> None:
    ended = command("ask", *arguments, *(() if "--demo" in arguments else ("hi",)))
    assert ended.code == 2


def test_the_demonstration_needs_no_model_and_keeps_nothing(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "Pause", lambda seconds: Pause(0 * seconds))  # played at once
    ended = command("ask", "--demo")
    assert ended.code == 0
    assert "Grass" in ended.out
    assert "local draft set aside after" in ended.err
    assert not list(home.rglob("hybridchat.db"))
