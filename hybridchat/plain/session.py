"""Runs one turn for a face: events out, the person's answers and signals in, an exit code at the end."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import stat
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import NoReturn, Protocol

from hybridchat.errors import HybridChatError
from hybridchat.events import Consent, ConsentRequested, Event, Failed, Finished, ModelChoiceRequested, Reply
from hybridchat.plain.consent import Person
from hybridchat.plain.streams import OutputRefused, ReaderGone

_STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class RunningTurn(Protocol):
    """What a turn is to its consumer: ``engine.Turn``."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """Yield the events; the last is ``Finished`` or ``Failed``."""
        ...

    def answer(self, reply: Reply) -> None:
        """Answer the question that was asked last."""
        ...

    def cancel(self) -> None:
        """Stop; the turn ends with ``Failed``, what came so far is kept."""
        ...


class Face(Protocol):
    """Shows a turn: ``TextFace`` or ``JsonLinesFace``.

    ``waits_for_questions`` says that events must wait while a question stands on the terminal.
    """

    @property
    def waits_for_questions(self) -> bool:
        """Whether events wait while a question is open."""
        ...

    def show(self, event: Event) -> None:
        """Show one event."""
        ...

    def fail(self, error: HybridChatError) -> None:
        """Show an error outside the turn."""
        ...


async def run_turn(
    turn: RunningTurn,
    face: Face,
    *,
    person: Person | None = None,
    answer_fd: int | None = None,
) -> int:
    """Show ``turn`` to its end and return the exit code.

    The first Ctrl-C (or SIGTERM, SIGHUP) cancels the turn, the second leaves at once. ``answer_fd`` is the descriptor
    that the answer is written to: when it is a pipe and its reader goes, the turn is cancelled.
    """
    session = _Session(turn, face, person)
    with _stopping(turn.cancel) as stop, _watching_reader(answer_fd, session.reader_gone):
        last = await session.run(stop)
    return last.exit_code if session.exit_code is None else session.exit_code


class _Session:
    def __init__(self, turn: RunningTurn, face: Face, person: Person | None) -> None:
        self._turn = turn
        self._face = face
        self._person = person
        self._question: asyncio.Task[None] | None = None
        self._later: deque[Event] = deque()
        self.exit_code: int | None = None  # set once nobody can be shown anything more

    async def run(self, stop: _Stop) -> Finished | Failed:
        async for event in self._turn:
            if isinstance(event, Finished | Failed):
                return await self._end(event, stop)
            if self._question is not None and self._face.waits_for_questions:
                self._later.append(event)
            else:
                self._take(event)
        raise RuntimeError("a turn ended without saying how")

    async def _end(self, event: Finished | Failed, stop: _Stop) -> Finished | Failed:
        if self._question is not None:
            self._question.cancel()
            await asyncio.gather(self._question, return_exceptions=True)
        if isinstance(event, Failed) and stop.code is not None and event.code == "interrupted":
            event = replace(event, exit_code=stop.code)
        self._show(event)
        return event

    def _take(self, event: Event) -> None:
        self._show(event)
        if isinstance(event, ConsentRequested | ModelChoiceRequested):
            if self._person is None or self.exit_code is not None:
                self._turn.answer(Consent.STAY_LOCAL if isinstance(event, ConsentRequested) else None)
            else:
                self._question = asyncio.create_task(self._ask(self._person, event))

    async def _ask(self, person: Person, event: ConsentRequested | ModelChoiceRequested) -> None:
        try:
            reply: Reply
            if isinstance(event, ConsentRequested):
                reply = await person.consent(event.outgoing)
            else:
                reply = await person.model(event)
        finally:
            self._question = None
            while self._later and self._question is None:
                self._take(self._later.popleft())
        self._turn.answer(reply)

    def _show(self, event: Event) -> None:
        if self.exit_code is not None:
            return
        try:
            self._face.show(event)
        except ReaderGone:
            self.reader_gone()
        except OutputRefused as error:
            # the turn goes on: its answer is worth keeping in the history
            self.exit_code = error.exit_code
            self._face.fail(error)

    def reader_gone(self) -> None:
        """Stop: whoever wanted the answer has left."""
        if self.exit_code is None:
            self.exit_code = ReaderGone.exit_code
            self._turn.cancel()


class _Stop:
    """What the user or the system did to stop the turn: ``code`` is the exit code that says so."""

    code: int | None = None


@contextmanager
def _stopping(cancel: Callable[[], None], leave: Callable[[int], NoReturn] = os._exit) -> Iterator[_Stop]:
    """Let the first signal cancel and the second leave, even while a write to a slow reader blocks the loop."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    loop = asyncio.get_running_loop()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.code is not None:
            leave(stop.code)
        stop.code = 128 + number
        loop.call_soon_threadsafe(cancel)

    before = {number: signal.signal(number, handle) for number in _STOP_SIGNALS if not _is_held_off(number)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_held_off(number: signal.Signals) -> bool:
    """Say whether the user wants this process to outlive the closing terminal (``nohup``)."""
    return number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN


@contextmanager
def _watching_reader(descriptor: int | None, gone: Callable[[], None]) -> Iterator[None]:
    """Call ``gone`` as soon as the pipe ``descriptor`` has no reader, also while nothing is written to it."""
    if sys.platform == "win32" or descriptor is None or not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        yield
        return
    loop = asyncio.get_running_loop()
    poll = select.poll()
    poll.register(descriptor, 0)

    def look() -> None:
        if any(happened & (select.POLLERR | select.POLLHUP) for _, happened in poll.poll(0)):
            gone()
        loop.remove_reader(descriptor)

    try:
        loop.add_reader(descriptor, look)
    except (NotImplementedError, OSError):  # a loop that cannot watch: the next write will tell
        yield
        return
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
