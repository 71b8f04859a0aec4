"""The conversation on the screen: a scrolling window onto its last turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from hybridchat.tui.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.selection import Selection
    from textual.widget import Widget

WIDGET_LIMIT: Final = 250
"""Mounted widgets above which the oldest turns are taken off: what each layout visits is what each layout costs."""
_ALWAYS_KEPT: Final = 2
_PAGE: Final = 10

Turn = list["Widget"]
"""What one turn shows, from top to bottom: the question, the answer or answers, and what is told about them."""


class EarlierRow(Static, can_focus=True):
    """Stands above the first turn that is mounted, and brings earlier ones on Enter or a click."""

    DEFAULT_CSS = """
    EarlierRow {
        height: auto;
        color: $text-muted;
        &:ansi { text-style: dim; }
        margin: 0 0 1 0;
    }
    EarlierRow:focus, EarlierRow:hover {
        text-style: underline;
    }
    """
    ALLOW_SELECT = False
    BINDINGS: ClassVar = [("enter", "load", "Load earlier")]

    class Wanted(Message):
        """The user wants to see earlier turns."""

    def show(self, earlier: int) -> None:
        """Say how many turns stand above; say nothing where there is none."""
        self.display = earlier > 0
        self.update(f"↑ load earlier ({earlier} {'turn' if earlier == 1 else 'turns'} above)")

    def get_selection(self, selection: Selection) -> None:
        """Give nothing: this is no part of the conversation."""

    def action_load(self) -> None:
        """Ask for earlier turns."""
        self.post_message(self.Wanted())

    def on_click(self, event: events.Click) -> None:
        """Ask for earlier turns."""
        event.stop()
        self.action_load()


class Transcript(VerticalScroll, can_focus=True):
    """Shows the last turns, stays at the end while they grow, and stays put once the user has scrolled up.

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
        self._row = EarlierRow(markup=False)
        self._earlier = earlier
        self._following = True

    @property
    def earlier(self) -> int:
        """How many turns of the conversation stand above the first that is mounted."""
        return self._earlier

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
        self._row.show(self._earlier)
        yield self._row

    async def begin_turn(self, *widgets: Widget) -> None:
        """Add a turn at the end, and take off the oldest that there is no room for."""
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
        spare = self.widgets - self._limit
        gone: list[Widget] = []
        while spare > 0 and len(self._turns) > _ALWAYS_KEPT:
            turn = self._turns.pop(0)
            spare -= _widgets(turn)
            gone += turn
            self._earlier += 1
        if gone:
            self._row.show(self._earlier)
            await self.remove_children(gone)

    async def load_earlier(self) -> None:
        """Mount the turns before the first one; what is read stays where it is."""
        if self._load is None or not self._earlier:
            return
        first = max(0, self._earlier - _PAGE)
        turns = await self._load(first, self._earlier)
        self.release_anchor()
        self._earlier = first
        self._row.show(first)
        self._turns[:0] = turns
        below = self.virtual_size.height - self.scroll_y
        with self.app.batch_update():
            await self.mount_all([widget for turn in turns for widget in turn], after=self._row)
            self.call_after_refresh(self._keep_below, below)

    async def on_earlier_row_wanted(self, event: EarlierRow.Wanted) -> None:
        """Bring earlier turns."""
        event.stop()
        await self.load_earlier()

    def follow(self) -> None:
        """Go to the end and stay there."""
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
        if new_value >= self.max_scroll_y:
            self._set_following(True)

    def _follow_at_end(self) -> None:
        if not self._following and self.scroll_target_y >= self.max_scroll_y:
            self.follow()

    def _set_following(self, following: bool) -> None:
        if following == self._following:
            return
        self._following = following
        _each_answer(self._turns, Answer.release if following else Answer.hold)
        if following:
            self.call_later(self.trim)

    def _keep_below(self, below: float) -> None:
        self.scroll_to(y=self.virtual_size.height - below, animate=False, immediate=True)


def _widgets(turn: Turn) -> int:
    return sum(1 + len(widget.children) for widget in turn)


def _each_answer(turns: Sequence[Turn], do: Callable[[Answer], None]) -> None:
    for turn in turns:
        for widget in turn:
            if isinstance(widget, Answer):
                do(widget)
