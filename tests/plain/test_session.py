import asyncio
import errno
import io
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import NoReturn

import pytest

from hybridchat.events import (
    Consent,
    ConsentRequested,
    Event,
    Failed,
    HandOver,
    KeptLocal,
    ModelChoiceRequested,
    Outgoing,
    Part,
    Reply,
    Revise,
)
from hybridchat.messages import ChatMessage, Place, Role
from hybridchat.plain import session
from hybridchat.plain.consent import Person
from hybridchat.plain.json_lines import JsonLinesFace
from hybridchat.plain.session import _stopping, _watching_reader, run_turn
from hybridchat.plain.streams import Narration, Output
from hybridchat.plain.text import TextFace
from tests.plain.fake_turn import (
    FakeTurn,
    TerminalStream,
    finished,
    local,
    opened,
    remote,
    routed,
    script_of,
    set_aside,
)

OUTGOING = Outgoing(
    endpoint="huggingface",
    url="https://router.example/v1",
    model="Llama",
    original=(ChatMessage(Role.USER, "ann@example.org asks"),),
    redacted=(ChatMessage(Role.USER, "HIDDEN_EMAIL_1 asks"),),
    redactions={"email": 1},
    bytes=1234,
    tokens=300,
    cost=None,
    reason="unsure",
)
CHOICE = ModelChoiceRequested("huggingface", "Llama", ("Qwen", "Mistral"))


class Streams:
    def __init__(self, out: io.StringIO | None = None) -> None:
        self.out = out or io.StringIO()
        self.err = io.StringIO()
        self.text = TextFace(Output(self.out), Narration(self.err))
        self.json = JsonLinesFace(Output(self.out), Narration(self.err))


class FakeTerminal:
    """A person who types the next of ``lines`` whenever a line is awaited; without lines, never."""

    def __init__(self, *lines: str | None) -> None:
        self.shown = ""
        self.asked = asyncio.Event()
        self._lines = iter(lines)

    def write(self, text: str) -> None:
        self.shown += text

    async def line(self) -> str | None:
        self.asked.set()
        try:
            return next(self._lines)
        except StopIteration:
            await asyncio.Event().wait()
            raise


async def asking(turn: FakeTurn) -> AsyncIterator[Event]:
    yield routed(can_escalate=True)
    yield opened()
    yield local("draft")
    yield ConsentRequested(OUTGOING)
    reply = await turn.replies.get()
    if reply is Consent.STAY_LOCAL:
        yield KeptLocal("a1", "the local answer stands", "blocked")
        yield finished("draft")
    else:
        yield set_aside()
        yield remote(str(reply))
        yield finished(str(reply), Place.REMOTE)


async def never_ending(_turn: FakeTurn) -> AsyncIterator[Event]:
    yield routed()
    yield opened()
    yield local("half")
    await asyncio.Event().wait()


async def test_a_finished_turn_ends_with_its_exit_code() -> None:
    streams = Streams()
    assert await run_turn(FakeTurn(lambda _: script_of(routed(), finished("four"))), streams.text) == 0
    unsure = FakeTurn(lambda _: script_of(routed(), finished("four", exit_code=10)))
    assert await run_turn(unsure, streams.text) == 10


async def test_a_failed_turn_ends_with_its_exit_code() -> None:
    assert await run_turn(FakeTurn(lambda _: script_of(Failed("try_later", "busy", "", 75))), Streams().text) == 75


@pytest.mark.parametrize(
    ("typed", "answer"), [("s", "send"), ("A", "always"), ("send", "send"), (" always ", "always")]
)
async def test_a_person_lets_the_text_leave(typed: str, answer: str) -> None:
    streams, terminal = Streams(), FakeTerminal(typed)
    assert await run_turn(FakeTurn(asking), streams.text, person=Person(terminal)) == 0
    assert streams.out.getvalue() == f"{answer}\n"


@pytest.mark.parametrize("typed", ["l", "local", None])
async def test_a_person_who_refuses_or_closes_the_input_stays_local(typed: str | None) -> None:
    streams = Streams()
    assert await run_turn(FakeTurn(asking), streams.text, person=Person(FakeTerminal(typed))) == 0
    assert streams.out.getvalue() == "draft\n"


async def test_without_a_person_nothing_leaves() -> None:
    streams = Streams()
    assert await run_turn(FakeTurn(asking), streams.text) == 0
    assert streams.out.getvalue() == "draft\n"


async def test_the_question_says_what_goes_where_and_why() -> None:
    terminal = FakeTerminal("l")
    await run_turn(FakeTurn(asking), Streams().text, person=Person(terminal))
    for fact in ("huggingface", "https://router.example/v1", "Llama", "1,234 bytes", "300 tokens", "unknown cost",
                 "1 e-mail address", "unsure"):  # fmt: skip
        assert fact in terminal.shown


