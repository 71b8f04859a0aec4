import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybridchat.errors import CannotWrite
from hybridchat.plain.streams import Narration, Output, ReaderGone, file_descriptor, is_terminal

FULL = Path("/dev/full")


class Refusing(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "broken")


def test_a_closed_standard_output_is_a_clear_error() -> None:
    with pytest.raises(CannotWrite, match="closed"):
        Output(None).write("x")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_a_clear_error_and_leaves_nothing_to_complain_about_at_exit() -> None:
    with FULL.open("w") as stream, pytest.raises(CannotWrite, match="No space left"):
        Output(stream).write("x")


def test_a_closed_pipe_is_told_apart() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream, pytest.raises(ReaderGone):
        Output(stream).write("x")


def test_an_output_without_a_descriptor_can_be_abandoned() -> None:
    output = Output(io.StringIO())
    output.abandon()
    assert output.fileno() is None


@pytest.mark.parametrize(
    ("named", "kept"),
    [({"PYTHONIOENCODING": "latin-1:strict"}, "iso8859-1"), ({}, "utf-8"), ({"PYTHONIOENCODING": ""}, "utf-8")],
)
def test_an_encoding_that_cannot_say_everything_gives_way_unless_the_user_named_it(
    named: dict[str, str], kept: str
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="iso8859-1")
    Output(stream, environ=named).write("ü𝟜")
    assert stream.encoding == kept
    assert isinstance(stream.buffer, io.BytesIO)
    assert stream.buffer.getvalue() == "ü𝟜".encode(kept, "replace")


def test_an_encoding_can_be_forced() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="iso8859-1")
    Output(stream, encoding="utf-8", environ={"PYTHONIOENCODING": "latin-1"})
    assert stream.encoding == "utf-8"


def test_half_a_character_becomes_a_question_mark() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    Output(stream).write("a\ud800b")
    assert isinstance(stream.buffer, io.BytesIO)
    assert stream.buffer.getvalue() == b"a?b"


@pytest.mark.parametrize("stream", [None, Refusing()])
def test_a_standard_error_that_takes_nothing_is_left_alone(stream: io.StringIO | None) -> None:
    narration = Narration(stream)
    narration.say("first")
    narration.say("second")


def test_a_standard_error_of_few_characters_replaces_the_rest() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Narration(stream).say("süß")
    assert isinstance(stream.buffer, io.BytesIO)
    assert stream.buffer.getvalue() == b"s??\n"


def test_a_closed_stream_is_no_terminal_and_has_no_descriptor() -> None:
    stream = io.StringIO()
    stream.close()
    assert not is_terminal(stream)
    assert file_descriptor(stream) is None
    assert not is_terminal(None)
    assert file_descriptor(None) is None


def test_the_interpreter_exits_in_silence_after_its_reader_has_gone() -> None:
    program = """
import os, sys
from hybridchat.plain.streams import Output, ReaderGone
reader, writer = os.pipe()
os.dup2(writer, 1)
os.close(reader)
try:
    Output(sys.stdout).write("x")
except ReaderGone as gone:
    sys.exit(gone.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (141, b"")
