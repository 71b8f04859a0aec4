"""The conversation on the screen: a scrolling window onto its last turns."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Final

from textual.containers import VerticalScroll

from hybridchat.tui.answer import Answer
from hybridchat.tui.more_rows import EarlierRow, LaterRow, MoreRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.widget import Widget

WIDGET_LIMIT: Final = 250
"""Mounted widgets above which the oldest turns are taken off: what each layout visits is what each layout costs."""
_ALWAYS_KEPT: Final = 2
_PAGE: Final = 10

Turn = list["Widget"]
"""What one turn shows, from top to bottom: the question, the answer or answers, and what is told about them."""


class Transcript(VerticalScroll, can_focus=True):
    """Shows the last turns, stays at the end while they grow, and stays put once the user has scrolled up.

    What is mounted is bounded in both directions: whoever reads upwards loses turns below, but for the last one, which
    may still grow. A row above all turns and one above the last stand for what is left out.

    Scrolled up, what streams is collected and not drawn: nothing jumps, and reading costs nothing. ``load(first,
    last)`` returns the turns from ``first`` up to, not including, ``last``, counted from the conversation's beginning.
    """

    DEFAULT_CSS = """
    Transcript {
        layout: stream;
        padding: 0 1;
    }
    """

    BLANK: ClassVar[bool] = True  # as an answer is

    def __init__(
        self,
        load: Callable[[int, int], Awaitable[Sequence[Turn]]] | None = None,
        *,
        earlier: int = 0,
        widget_limit: int = WIDGET_LIMIT,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._load = load
        self._limit = widget_limit
        self._turns: list[Turn] = []
        self._row = EarlierRow()
        self._later_row = LaterRow()
        self._earlier = earlier
        self._later = 0
        self._following = True

    @property
    def earlier(self) -> int:
        """How many turns of the conversation stand above the first that is mounted."""
        return self._earlier

    @property
    def later(self) -> int:
        """How many turns are left out above the last one."""
        return self._later

    @property
    def following(self) -> bool:
        """Whether the end is in view and stays there."""
        return self._following

    @property
    def widgets(self) -> int:
        """How many widgets the turns have mounted."""
        return sum(map(_widgets, self._turns))

    def compose(self) -> ComposeResult:
        """Yield the row above the turns."""
        self._row.stand_for(self._earlier)
        yield self._row

    async def begin_turn(self, *widgets: Widget) -> None:
        """Add a turn at the end, and take off the oldest that there is no room for."""
        await self._go_to_end()
        self._turns.append([])
        await self.add(*widgets)
        await self.trim()

    async def add(self, *widgets: Widget) -> None:
        """Add to the last turn."""
        self._turns[-1] += widgets
        if not self._following:
            _each_answer([self._turns[-1]], Answer.hold)
        await self.mount_all(widgets)

    async def trim(self) -> None:
        """Take the oldest turns off until the limit is kept; the last two stay, and none goes while the user reads."""
        if not self._following:
            return
        await self._take_off_above(_ALWAYS_KEPT)

    async def load_earlier(self) -> None:
        """Mount turns before the first one, and take off as many below; what is read stays where it is."""
        if self._load is None or not self._earlier:
            return
        first = max(0, self._earlier - _PAGE)
        turns = await self._load(first, self._earlier)
        self.release_anchor()
        with self._staying():
            self._earlier = first
            self._row.stand_for(first)
            self._turns[:0] = turns
            await self.mount_all(_flat(turns), after=self._row)
            await self._take_off_below(len(turns))

    async def load_later(self) -> None:
        """Mount turns that are left out above the last one, and take off as many above; what is read stays."""
        if self._load is None or not self._later:
            return
        first = self._earlier + len(self._turns) - 1
        turns = list(await self._load(first, first + min(_PAGE, self._later)))
        with self._staying():
            await self.mount_all(_flat(turns), before=self._later_row)
            self._turns[-1:-1] = turns
            await self._leave_out(self._later - len(turns) if turns else 0)
            await self._take_off_above(len(turns) + 1)

    async def _take_off_above(self, kept: int) -> None:
        """Take turns off at the top until the limit is kept, or only the last ``kept`` ones are left."""
        spare, gone = self.widgets - self._limit, list[Turn]()
        while spare > 0 and len(self._turns) > kept:
            gone.append(self._turns.pop(0))
            spare -= _widgets(gone[-1])
        if gone:
            self._earlier += len(gone)
            self._row.stand_for(self._earlier)
            await self.remove_children(_flat(gone))

    async def _take_off_below(self, kept: int) -> None:
        """Take turns off above the last one until the limit is kept, or ``kept`` of them and those in view are left."""
        bottom = self.scroll_y + self.size.height
        spare, gone = self.widgets - self._limit, list[Turn]()
        while spare > 0 and len(self._turns) > kept + 1:
            turn = self._turns[-2]
            if any(widget.virtual_region.y < bottom for widget in turn):
                break
            gone.append(self._turns.pop(-2))
            spare -= _widgets(turn)
        if gone:
            await self.remove_children(_flat(gone))
            await self._leave_out(self._later + len(gone))

    async def _leave_out(self, turns: int) -> None:
        """Let the row above the last turn stand for ``turns``."""
        self._later = turns
        self._later_row.stand_for(turns)
        if not turns and self._later_row.is_attached:
            await self._later_row.remove()
        elif turns and not self._later_row.is_attached:
            self._later_row = LaterRow()  # one that was removed cannot come back
            self._later_row.stand_for(turns)
            await self.mount(self._later_row, before=self._turns[-1][0])

    async def _go_to_end(self) -> None:
        """Mount the turns before the last one, instead of those that were read, where turns are left out between."""
        if not self._later or self._load is None:
            return
        gone, self._turns = self._turns[:-1], self._turns[-1:]
        last = self._earlier + len(gone) + self._later
        self._earlier = max(0, last - _PAGE)
        turns = await self._load(self._earlier, last)
        with self.app.batch_update():
            await self.remove_children(_flat(gone))
            await self._leave_out(0)
            self._turns[:0] = turns
            self._row.stand_for(self._earlier)
            await self.mount_all(_flat(turns), after=self._row)

    async def on_more_row_wanted(self, event: MoreRow.Wanted) -> None:
        """Bring earlier or later turns."""
        event.stop()
        await (self.load_later() if event.row is self._later_row else self.load_earlier())

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.call_later(self._go_to_end)
        self.anchor(self.max_scroll_y > 0)
        self._set_following(True)

    def watch_virtual_size(self) -> None:
        """Begin at the top: an anchor would hang a conversation that does not fill the screen from its lower edge."""
        overflows = self.virtual_size.height > self.outer_size.height - self.gutter.height
        if overflows != self.is_anchored:
            self.anchor(overflows)

    def release_anchor(self) -> None:
        """Stay where the user scrolls to. Textual calls this first for every scroll that somebody asked for."""
        super().release_anchor()
        self._set_following(False)
        # Scrolling itself waits for a refresh, so whether it leads away from the end shows after the next one.
        self.call_after_refresh(self.call_after_refresh, self._follow_at_end)

    def action_scroll_end(self) -> None:
        """Go to the end and follow again."""
        self.follow()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow again once the user has scrolled to the end."""
        super().watch_scroll_y(old_value, new_value)  # takes up the anchor again itself
        if new_value >= self.max_scroll_y and not self._later:
            self._set_following(True)

    def _follow_at_end(self) -> None:
        if not self._following and not self._later and self.scroll_target_y >= self.max_scroll_y:
            self.follow()

    def _set_following(self, following: bool) -> None:
        if following == self._following:
            return
        self._following = following
        _each_answer(self._turns, Answer.release if following else Answer.hold)
        if following:
            self.call_later(self.trim)

    @contextmanager
    def _staying(self) -> Iterator[None]:
        """Change what is mounted, and keep what is read where it is."""
        in_view = (widget for widget in _flat(self._turns) if widget.virtual_region.bottom > self.scroll_y)
        read = next(in_view, None)
        offset = read.virtual_region.y - self.scroll_y if read else 0
        with self.app.batch_update():
            yield
            if read is not None:
                self.call_after_refresh(self._put, read, offset)

    def _put(self, widget: Widget, offset: float) -> None:
        if widget.is_attached:
            self.scroll_to(y=widget.virtual_region.y - offset, animate=False, immediate=True)


def _flat(turns: Sequence[Turn]) -> list[Widget]:
    return [widget for turn in turns for widget in turn]


def _widgets(turn: Turn) -> int:
    return sum(1 + len(widget.children) for widget in turn)


def _each_answer(turns: Sequence[Turn], do: Callable[[Answer], None]) -> None:
    for turn in turns:
        for widget in turn:
            if isinstance(widget, Answer):
                do(widget)
