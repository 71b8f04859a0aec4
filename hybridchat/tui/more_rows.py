"""The rows that stand for turns which are not mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.message import Message
from textual.widgets import Static

from hybridchat import phrases

if TYPE_CHECKING:
    from textual import events
    from textual.selection import Selection


class MoreRow(Static, can_focus=True):
    """Stands where turns are left out, and brings some of them on Enter or a click."""

    DEFAULT_CSS = """
    MoreRow {
        height: auto;
        color: $text-muted;
        &:ansi { text-style: dim; }
        margin: 0 0 1 0;
    }
    MoreRow:focus, MoreRow:hover {
        text-style: underline;
    }
    """
    ALLOW_SELECT = False
    BINDINGS: ClassVar = [("enter", "load", "Load")]
    LINE: ClassVar[str]
    """What it says; ``{}`` is how many turns it stands for."""

    class Wanted(Message):
        """The user wants to see more turns."""

        def __init__(self, row: MoreRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self) -> None:
        super().__init__(markup=False)

    def stand_for(self, turns: int) -> None:
        """Say how many turns are left out; say nothing where there is none."""
        self.display = turns > 0
        self.update(self.LINE.format(phrases.counted(turns, "turn")))

    def get_selection(self, selection: Selection) -> None:
        """Give nothing: this is no part of the conversation."""

    def action_load(self) -> None:
        """Ask for more turns."""
        self.post_message(self.Wanted(self))

    def on_click(self, event: events.Click) -> None:
        """Ask for more turns."""
        event.stop()
        self.action_load()


class EarlierRow(MoreRow):
    """Stands above the first turn that is mounted."""

    LINE = "↑ load earlier ({} above)"


class LaterRow(MoreRow):
    """Stands above the last turn, once reading upwards has taken those before it off."""

    LINE = "↓ load later ({} left out here; End goes to the end)"
