"""Shows how many of something are done, and how long the rest takes: a line that is rewritten, or one now and then."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from hybridchat.plain.streams import Narration

_PARTS = 20


class CountProgress:
    """A context manager that tells of ``what`` on standard error."""

    def __init__(self, narration: Narration, what: str) -> None:
        self._narration = narration
        self._what = what
        self._told = -1
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._width:
            self._narration.write("\n")

    def step(self, done: int, total: int, seconds_left: float | None) -> None:
        """Tell that ``done`` of ``total`` are done; ``seconds_left`` is None where it is not known."""
        line = f"{self._what}: {done} of {total}{_left(seconds_left)}"
        if self._narration.quiet:
            return
        if self._narration.is_terminal:
            self._narration.write(f"\r{line.ljust(self._width)}")
            self._width = len(line)
        elif (part := done * _PARTS // total if total else _PARTS) > self._told:
            self._told = part
            self._narration.say(line)


def _left(seconds: float | None) -> str:
    if seconds is None or not seconds:
        return ""
    if seconds < 90:
        return f", about {max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    return f", about {minutes} min left" if minutes < 90 else f", about {minutes / 60:.1f} h left"
