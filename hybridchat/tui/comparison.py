"""Two answers to one question, side by side or as a diff; the user keeps either."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from hybridchat import phrases
from hybridchat.messages import Message
from hybridchat.text import clean
from hybridchat.tui.answer import Answer

if TYPE_CHECKING:
    from textual.app import ComposeResult

_LONGEST = 2_000  # lines that are compared; beyond, a diff helps nobody


class ComparisonDialog(ModalScreen[str | None]):
    """Ends with the id of the answer that is kept, None where nothing changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "keep(0)", "Keep the first"),
        Binding("2", "keep(1)", "Keep the second"),
        Binding("d", "diff", "Diff"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, first: Message, second: Message) -> None:
        super().__init__()
        self._answers = (first, second)

    def compose(self) -> ComposeResult:
        """Yield both answers, and their difference hidden."""
        with Vertical(classes="dialog full"):
            with Horizontal(id="side-by-side"):
                for number, answer in enumerate(self._answers, 1):
                    with VerticalScroll():
                        yield Static(f"[{number}] {_who(answer)}", classes="dialog-title", markup=False)
                        yield Answer(answer.content)
            with VerticalScroll(id="difference"):
                yield Static("", id="difference-text", markup=False)
            yield Static("1 or 2 keeps that answer, D shows the difference, Esc leaves", classes="dialog-hint")

    def on_mount(self) -> None:
        """Begin side by side."""
        self.query_one("#difference").display = False

    def action_keep(self, place: int) -> None:
        """Keep one of the answers."""
        self.dismiss(self._answers[place].id)

    def action_diff(self) -> None:
        """Go from side by side to the difference, or back."""
        difference, both = self.query_one("#difference"), self.query_one("#side-by-side")
        difference.display, both.display = both.display, difference.display
        if difference.display:
            self.query_one("#difference-text", Static).update(diff(*(answer.content for answer in self._answers)))

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)


def diff(first: str, second: str) -> Content:
    """Return the lines of both: ``-`` for the first alone, ``+`` for the second alone."""
    before, after = (clean(text).splitlines()[:_LONGEST] for text in (first, second))
    lines: list[Content] = []
    # not ndiff: it looks for lines that resemble each other, which takes minutes for two long answers
    for same, start, end, other_start, other_end in SequenceMatcher(None, before, after).get_opcodes():
        if same == "equal":
            lines += [Content(f"  {line}") for line in before[start:end]]
            continue
        lines += [Content.styled(f"- {line}", "$text-error") for line in before[start:end]]
        lines += [Content.styled(f"+ {line}", "$text-success") for line in after[other_start:other_end]]
    return Content("\n").join(lines)


def _who(answer: Message) -> str:
    return clean(phrases.provenance(answer.provenance)) if answer.provenance else "unknown"
