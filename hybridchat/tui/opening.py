"""The first frame: the outline of the chat, in which can be written while the rest of the program is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, getters
from textual.screen import Screen
from textual.widgets import Static

from hybridchat.tui.composer import Composer
from hybridchat.tui.status import StatusLine

if TYPE_CHECKING:
    from textual.app import ComposeResult


class OpeningScreen(Screen[None]):
    """Looks like the chat before its first question. Keep what this module imports small: the first frame waits for it.

    ``hint`` stands at the right of the status line.
    """

    DEFAULT_CSS = "OpeningScreen > #outline { height: 1fr; }"
    composer = getters.query_one(Composer)

    def __init__(self, hint: str) -> None:
        super().__init__()
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Yield the parts that are seen, from top to bottom."""
        yield Static(id="outline")
        yield Composer()
        yield StatusLine(hint=self._hint)

    def on_mount(self) -> None:
        """Begin where the user writes."""
        self.composer.focus()


class EarlyKeys:
    """Keys and pastes that come before the chat is there: none is lost, and none overtakes another.

    Characters are written into the opening's composer at once. From the first key on that means something else, or once
    ``everything`` is to be kept, they are kept, to be given to the chat in their order.
    """

    def __init__(self) -> None:
        self._kept: list[events.Event] = []
        self.everything = False

    def keep(self, event: events.Event) -> bool:
        """Keep ``event`` if it has to wait, and say whether it has to."""
        if event.is_forwarded or not isinstance(event, events.Key | events.Paste):
            return False
        written = isinstance(event, events.Paste) or event.is_printable
        waits = self.everything or bool(self._kept) or not written
        if waits:
            self._kept.append(event)
        return waits

    def take(self) -> list[events.Event]:
        """Return what was kept, from the first to the last."""
        kept, self._kept = self._kept, []
        return kept
