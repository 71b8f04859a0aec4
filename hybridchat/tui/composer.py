"""Where the user writes: Enter sends, and nothing that is pasted does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from hybridchat.text import clean
from hybridchat.tui.prompt_history import PromptHistory

_NEWLINE_KEYS = {"shift+\r"}
"""What xterm's modifyOtherKeys makes of Shift+Enter, as Textual names it."""


class Composer(TextArea):
    """A text area that grows with its text.

    Enter sends; Ctrl+J begins a new line in every terminal, Shift+Enter and the like where the terminal can tell them
    apart. The arrow keys go through earlier prompts at the first and the last line. While a list of completions is
    open (``completing``), it gets the keys that lists are used with.
    """

    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 1;
        max-height: 10;
        border: none;
        padding: 0 1;
        background: $surface;
        &:focus { border: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", priority=True),
        Binding("ctrl+j,shift+enter,ctrl+enter,alt+enter", "newline", "New line", priority=True),
        Binding("up", "earlier", "Earlier prompt", show=False, priority=True),
        Binding("down", "later", "Later prompt", show=False, priority=True),
        Binding("tab", "complete", "Complete", show=False, priority=True),
        Binding("ctrl+d", "delete_or_quit", "Delete", show=False, priority=True),
    ]

    @dataclass
    class Sent(Message):
        """The user wants ``text`` to be sent."""

        text: str

    @dataclass
    class CompletionMoved(Message):
        """The user goes through the completions by ``step``."""

        step: int

    class CompletionWanted(Message):
        """The user takes the completion that is marked."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(
            id=id,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            compact=True,
            highlight_cursor_line=False,
        )
        self.history = PromptHistory()
        self.completing = False

    @property
    def before_cursor(self) -> str:
        """The text of the cursor's line up to the cursor."""
        row, column = self.cursor_location
        return self.document.get_line(row)[:column]

    def take(self, text: str) -> None:
        """Hold ``text`` instead of what is there, with the cursor at its end; undo brings the old text back."""
        self.replace(text, *self._whole())
        self.move_cursor(self.document.end)

    def complete_with(self, begun: str, whole: str) -> None:
        """Put ``whole`` in place of ``begun``, which ends at the cursor."""
        row, column = self.cursor_location
        self.replace(whole, (row, column - len(begun)), (row, column))
        self.move_cursor((row, column - len(begun) + len(whole)))

    def action_send(self) -> None:
        """Send what is written, or take the marked completion."""
        if self.completing:
            self.post_message(self.CompletionWanted())
        elif self.text.strip():
            self.post_message(self.Sent(self.text))

    def sent(self) -> None:
        """Forget what is written, except in the history."""
        self.history.add(self.text)
        self.clear()
        self.history_checkpoint()

    def history_checkpoint(self) -> None:
        """Let undo not go back behind this."""
        self.history_undo.clear()

    def action_newline(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    def action_complete(self) -> None:
        """Take the marked completion, or go to the next widget."""
        if self.completing:
            self.post_message(self.CompletionWanted())
        else:
            self.screen.focus_next()

    def action_earlier(self) -> None:
        """Go up: in the completions, in the text, or at its first line to the prompt before."""
        if self.completing:
            self.post_message(self.CompletionMoved(-1))
        elif not self.cursor_at_first_line or self.selected_text:
            self.action_cursor_up()
        elif (prompt := self.history_of_prompts.earlier(self.text)) is not None:
            self.take(prompt)

    def action_later(self) -> None:
        """Go down: in the completions, in the text, or at its last line to the prompt after."""
        if self.completing:
            self.post_message(self.CompletionMoved(1))
        elif not self.cursor_at_last_line or self.selected_text:
            self.action_cursor_down()
        elif (prompt := self.history_of_prompts.later()) is not None:
            self.take(prompt)

    async def action_delete_or_quit(self) -> None:
        """Delete the next character; where nothing is written, leave, as a shell does."""
        if self.text:
            self.action_delete_right()
        else:
            await self.run_action("screen.quit")

    async def _on_key(self, event: events.Key) -> None:
        if event.key in _NEWLINE_KEYS:
            event.stop()
            event.prevent_default()
            self.action_newline()

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert what is pasted, without anything that a terminal acts on; its line breaks send nothing."""
        event.prevent_default()
        event.stop()
        if result := self._replace_via_keyboard(clean(event.text), *self.selection):
            self.move_cursor(result.end_location)
            self.focus()
