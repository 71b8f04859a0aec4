"""Names of keys: as settings write them, as Textual calls them, as people read them. Pure."""

from __future__ import annotations

import unicodedata

from textual.keys import Keys

_MODIFIERS = ("ctrl", "alt", "shift", "super", "hyper", "meta")
_NAMES = frozenset(key.value.rpartition("+")[2] for key in Keys if not key.value.startswith("<"))
_ALIASES = {
    "esc": "escape",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "control": "ctrl",
    "option": "alt",
    "return": "enter",
}
_ALIASES |= {"←": "left", "→": "right", "↑": "up", "↓": "down"}
_READABLE = {"escape": "Esc", "left": "←", "right": "→", "up": "↑", "down": "↓"}
_WRITING = frozenset({"ctrl+j", "ctrl+m", "ctrl+i", "ctrl+h", "ctrl+enter", "alt+enter", "ctrl+p"})
"""With a modifier, and all the same what the composer and the palette cannot do without; ``ctrl+m`` is Enter."""


def readable(key: str) -> str:
    """Return a key as people write it: ``Ctrl+R``, ``F2``, ``Esc``."""
    return "+".join(_READABLE.get(part, part.capitalize()) for part in key.split(",", maxsplit=1)[0].split("+"))


def normal(key: str) -> str | None:
    """Return what Textual calls ``key``, in whichever case it is written; None where there is no such key."""
    parts = [_ALIASES.get(part, part) for part in key.strip().lower().split("+")]
    *modifiers, name = parts
    if len(set(modifiers)) < len(modifiers) or not set(modifiers) <= set(_MODIFIERS):
        return None
    if not (name in _NAMES or len(name) == 1 or _is_character(name)):
        return None
    return "+".join([*sorted(modifiers), name])


def writes(key: str) -> bool:
    """Whether the key, by Textual's name, is needed to write: it types something, moves the cursor or sends."""
    *modifiers, name = key.split("+")
    if set(modifiers) <= {"shift"}:
        return not (name in {"escape", "insert"} or (name[0] == "f" and name[1:].isdecimal()))
    return key in _WRITING


def _is_character(name: str) -> bool:
    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return True