async def test_the_exact_text_that_would_go_is_shown_redacted_on_demand() -> None:
    terminal = FakeTerminal("what?", "p", "l")
    await run_turn(FakeTurn(asking), Streams().text, person=Person(terminal))
    assert "--- user\nHIDDEN_EMAIL_1 asks\n---\n" in terminal.shown
    assert "ann@example.org" not in terminal.shown
    assert terminal.shown.count("[s] send") == 3


REVISABLE = replace(
    OUTGOING,
    turns=2,
    forms=(HandOver.VERBATIM, HandOver.DISTIL),
    parts=(Part("m1", "you: hello", 3), Part("m2#1", "attached: notes.txt", 40, left_out=True)),
    note="asked again",
)


async def asking_again(turn: FakeTurn) -> AsyncIterator[Event]:
    yield routed(can_escalate=True)
    yield ConsentRequested(REVISABLE)
    yield finished(repr(await turn.replies.get()))


@pytest.mark.parametrize(
    ("typed", "reply"),
    [
        (["t", "oldest 2"], Revise(turns_left_out=2)),
        (["trim", "1"], Revise(left_out=("m1", "m2#1"))),
        (["t", "2"], Revise(left_out=())),
        (["t", "1 2 oldest 1"], Revise(turns_left_out=1, left_out=("m1",))),
        (["t", "9"], Revise(left_out=("m2#1", "9"))),
        (["t", "", "s"], Consent.SEND),
        (["r", "Project Aurora, Ada"], Revise(redact=("Project Aurora", "Ada"))),
        (["redact", " , ", "l"], Consent.STAY_LOCAL),
        (["h", "2"], Revise(form=HandOver.DISTIL)),
        (["h", "distil"], Revise(form=HandOver.DISTIL)),
        (["h", "extract", "a"], Consent.ALWAYS),
        (["t", None, "s"], Consent.SEND),
    ],
)
async def test_a_person_changes_in_words_what_would_leave(typed: list[str | None], reply: Reply) -> None:
    streams, terminal = Streams(), FakeTerminal(*typed)
    await run_turn(FakeTurn(asking_again), streams.text, person=Person(terminal))
    assert streams.out.getvalue() == f"{reply!r}\n"
    for fact in ("asked again", "left out  attached: notes.txt", "[t] trim", "[r] redact more", "[h] hand over"):
        assert fact in terminal.shown


async def choosing(turn: FakeTurn) -> AsyncIterator[Event]:
    yield routed(place=Place.REMOTE)
    yield CHOICE
    reply = await turn.replies.get()
    yield finished(str(reply), Place.REMOTE)


@pytest.mark.parametrize(
    ("typed", "chosen"), [(["2"], "Mistral"), (["l"], "None"), ([None], "None"), (["7", "x", "1"], "Qwen")]
)
async def test_a_person_chooses_among_the_models_that_are_served(typed: list[str | None], chosen: str) -> None:
    streams, terminal = Streams(), FakeTerminal(*typed)
    await run_turn(FakeTurn(choosing), streams.text, person=Person(terminal))
    assert streams.out.getvalue() == f"{chosen}\n"
    assert "  [1] Qwen\n  [2] Mistral\n" in terminal.shown


async def test_without_a_person_no_other_model_is_taken() -> None:
    streams = Streams()
    await run_turn(FakeTurn(choosing), streams.text)
    assert streams.out.getvalue() == "None\n"


async def going_on_while_asking(turn: FakeTurn) -> AsyncIterator[Event]:
    yield routed(can_escalate=True)
    yield opened()
    yield ConsentRequested(OUTGOING)
    yield local("meanwhile")
    yield finished("meanwhile")


async def test_the_end_of_a_turn_withdraws_the_question_and_loses_no_event() -> None:
    streams = Streams(TerminalStream())
    assert await run_turn(FakeTurn(going_on_while_asking), streams.text, person=Person(FakeTerminal())) == 0
    assert streams.out.getvalue() == "meanwhile\n"


async def test_text_waits_while_a_question_stands_on_the_terminal() -> None:
    streams, released = Streams(TerminalStream()), asyncio.Event()

    class Slow(FakeTerminal):
        async def line(self) -> str | None:
            await released.wait()
            assert streams.out.getvalue() == ""
            return "l"

    async def script(turn: FakeTurn) -> AsyncIterator[Event]:
        yield routed(can_escalate=True)
        yield ConsentRequested(OUTGOING)
        yield local("draft")
        released.set()
        await turn.replies.get()
        yield finished("draft")

    assert await run_turn(FakeTurn(script), streams.text, person=Person(Slow())) == 0
    assert streams.out.getvalue() == "draft\n"


