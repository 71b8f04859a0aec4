from __future__ import annotations

import io

import pytest

from hybridchat.cli.counting import CountProgress
from hybridchat.plain.streams import Narration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, *, quiet: bool = False) -> str:
    with CountProgress(Narration(stream, quiet=quiet, environ={}), "asking phi3.5") as progress:
        progress.step(0, 200, None)
        for done in range(1, 201):
            progress.step(done, 200, (200 - done) * 30.0)
    return stream.getvalue()


def test_a_terminal_gets_one_line_that_is_rewritten() -> None:
    text = told(Terminal())
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert "\rasking phi3.5: 100 of 200, about 50 min left" in text
    assert text.rstrip().endswith("asking phi3.5: 200 of 200")


def test_a_log_gets_a_line_now_and_then() -> None:
    lines = told(io.StringIO()).splitlines()
    assert len(lines) == 21
    assert lines[0] == "asking phi3.5: 0 of 200"
    assert lines[-1] == "asking phi3.5: 200 of 200"


def test_who_wants_quiet_is_told_nothing() -> None:
    assert told(Terminal(), quiet=True) == ""


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (89.0, "89 s"), (600.0, "10 min"), (5000.0, "83 min"), (9000.0, "2.5 h")]
)
def test_the_time_left_is_told_as_people_tell_it(seconds: float, said: str) -> None:
    stream = io.StringIO()
    with CountProgress(Narration(stream, environ={}), "x") as progress:
        progress.step(1, 2, seconds)
    assert f"about {said} left" in stream.getvalue()
