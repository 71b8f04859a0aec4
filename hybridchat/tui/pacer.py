"""When to draw what streams in: as often as the eye can follow, and never so often that keys have to wait."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL = 1 / 30
"""Seconds between the beginnings of two draws, at least."""
_REST = 2
"""How many times as long as the last draw worked the pacer rests after it: that takes a third of the time at most."""


class Handle(Protocol):
    """A call to come, such as ``asyncio.TimerHandle``."""

    def cancel(self) -> None:
        """Let it not come."""


def _call_later(delay: float, callback: Callable[[], None]) -> Handle:
    return asyncio.get_running_loop().call_later(delay, callback)


class Pacer:
    """Collects text and hands it to ``draw`` in pieces, at the rate at which drawing turns out to be possible.

    ``draw`` begins to draw; whoever draws calls ``drawn`` when it can be seen. Until then no other draw begins. With
    nothing to draw there is no timer. ``clock``, ``work`` and ``call_later`` count in seconds; ``work`` is the CPU time
    of this thread: much of the time until a frame is out is spent waiting for its turn, which nobody need rest from.
    """

    def __init__(
        self,
        draw: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.perf_counter,
        work: Callable[[], float] = time.thread_time,
        call_later: Callable[[float, Callable[[], None]], Handle] = _call_later,
    ) -> None:
        self._draw = draw
        self._clock = clock
        self._work = work
        self._call_later = call_later
        self._pending: list[str] = []
        self._drawing_since: tuple[float, float] | None = None
        self._due = float("-inf")
        self._timer: Handle | None = None
        self._held = False

    @property
    def pending(self) -> str:
        """What was fed and not drawn yet."""
        return "".join(self._pending)

    def feed(self, text: str) -> None:
        """Take ``text`` in; draw it now if it is time, else as soon as it is."""
        if text:
            self._pending.append(text)
            self._consider()

    def drawn(self) -> None:
        """Tell that what was handed out last is on the screen."""
        if self._drawing_since is None:
            return
        began, worked = self._drawing_since
        self._drawing_since = None
        self._due = max(began + INTERVAL, self._clock() + _REST * (self._work() - worked))
        self._consider()

    def hold(self) -> None:
        """Collect without drawing, while nobody looks."""
        self._held = True
        self._cancel()

    def release(self) -> None:
        """Draw again, beginning with what was held back."""
        self._held = False
        self._consider()

    def flush(self) -> None:
        """Hand out what is left, at once: the end of the stream."""
        self._cancel()
        self._hand_out()

    def _consider(self) -> None:
        if not self._pending or self._held or self._drawing_since is not None or self._timer is not None:
            return
        wait = self._due - self._clock()
        if wait <= 0:
            self._hand_out()
        else:
            self._timer = self._call_later(wait, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._hand_out()

    def _hand_out(self) -> None:
        text = self.pending
        self._pending.clear()
        if text:
            self._drawing_since = self._clock(), self._work()
            self._draw(text)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
