from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hybridchat.tui.pacer import INTERVAL, Pacer

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Timer:
    due: float
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Time:
    """A clock that goes when it is told to, and the timers that hang on it."""

    now: float = 100.0
    worked: float = 0.0
    timers: list[Timer] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def work(self) -> float:
        return self.worked

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + delay, callback))
        return self.timers[-1]

    @property
    def waiting(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def go(self, seconds: float, *, busy: float = 0.0) -> None:
        self.now += seconds
        self.worked += busy
        for timer in [timer for timer in self.waiting if timer.due <= self.now]:
            self.timers.remove(timer)
            timer.callback()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def draws() -> list[str]:
    return []


@pytest.fixture
def pacer(time: Time, draws: list[str]) -> Pacer:
    return Pacer(draws.append, clock=time.clock, work=time.work, call_later=time.call_later)


def test_the_first_piece_is_drawn_at_once(pacer: Pacer, draws: list[str], time: Time) -> None:
    pacer.feed("a")
    assert draws == ["a"]
    assert not time.waiting


def test_while_it_draws_pieces_collect_and_no_timer_runs(pacer: Pacer, draws: list[str], time: Time) -> None:
    for text in "abc":
        pacer.feed(text)
    assert draws == ["a"]
    assert pacer.pending == "bc"
    assert not time.waiting


def test_a_quick_draw_is_followed_by_the_next_after_the_interval(pacer: Pacer, draws: list[str], time: Time) -> None:
    pacer.feed("a")
    time.go(0.002, busy=0.002)
    pacer.drawn()
    pacer.feed("b")
    pacer.feed("c")
    assert [timer.due for timer in time.waiting] == [pytest.approx(100 + INTERVAL)]
    time.go(INTERVAL - 0.003)
    assert draws == ["a"]
    time.go(0.002)
    assert draws == ["a", "bc"]


def test_a_slow_draw_is_followed_by_a_rest_of_twice_its_work(pacer: Pacer, draws: list[str], time: Time) -> None:
    pacer.feed("a")
    pacer.feed("b")
    time.go(0.12, busy=0.1)
    pacer.drawn()
    time.go(0.199)
    assert draws == ["a"]
    time.go(0.002)
    assert draws == ["a", "b"]


def test_with_nothing_to_draw_nothing_runs(pacer: Pacer, draws: list[str], time: Time) -> None:
    pacer.feed("a")
    pacer.drawn()
    pacer.drawn()
    pacer.feed("")
    assert not time.waiting
    time.go(60)
    pacer.feed("b")
    assert draws == ["a", "b"]


def test_the_end_hands_out_the_rest_at_once_and_leaves_no_timer(pacer: Pacer, draws: list[str], time: Time) -> None:
    pacer.feed("a")
    pacer.drawn()
    pacer.feed("b")
    pacer.flush()
    assert draws == ["a", "b"]
    assert not time.waiting
    pacer.flush()
    assert draws == ["a", "b"]


def test_held_it_collects_without_a_timer_and_released_it_draws_all(pacer: Pacer, draws: list[str], time: Time) -> None:
    pacer.feed("a")
    pacer.drawn()
    pacer.feed("b")
    pacer.hold()
    pacer.feed("c")
    time.go(60)
    assert draws == ["a"]
    assert not time.waiting
    pacer.release()
    assert draws == ["a", "bc"]


async def test_by_default_the_event_loop_keeps_the_time(draws: list[str]) -> None:
    second = asyncio.Event()

    def draw(text: str) -> None:
        draws.append(text)
        if len(draws) == 2:
            second.set()

    pacer = Pacer(draw)
    pacer.feed("a")
    pacer.drawn()
    pacer.feed("b")
    await asyncio.wait_for(second.wait(), 10)
    assert draws == ["a", "b"]