async def test_json_lines_do_not_wait_for_a_question() -> None:
    streams, terminal = Streams(), FakeTerminal()
    turn = FakeTurn(going_on_while_asking)
    await run_turn(turn, streams.json, person=Person(terminal))
    names = [line.split('"event":"')[1].split('"')[0] for line in streams.out.getvalue().splitlines()]
    assert names == ["routed", "opened", "consent_requested", "delta", "finished"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send these signals to one process")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
async def test_a_signal_cancels_the_turn_and_keeps_what_was_said(
    number: signal.Signals, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(_turn: FakeTurn) -> AsyncIterator[Event]:
        yield routed()
        yield local("half")
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()

    monkeypatch.setattr(session, "_is_held_off", lambda _number: False)  # the tests may run under nohup
    before = signal.getsignal(number)
    streams = Streams()
    assert await run_turn(FakeTurn(script), streams.text) == code
    assert streams.out.getvalue() == "half\n"
    assert "hybridchat ask --continue" in streams.err.getvalue()
    assert signal.getsignal(number) is before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
async def test_a_closing_terminal_stops_nothing_under_nohup() -> None:
    async def script(_turn: FakeTurn) -> AsyncIterator[Event]:
        yield routed()
        signal.raise_signal(signal.SIGHUP)
        yield finished("four")

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert await run_turn(FakeTurn(script), Streams().text) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_a_signal_also_withdraws_an_open_question() -> None:
    terminal = FakeTerminal()

    async def script(_turn: FakeTurn) -> AsyncIterator[Event]:
        yield routed(can_escalate=True)
        yield ConsentRequested(OUTGOING)
        await terminal.asked.wait()
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()

    assert await run_turn(FakeTurn(script), Streams().text, person=Person(terminal)) == 130


class Left(Exception):
    pass


async def test_the_second_signal_leaves_at_once() -> None:
    cancelled: list[bool] = []
    codes: list[int] = []

    def leave(code: int) -> NoReturn:
        codes.append(code)
        raise Left

    with _stopping(lambda: cancelled.append(True), leave) as stop:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)
        assert cancelled == [True]
        with pytest.raises(Left):
            signal.raise_signal(signal.SIGINT)
    assert codes == [stop.code] == [130]


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)

    async def run() -> int:
        return await run_turn(FakeTurn(lambda _: script_of(finished("four"))), Streams().text)

    async def in_a_thread() -> int:
        return await asyncio.to_thread(asyncio.run, run())

    assert asyncio.run(in_a_thread()) == 0
    assert signal.getsignal(signal.SIGINT) is before


class Refusing(io.StringIO):
    """Standard output that takes nothing."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


async def test_a_closed_pipe_cancels_the_turn_silently() -> None:
    streams = Streams(Refusing(errno.EPIPE))
    turn = FakeTurn(never_ending)
    assert await run_turn(turn, streams.text) == 141
    assert turn.cancelled
    assert streams.err.getvalue() == ""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("as_json", [True, False])
async def test_a_full_disk_lets_the_turn_end_and_is_told_once(number: int, as_json: bool) -> None:
    streams = Streams(Refusing(number))
    turn = FakeTurn(asking)
    face = streams.json if as_json else streams.text
    assert await run_turn(turn, face, person=Person(FakeTerminal("l"))) == 74
    assert not turn.cancelled
    assert streams.err.getvalue().count("standard output cannot be written") == 1


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    os.close(ends[1])


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe cannot be watched there: the next write tells")
async def test_a_reader_that_goes_while_nothing_is_written_cancels_the_turn(pipe: tuple[int, int]) -> None:
    async def script(_turn: FakeTurn) -> AsyncIterator[Event]:
        yield routed(can_escalate=True)
        os.close(pipe[0])
        await asyncio.Event().wait()

    turn = FakeTurn(script)
    assert await run_turn(turn, Streams().text, answer_fd=pipe[1]) == 141
    assert turn.cancelled


async def test_a_pipe_with_a_reader_is_left_alone(pipe: tuple[int, int]) -> None:
    with _watching_reader(pipe[1], lambda: pytest.fail("the reader is there")):
        await asyncio.sleep(0)
    os.close(pipe[0])


async def test_a_turn_that_ends_without_an_end_is_our_own_fault() -> None:
    class Broken(FakeTurn):
        def __aiter__(self) -> AsyncIterator[Event]:
            return script_of(routed())

    with pytest.raises(RuntimeError):
        await run_turn(Broken(lambda _: script_of()), Streams().text)
