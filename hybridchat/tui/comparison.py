"""Answers to one question, two of them side by side or as a diff; the user keeps either."""

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
    from collections.abc import Sequence

    from textual.app import ComposeResult

_LONGEST = 2_000  # lines that are compared; beyond, a diff helps nobody


class ComparisonDialog(ModalScreen[str | None]):
    """Ends with the id of the answer that is kept, None where nothing changes.

    Of more than two ``answers``, the last two stand side by side at first; each side goes through the others.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "keep(0)", "Keep the left one"),
        Binding("2", "keep(1)", "Keep the right one"),
        Binding("left", "change(0)", "Another at the left"),
        Binding("right", "change(1)", "Another at the right"),
        Binding("d", "diff", "Diff"),
        Binding("up", "scroll(-1)", "Up"),
        Binding("down", "scroll(1)", "Down"),
        Binding("pageup", "scroll(-10)", "Up"),
        Binding("pagedown", "scroll(10)", "Down"),
        Binding("escape", "leave", "Leave"),
    ]
    AUTO_FOCUS = ""

    def __init__(self, answers: Sequence[Message], shown: Message) -> None:
        super().__init__()
        self._answers = answers
        right = next(place for place, answer in enumerate(answers) if answer.id == shown.id)
        left = right - 1 if right else 1
        self._sides = [left, right]

    def compose(self) -> ComposeResult:
        """Yield both sides, and their difference hidden."""
        choose = "← → change it, " if len(self._answers) > 2 else ""
        with Vertical(classes="dialog full"):
            with Horizontal(id="side-by-side"):
                for number in (0, 1):
                    with VerticalScroll(id=f"side-{number}"):
                        yield Static("", classes="dialog-title", markup=False)
            with VerticalScroll(id="difference"):
                yield Static("", id="difference-text", markup=False)
            yield Static(f"1 or 2 keeps that one, {choose}D shows the difference, Esc leaves", classes="dialog-hint")

    async def on_mount(self) -> None:
        """Begin side by side."""
        self.query_one("#difference").display = False
        for side in (0, 1):
            await self._show(side)

    def action_keep(self, side: int) -> None:
        """Keep one of the answers."""
        self.dismiss(self._at(side).id)

    async def action_change(self, side: int) -> None:
        """Put the next answer to that side, other than the one at the other side."""
        if len(self._answers) < 3:
            return
        place = (self._sides[side] + 1) % len(self._answers)
        if place == self._sides[1 - side]:
            place = (place + 1) % len(self._answers)
        self._sides[side] = place
        await self._show(side)

    def action_diff(self) -> None:
        """Go from side by side to the difference, or back."""
        difference, both = self.query_one("#difference"), self.query_one("#side-by-side")
        difference.display, both.display = both.display, difference.display
        self._draw_difference()

    def action_scroll(self, lines: int) -> None:
        """Scroll what is shown, both sides alike."""
        for column in self.query(VerticalScroll):
            column.scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    async def _show(self, side: int) -> None:
        answer, column = self._at(side), self.query_one(f"#side-{side}", VerticalScroll)
        which = f" {self._sides[side] + 1} of {len(self._answers)}:" if len(self._answers) > 2 else ""
        column.query_one(Static).update(f"[{side + 1}]{which} {_who(answer)}")
        await column.query(Answer).remove()
        await column.mount(Answer(answer.content))
        column.scroll_home(animate=False)
        self._draw_difference()

    def _draw_difference(self) -> None:
        if self.query_one("#difference").display:
            shown = diff(self._at(0).content, self._at(1).content)
            self.query_one("#difference-text", Static).update(shown)

    def _at(self, side: int) -> Message:
        return self._answers[self._sides[side]]


def diff(first: str, second: str) -> Content:
    """Return the lines of both: ``-`` for the first (the left one) alone, ``+`` for the second alone."""
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
    source = answer.provenance
    if source is None:
        return "unknown"
    sure = f", {phrases.confidence(source.confidence)}" if source.confidence else ""
    return clean(f"{phrases.short_model(source.model)}, {phrases.where(source.place)}{sure}")
