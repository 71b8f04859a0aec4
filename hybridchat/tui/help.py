"""What F1 shows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridchat.tui.keys import ACTIONS, readable

if TYPE_CHECKING:
    from collections.abc import Callable

_WRITING = (
    ("Enter", "send"),
    ("Ctrl+J", "new line (Shift+Enter where the terminal can tell it apart)"),
    ("↑ ↓", "earlier prompts, at the first and the last line"),
    ("/", "a command from the list below"),
    ("@path", "attach a file"),
    ("Tab", "take a completion, or go to what can be unfolded and edited"),
    ("PgUp PgDn", "scroll; Ctrl+End goes to the end and follows the answer again"),
    ("Ctrl+P", "find any action by its name"),
)


def help_text(key_of: Callable[[str], str]) -> str:
    """Return all keys and commands; ``key_of`` tells an action's key, which the user may have changed."""
    rows = [_row(key, what) for key, what in _WRITING]
    actions = []
    for action in ACTIONS:
        key = key_of(action.name) or action.keys
        command = f"/{action.name} {action.argument}".rstrip()
        actions.append(f"{readable(key) if key else '':<10} {command:<20} {action.help}")
    signs = "● a model on this machine   ↗ the remote model   ▸ ▾ folded, unfolded   dim: a draft that may be replaced"
    return "\n".join([*rows, "", *actions, "", signs, "", "Other keys: hybridchat config set chat.keys escalate=f10"])


def _row(key: str, what: str) -> str:
    return f"{key:<15} {what}"
