import errno
import signal
import sys
from pathlib import Path

import pytest

from hybridchat.cli.ending import run_to_exit_code
from hybridchat.errors import BadConfiguration, CannotWrite, HybridChatError
from hybridchat.plain.streams import ReaderGone


def ended(error: BaseException | None, *, telling: Exception | None = None) -> tuple[int, list[HybridChatError]]:
    told: list[HybridChatError] = []

    def work() -> int:
        if error is not None:
            raise error
        return 7

    def tell(problem: HybridChatError) -> None:
        told.append(problem)
        if telling is not None:
            raise telling

    return run_to_exit_code(work, tell), told


def test_work_that_ends_gives_its_own_exit_code() -> None:
    assert ended(None) == (7, [])


def test_an_error_is_told_and_gives_its_exit_code() -> None:
    error = BadConfiguration("no")
    assert ended(error) == (78, [error])


def test_ctrl_c_is_130() -> None:
    code, told = ended(KeyboardInterrupt())
    assert (code, told[0].code) == (130, "interrupted")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_unwinds_what_is_done_and_has_an_exit_code_of_its_own(name: str) -> None:
    number = signal.Signals[name]
    unwound: list[str] = []
    told: list[HybridChatError] = []

    def work() -> int:
        try:
            signal.raise_signal(number)
        finally:
            unwound.append(name)
        return 0

    before = signal.signal(number, signal.SIG_DFL)  # whoever runs the tests may have other plans for it
    code = run_to_exit_code(work, told.append)
    assert signal.signal(number, before) is signal.SIG_DFL
    assert code == 128 + number
    assert (unwound, told[0].code, told[0].exit_code) == ([name], "interrupted", 128 + number)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_signal_that_is_held_off_by_nohup_stays_so() -> None:
    def work() -> int:
        signal.raise_signal(signal.SIGHUP)
        return 7

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run_to_exit_code(work, lambda _: None) == 7
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_reader_that_has_gone_is_told_nothing() -> None:
    assert ended(ReaderGone()) == (141, [])


def test_a_reader_that_goes_while_it_is_told_is_141() -> None:
    assert ended(BadConfiguration("no"), telling=ReaderGone())[0] == 141


def test_a_stream_that_refuses_the_error_gives_its_own_exit_code() -> None:
    assert ended(BadConfiguration("no"), telling=CannotWrite("full"))[0] == 74


def test_a_disk_that_takes_nothing_is_no_fault_of_ours() -> None:
    code, (told,) = ended(OSError(errno.ENOSPC, "No space left on device", "notes.txt"))
    assert (code, told.message) == (74, "cannot write notes.txt: No space left on device")
    assert ended(OSError(errno.EBADF, "Bad file descriptor"))[0] == 70


def test_a_fault_of_our_own_is_written_down_without_what_it_says(home: Path) -> None:
    fault = ValueError("a secret")
    fault.__cause__ = KeyError("another secret")
    code, (told,) = ended(fault)
    (log,) = home.rglob("errors.log")
    assert code == 70
    assert str(log) in told.hint
    written = log.read_text("utf-8")
    assert "builtins.ValueError" in written
    assert "builtins.KeyError" in written
    assert "test_ending.py" in written
    assert "secret" not in written + told.message + told.hint


def test_a_fault_that_cannot_be_written_down_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    monkeypatch.setattr("hybridchat.cli.fault_log.cache_folder", lambda: blocked / "folder")
    code, (told,) = ended(ValueError("a secret"))
    assert code == 70
    assert "could not be written" in told.hint
