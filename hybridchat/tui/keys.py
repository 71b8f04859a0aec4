"""What can be done on the chat screen: one table for keys, slash commands, palette and help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual.binding import Binding

from hybridchat.errors import BadConfiguration
from hybridchat.tui.key_names import normal, readable, writes

__all__ = ["ACTIONS", "BY_NAME", "Action", "bindings", "keymap", "readable"]

_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Action:
    """``name`` is the slash command and what settings call it; ``keys`` are its keys, with commas between them.

    ``argument`` describes what may follow the slash command: a number ``[N]``, a word as it stands (``[raw]``), or any
    text, in capitals. The screen does it in its method ``action_NAME``, where hyphens are underscores.
    """

    name: str
    keys: str
    label: str
    help: str
    argument: str = ""

    @property
    def method(self) -> str:
        """What the action is called in code."""
        return self.name.replace("-", "_")

    def takes(self, argument: str) -> bool:
        """Whether ``argument`` may follow the slash command; none at all always may."""
        if not argument or self.argument.strip("[]") == argument:
            return True
        if self.argument == "[N]":
            return argument.isdecimal() and len(argument) <= _MOST_DIGITS
        return self.argument.isupper()


ACTIONS = (
    Action("escalate", "ctrl+r", "Ask remote", "Ask the remote model, too, or let it check what is selected"),
    Action("retry", "ctrl+t", "Retry", "Answer the last question again; both answers are kept"),
    Action("continue", "f5", "Continue", "Go on with an answer that was stopped", "[remote]"),
    Action("stop", "escape", "Stop", "Stop the answer; what was said is kept"),
    Action("edit", "f8", "Edit", "Edit the last question, or question N; what followed it is kept", "[N]"),
    Action("why", "f2", "Why", "Show why this model answered: the signals and the threshold"),
    Action("confidence", "f3", "Confidence", "Underline the words that the local model was unsure of", "[raw]"),
    Action("compare", "f4", "Compare", "Show two of the answers to the last question side by side, and keep one"),
    Action("previous", "alt+left", "Branch before", "Go to the answer or the edited question before this one"),
    Action("next", "alt+right", "Branch after", "Go to the answer or the edited question after this one"),
    Action("branches", "", "Branches", "Choose among all branches of this conversation"),
    Action("good", "f6", "Good", "Keep that the last answer is good, and learn from it"),
    Action("bad", "f7", "Bad", "Keep that the last answer is bad, and learn from it"),
    Action("preview", "ctrl+l", "Preview", "Show what would leave for what is written, or for the last question"),
    Action("condense", "", "Condense", "Let a summary stand for the older turns in what the local model is given"),
    Action("trim", "", "Trim", "Leave the oldest turn, or N of them, out of what the local model is given", "[N]"),
    Action("undo", "", "Undo", "Take back the last /condense or /trim"),
    Action("budget", "", "Budget", "Show what was spent on the remote model, and what may be"),
    Action("copy", "f9", "Copy", "Copy the last answer, or its code block N", "[N]"),
    Action("conversations", "ctrl+o", "Conversations", "List and search all conversations"),
    Action("new", "ctrl+n", "New", "Begin a new conversation"),
    Action("rename", "", "Rename", "Give this conversation another title", "TITLE"),
    Action("delete", "", "Delete", "Delete this conversation"),
    Action("egress", "", "What left", "Show what left this machine"),
    Action("kept", "", "What stayed", "Show how much never left this machine: answers, tokens, bytes, money"),
    Action("models", "", "Models", "Look for models on this machine, and get one"),
    Action("theme", "", "Theme", "Choose other colours", "[NAME]"),
    Action("editor", "ctrl+g", "Editor", "Write in $EDITOR"),
    Action("help", "f1", "Help", "Show keys and commands"),
    Action("quit", "ctrl+q", "Quit", "Leave; everything is kept"),
)
"""In the order in which help shows them."""

BY_NAME: Mapping[str, Action] = {action.name: action for action in ACTIONS}


def bindings(names: Iterable[str]) -> list[Binding]:
    """Return bindings for the actions called ``names``, as far as they have a key.

    They come before what the composer makes of a key; but not the editor, which has to wait for what was just typed.
    """
    return [
        Binding(action.keys, action.method, action.label, id=action.name, priority=action.name != "editor")
        for action in map(BY_NAME.__getitem__, names)
        if action.keys
    ]


def keymap(changes: Iterable[str]) -> dict[str, str]:
    """Read ``ACTION=KEY`` settings.

    Raises:
        BadConfiguration: One of them is none, names no action or no key, takes a key that is needed to write, or two
            actions would have the same key.
    """
    chosen: dict[str, str] = {}
    for change in changes:
        name, equals, key = (part.strip() for part in change.partition("="))
        if not (equals and key):
            raise BadConfiguration(f"chat.keys: {change!r} is no change of a key", hint='Write "escalate=f10".')
        if name not in BY_NAME:
            with_keys = ", ".join(action.name for action in ACTIONS if action.keys)
            raise BadConfiguration(f"chat.keys: there is no action {name!r}", hint=f"There are: {with_keys}.")
        if not BY_NAME[name].keys:
            raise BadConfiguration(f"chat.keys: {name} has no key to change", hint=f"Type /{name} in the chat.")
        chosen[name] = ",".join(_usable(one) for one in key.split(","))
    keys = [key for action in ACTIONS for key in chosen.get(action.name, action.keys).split(",") if key]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise BadConfiguration(f"chat.keys: two actions have the key {twice}", hint="Give one of them another key.")
    return chosen


def _usable(written: str) -> str:
    key = normal(written)
    if key is None:
        hint = 'Keys are written like "f10", "ctrl+e" or "alt+left".'
        raise BadConfiguration(f"chat.keys: there is no key {written!r}", hint=hint)
    if writes(key):
        hint = "Take a function key, or one with Ctrl or Alt."
        raise BadConfiguration(f"chat.keys: {readable(key)} is needed to write", hint=hint)
    return key
