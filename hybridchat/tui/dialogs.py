"""Questions to the user. Each is a screen of its own that ends with a typed answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from hybridchat import phrases
from hybridchat.events import Consent, ModelChoiceRequested, Outgoing
from hybridchat.text import clean
from hybridchat.tui.redactions import marked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

_MOST_SHOWN = 50_000
"""Characters of one message that are drawn; the rest is counted. All of it is sent."""


NARROWEST, LOWEST = 40, 10
"""The smallest terminal, in cells, on which the chat can be read."""


class ConsentDialog(ModalScreen[Consent]):
    """Shows exactly what would leave, and where to. Esc keeps it here.

    It may open while the user is typing, and what was typed before it was seen is no answer: until nothing was typed
    for ``QUIET`` seconds, keys go on to ``typed``, where they were meant for, and answer nothing.
    """

    QUIET: ClassVar[float] = 0.7
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "answer('send')", "Send"),
        Binding("a", "answer('always')", "Always"),
        Binding("l,escape", "answer('stay_local')", "Stay local"),
        Binding("o", "originals", "Originals"),
    ]

    def __init__(self, outgoing: Outgoing, typed: Callable[[str], None] = lambda _: None) -> None:
        super().__init__()
        self._outgoing = outgoing
        self._typed = typed
        self._originals = False
        self._armed = False
        self._arming: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield summary, payload and choices."""
        with Vertical(classes="dialog wide"):
            yield Static("Send this to a remote model?", classes="dialog-title", markup=False)
            yield Static(clean(self._summary()), markup=False)
            with VerticalScroll(classes="dialog-body", id="payload"):
                yield Static(self._payload(), id="payload-text", markup=False)
            with Horizontal(classes="dialog-buttons"):
                yield Button("Stay local (L)", id="stay_local", compact=True)
                yield Button("Send (S)", id="send", compact=True)
                yield Button("Always in this conversation (A)", id="always", compact=True)

    def on_mount(self) -> None:
        """Wait for a moment of quiet."""
        self._arming = self.set_timer(self.QUIET, self.arm)

    def arm(self) -> None:
        """Take answers from now on, beginning on what keeps everything here."""
        self._armed = True
        self.query_one("#stay_local").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's
        """Let no key answer before the question was seen."""
        return self._armed or action not in {"answer", "originals"}

    def on_key(self, event: events.Key) -> None:
        """Pass on what was meant for the composer; a character that is no answer says that the user is typing again."""
        if self._armed and (not event.is_printable or event.key in self.active_bindings):
            return
        self._armed = False
        self.set_focus(None)
        event.stop()
        event.prevent_default()
        if event.is_printable and event.character:
            self._typed(event.character)
        if self._arming is not None:
            self._arming.stop()
        self._arming = self.set_timer(self.QUIET, self.arm)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the answer."""
        self.action_answer(event.button.id or "")

    def action_answer(self, answer: str) -> None:
        """Take the answer; nothing is agreed to on a terminal that cannot show what would leave."""
        width, height = self.app.size
        if Consent(answer) is not Consent.STAY_LOCAL and (width < NARROWEST or height < LOWEST):
            self.app.bell()
            return
        self.dismiss(Consent(answer))

    def action_originals(self) -> None:
        """Show what the placeholders stand for, or what would be sent."""
        self._originals = not self._originals
        self.query_one("#payload-text", Static).update(self._payload())

    def _summary(self) -> str:
        going = self._outgoing
        cost = "unknown cost" if going.cost is None else f"about {phrases.money(going.cost)}"
        replaced = phrases.redactions(going.redactions)
        return "\n".join(
            [
                f"to        {going.model} at {going.endpoint} ({going.url})",
                f"why       {going.reason}",
                f"size      {going.bytes:,} bytes, about {phrases.counted(going.tokens, 'token')}, {cost}",
                f"replaced  {f'{replaced}, marked below (O shows the originals)' if replaced else 'nothing'}",
            ]
        )

    def _payload(self) -> Content:
        messages = self._outgoing.original if self._originals else self._outgoing.redacted
        parts: list[Content] = []
        if self._originals:
            parts.append(Content.styled("ORIGINAL TEXT: this is not what is sent\n", "bold"))
        for message in messages:
            text = clean(message.content)
            parts.append(Content.styled(f"── {message.role}\n", "bold"))
            parts.append(Content(text[:_MOST_SHOWN]) if self._originals else marked(text[:_MOST_SHOWN]))
            left_out = len(text) - _MOST_SHOWN
            parts.append(Content(f"\n… and {left_out:,} more characters\n" if left_out > 0 else "\n"))
        return Content("").join(parts)


class ChoiceDialog(ModalScreen[str | None]):
    """Lets the user choose one of several; Esc chooses none. ``choices`` are values with what is shown for them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "none", "None")]

    def __init__(self, question: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._question = question
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Yield the question and the choices."""
        with Vertical(classes="dialog"):
            yield Static(clean(self._question), classes="dialog-title", markup=False)
            yield OptionList(*(Option(Content(clean(shown))) for _, shown in self._choices), markup=False, compact=True)
            yield Static("Enter chooses, Esc leaves it", classes="dialog-hint", markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the choice."""
        self.dismiss(self._choices[event.option_index][0])

    def action_none(self) -> None:
        """Choose none."""
        self.dismiss(None)


def model_choice(request: ModelChoiceRequested) -> ChoiceDialog:
    """Return the question which model is to be taken instead of one that is not served."""
    question = f"{request.endpoint} does not serve {request.unavailable}. Take another one? (Esc stays local)"
    return ChoiceDialog(question, [(name, name) for name in request.alternatives])


class ConfirmDialog(ModalScreen[bool]):
    """Asks for a yes; anything else is a no."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "say(True)", "Yes"), Binding("n,escape", "say(False)", "No")]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Yield the question and both answers."""
        with Vertical(classes="dialog"):
            yield Static(clean(self._question), classes="dialog-title", markup=False)
            with Horizontal(classes="dialog-buttons"):
                yield Button("No (N)", id="no", compact=True)
                yield Button("Yes (Y)", id="yes", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the answer."""
        self.dismiss(event.button.id == "yes")

    def action_say(self, yes: bool) -> None:
        """Take the answer."""
        self.dismiss(yes)


class LineDialog(ModalScreen[str | None]):
    """Asks for a line of text; Esc gives none."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "none", "None")]

    def __init__(self, question: str, text: str = "") -> None:
        super().__init__()
        self._question = question
        self._text = text

    def compose(self) -> ComposeResult:
        """Yield the question and the line."""
        with Vertical(classes="dialog"):
            yield Static(clean(self._question), classes="dialog-title", markup=False)
            yield Input(self._text, compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the line."""
        self.dismiss(event.value.strip() or None)

    def action_none(self) -> None:
        """Give none."""
        self.dismiss(None)


class TextDialog(ModalScreen[None]):
    """Shows a text to read: why, help, what left. Any of Esc, Enter and Q closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "close", "Close")]

    def __init__(self, title: str, text: str | Content) -> None:
        super().__init__()
        self._title = title
        self._text = text if isinstance(text, Content) else clean(text)

    def compose(self) -> ComposeResult:
        """Yield title and text."""
        with Vertical(classes="dialog wide"):
            yield Static(clean(self._title), classes="dialog-title", markup=False)
            with VerticalScroll(classes="dialog-body"):
                yield Static(self._text, markup=False)
            yield Static("Esc closes", classes="dialog-hint", markup=False)

    def action_close(self) -> None:
        """Close."""
        self.dismiss()
