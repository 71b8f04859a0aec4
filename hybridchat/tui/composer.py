"""Where the user writes: Enter sends, and nothing that is pasted does."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from hybridchat.text import clean
from hybridchat.tui.pasted import Pasted
from hybridchat.tui.prompt_history import PromptHistory

_IN_ORDER = ("cursor_", "delete_", "select_", "undo", "redo")
_KEYS = {
    **{
        key: binding.action
        for binding in TextArea.BINDINGS
        if isinstance(binding, Binding) and binding.action.startswith(_IN_ORDER)
        for key in binding.key.split(",")
    },
    "enter": "send",
    "ctrl+j": "newline",
    "shift+enter": "newline",
    "ctrl+enter": "newline",
    "alt+enter": "newline",
    "shift+\r": "newline",  # xterm's modifyOtherKeys, as Textual names it
    "up": "earlier",
    "down": "later",
    "tab": "complete",
    "ctrl+d": "delete_or_quit",
    "pageup": "screen.page(-1)",
    "pagedown": "screen.page(1)",
    "ctrl+end": "screen.follow",
}


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

    @dataclass
    class Sent(Message):
        """The user wants ``text`` to be sent; ``written`` is what stood in the composer."""

        text: str
        written: str

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
            placeholder="Ask anything, @file attaches a file, / lists the commands",
        )
        self._pasted = Pasted()
        self.prompts = PromptHistory()
        self.completing = False
        self.editing: str | None = None
        self._put_by = ""

    @property
    def before_cursor(self) -> str:
        """The text of the cursor's line up to the cursor."""
        row, column = self.cursor_location
        return self.document.get_line(row)[:column]

    @property
    def unsent(self) -> str:
        """All that would be lost if it were not kept: what is written, and what an edit has put by."""
        written = [self._put_by, self.text] if self.editing is not None else [self.text]
        return self._pasted.written_out("\n".join(filter(str.strip, written)))

    def take(self, text: str) -> None:
        """Hold ``text`` instead of what is there, with the cursor at its end; undo brings the old text back."""
        self.replace(self._pasted.shortened(text), (0, 0), self.document.end)
        self.move_cursor(self.document.end)

    def begin_edit(self, question: str, text: str) -> None:
        """Hold ``text``, another version of an earlier question, and put by what is being written."""
        self.leave_edit()
        self.editing, self._put_by = question, self.text
        self.take(text)

    def leave_edit(self) -> str | None:
        """Take up again what was put by. Return the question that was being edited, None if there was none."""
        question, self.editing = self.editing, None
        if question is not None:
            self.take(self._put_by)
        return question

    def type_in(self, characters: str) -> None:
        """Write as if the user had typed here."""
        self.insert(characters)

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
            # emptied at once, for the next characters may be under way already
            self.post_message(self.Sent(self._pasted.written_out(self.text), self.text))
            self.prompts.add(self.text)
            self.load_text("")

    def give_back(self, text: str) -> None:
        """Take ``text``, which could not be sent, back before what was written since."""
        shortened = self._pasted.shortened(text)
        self.take(f"{shortened}\n{self.text}" if self.text else shortened)

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
        elif not self.navigator.is_first_wrapped_line(self.cursor_location) or self.selected_text:
            self.action_cursor_up()
        elif (prompt := self.prompts.earlier(self.text)) is not None:
            self.take(prompt)

    def action_later(self) -> None:
        """Go down: in the completions, in the text, or at its last line to the prompt after."""
        if self.completing:
            self.post_message(self.CompletionMoved(1))
        elif not self.navigator.is_last_wrapped_line(self.cursor_location) or self.selected_text:
            self.action_cursor_down()
        elif (prompt := self.prompts.later()) is not None:
            self.take(prompt)

    async def action_delete_or_quit(self) -> None:
        """Delete the next character; where nothing is written, leave, as a shell does."""
        if self.text:
            self.action_delete_right()
        else:
            await self.run_action("screen.quit")

    async def _on_key(self, event: events.Key) -> None:
        """Do what a key of ours or of a text area's says, else write.

        Not by bindings: priority ones overtake the characters that were typed before them and wait to be written, and
        the others are overtaken by those that were typed after.
        """
        if (action := _KEYS.get(event.key)) is not None:
            event.stop()
            event.prevent_default()  # and so keeps the text area from handling it
            await self.run_action(action)

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert what is pasted, without anything that a terminal acts on; its line breaks send nothing.

        A mark stands for what is too long to be edited.
        """
        event.prevent_default()
        event.stop()
        text = self._pasted.shortened(clean(event.text))
        self.move_cursor(self.replace(text, *self.selection, maintain_selection_offset=False).end_location)
