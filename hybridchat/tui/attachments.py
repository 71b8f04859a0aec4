"""Completes files named ``@path`` while a prompt is written; ``handover.mentions`` puts them in. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hybridchat.handover.mentions import place_of

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 50  # completions
_BEGUN = re.compile(r'(?:^|(?<=\s))@(?P<quote>"?)(?P<path>[^"\n]*|\S*)$')


def begun(text: str) -> str | None:
    """Return the path that ``text``, up to the cursor, ends with after an ``@``; None where it ends otherwise."""
    match = _BEGUN.search(text)
    if match is None or (not match["quote"] and re.search(r"\s", match["path"])):
        return None
    return match["path"]


def completions(path: str, folder: Path) -> list[str]:
    """Return paths that begin with ``path``, folders first and with a slash; hidden ones only where a dot is typed."""
    head, slash, stem = path.rpartition("/")
    place = place_of(folder, head or ("/" if slash else "."))
    try:
        entries = [entry for entry in place.iterdir() if entry.name.casefold().startswith(stem.casefold())]
        found = [
            (not entry.is_dir(), f"{head}{slash}{entry.name}{'/' if entry.is_dir() else ''}")
            for entry in entries
            if stem.startswith(".") or not entry.name.startswith(".")
        ]
    except OSError:
        return []
    return [name for _, name in sorted(found)][:_MOST]


def mention(path: str) -> str:
    """Return ``path`` as it is written in a prompt; a folder is left open for what comes after."""
    if not re.search(r"\s", path):
        return f"@{path}" if path.endswith("/") else f"@{path} "
    return f'@"{path}' if path.endswith("/") else f'@"{path}" '
