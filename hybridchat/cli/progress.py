"""Shows how far a download is: a bar for people, a line now and then for logs."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from hybridchat.plain.streams import Narration

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_TENTHS = 10


class PullProgress:
    """A context manager that writes to standard error."""

    def __init__(self) -> None:
        self._narration = Narration(sys.stderr)
        self._stage = ""
        self._told = 0  # tenths of the stage that were told
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def step(self, stage: str, done: int, total: int | None) -> None:
        """Show that ``done`` of ``total`` bytes of ``stage`` are here; None where the total is not known."""
        if self._bar is None:
            self._write(stage, done, total)
        else:
            self._draw(self._bar, stage, done, total)

    def __enter__(self) -> Self:
        if self._narration.is_terminal:
            self._bar = _new_bar()
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _write(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            self._stage, self._told = stage, 0
            self._narration.say(stage)
        tenths = done * _TENTHS // total if total else 0
        if tenths > self._told:
            self._told = tenths
            self._narration.say(f"{stage}: {tenths * 10}%")

    def _draw(self, bar: Progress, stage: str, done: int, total: int | None) -> None:
        from rich.markup import escape  # noqa: PLC0415 -- only a terminal needs it

        if stage != self._stage or self._task is None:
            self._stage = stage
            self._task = bar.add_task(escape(stage), total=total)
        bar.update(self._task, completed=done, total=total)


def _new_bar() -> Progress:
    from rich import progress  # noqa: PLC0415 -- only a terminal needs it
    from rich.console import Console  # noqa: PLC0415 -- the same

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TimeRemainingColumn(),
    )
    return progress.Progress(*columns, console=Console(stderr=True))
