"""What can stand where the cursor is: slash commands at a prompt's beginning, files after an ``@``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from hybridchat.errors import InputError
from hybridchat.text import one_line
from hybridchat.tui import attachments
from hybridchat.tui.keys import ACTIONS, BY_NAME, Action

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Completion:
    """``text`` would replace what was begun; ``help`` says what it is."""

    text: str
    label: str
    help: str = ""


def slash_command(prompt: str) -> tuple[Action, str] | None:
    """Return the action that a prompt asks for, and its argument; None where the prompt is no command.

    Raises ``InputError`` for a lone word that names no action, which is mistyped and not for any model, and for an
    argument that the action does not take.
    """
    if not prompt.startswith("/") or "\n" in prompt.strip():
        return None
    name, _, argument = prompt[1:].strip().partition(" ")
    action = BY_NAME.get(name.lower())
    if action is None and re.fullmatch(r"/[a-z]+(-[a-z]+)*", prompt.strip().lower()):
        raise InputError(f"there is no command {prompt.strip()}", hint="/help lists them all.")
    if action is None:
        return None
    if not action.takes(argument := argument.strip()):
        takes = action.argument.strip("[]") or "nothing"
        hint = f"It takes {takes}. Put a space before the slash to ask this as a question."
        raise InputError(f"/{action.name} cannot take {one_line(argument, 40)!r}", hint=hint)
    return action, argument


def completions(before_cursor: str, *, at_start: bool, folder: Path) -> tuple[str, list[Completion]]:
    """Return what was begun just before the cursor, and what it could become.

    ``at_start`` says that ``before_cursor`` is all of the prompt up to the cursor.
    """
    if at_start and before_cursor.startswith("/") and " " not in before_cursor:
        begun = before_cursor[1:].lower()
        found = [action for action in ACTIONS if action.name.startswith(begun)]
        return before_cursor, [
            Completion(f"/{action.name}{' ' if action.argument else ''}", f"/{action.name}", action.help)
            for action in found
        ]
    path = attachments.begun(before_cursor)
    if path is None:
        return "", []
    begun = before_cursor[before_cursor.rindex("@") :]
    return begun, [Completion(attachments.mention(name), name) for name in attachments.completions(path, folder)]


class CompletionList(OptionList, can_focus=False):
    """Shows completions above the composer, which keeps the focus and says where to go."""

    DEFAULT_CSS = """
    CompletionList {
        height: auto;
        max-height: 8;
        display: none;
        border: none;
        padding: 0 1;
        background: $panel;
    }
    """
    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, markup=False, compact=True)
        self._found: list[Completion] = []
        self.begun = ""

    @property
    def marked(self) -> Completion | None:
        """The completion that would be taken."""
        return self._found[self.highlighted] if self._found and self.highlighted is not None else None

    def show(self, begun: str, found: list[Completion]) -> None:
        """Show ``found``, which could take the place of ``begun``; hide where there is nothing to choose."""
        if [one.text.strip() for one in found] == [begun]:
            found = []
        if found != self._found:
            self._found = found
            self.clear_options()
            self.add_options([Option(_row(one)) for one in found])
            self.highlighted = 0 if found else None
        self.begun = begun
        self.display = bool(found)

    def move(self, step: int) -> None:
        """Mark the next (1) or the previous (-1) completion."""
        if self._found:
            self.highlighted = ((self.highlighted or 0) + step) % len(self._found)


def _row(completion: Completion) -> Content:
    return Content.assemble(completion.label.ljust(18), (completion.help, "$text-muted"))
