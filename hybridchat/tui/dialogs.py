"""Questions to the user. Each is a screen of its own that ends with a typed answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from hybridchat.events import ModelChoiceRequested
from hybridchat.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

NARROWEST, LOWEST = 40, 10
"""The smallest terminal, in cells, on which the chat can be read."""


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
