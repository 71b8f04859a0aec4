import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

import pexpect

ROOT = str(Path(__file__).parents[2])


def child(scenario: str, arguments: str, redirect: str = "") -> "pexpect.spawn[str]":
    # the terminal is kept open: it would hang up while nobody has it open
    line = f'exec 3<>/dev/tty; exec "$0" -m tests.cli.scripted_program {scenario} {arguments} {redirect}'
    return pexpect.spawn(
        "/bin/sh",
        ["-c", line, sys.executable],
        encoding="utf-8",
        timeout=60,
        cwd=ROOT,
        echo=False,
        dimensions=(24, 200),
    )


def ended(process: "pexpect.spawn[str]") -> int | None:
    process.expect(pexpect.EOF)
    process.close()
    status: int | None = process.exitstatus
    return status


def test_a_terminal_gets_the_answer_and_its_provenance_without_escape_codes() -> None:
    process = child("four", "ask --local hi")
    process.expect_exact("four\r\n")
    process.expect_exact("[small (on this machine, scripted)")
    assert "\x1b" not in process.before + process.after
    assert ended(process) == 0


def test_consent_is_asked_and_given_on_the_terminal_though_both_streams_are_pipes(tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    process = child("four", "ask --remote hi", f"</dev/null >{answer} 2>/dev/null")
    process.expect_exact("Send this to a remote model?")
    process.expect_exact("org/large at far (https://far.example/v1)")
    process.expect_exact("> ")
    process.sendline("p")
    process.expect_exact("--- user\r\nhi\r\n---")
    process.expect_exact("> ")
    process.sendline("s")
    assert ended(process) == 0
    assert answer.read_text("utf-8") == "from afar\n"


def test_consent_refused_for_a_remote_that_was_demanded_is_79(tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    process = child("four", "ask --remote hi", f">{answer}")
    process.expect_exact("> ")
    process.sendline("l")
    assert ended(process) == 79
    assert answer.read_text("utf-8") == ""


def test_ctrl_c_withdraws_a_question() -> None:
    process = child("four", "ask --remote hi")
    process.expect_exact("> ")
    process.sendintr()
    assert ended(process) == 130


def test_ctrl_c_keeps_the_partial_answer_and_says_how_to_go_on() -> None:
    process = child("endless", "ask --local hi")
    process.expect_exact("half an answer")
    process.sendintr()
    process.expect_exact("hybridchat ask --continue")
    assert ended(process) == 130


def test_ctrl_c_while_standard_input_is_awaited_leaves() -> None:
    process = child("four", "ask -")
    process.expect_exact("Ctrl-D")
    process.sendintr()
    assert ended(process) == 130


def test_a_dash_reads_what_is_typed() -> None:
    process = child("four", "ask --local -")
    process.expect_exact("Ctrl-D")
    process.sendline("2+2?")
    process.sendeof()
    process.expect_exact("four\r\n")
    assert ended(process) == 0
