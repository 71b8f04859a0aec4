"""Takes turns out of the file that ``routing.record`` names, which holds questions and answers in clear."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import msgspec

from hybridchat.store.failures import explained
from hybridchat.store.private import wipe


class _Turn(msgspec.Struct):
    id: str = ""


def drop(path: Path, answers: Collection[str]) -> int:
    """Rewrite the recording at ``path`` without the turns of these ``answers``, and overwrite the old one.

    Return how many turns went. Raises ``CannotWrite``; what was killed is brought to its end by doing it again.
    """
    path = path.resolve()
    new, old = (path.with_name(path.name + ending) for ending in (".new", ".old"))
    with explained(str(path)):
        if old.exists() and not path.exists():
            old.replace(path)
        for left in (old, new):
            if left.exists():
                wipe(left)
        if not path.is_file():
            return 0
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if _answer(line) not in answers]
        if len(kept) < len(lines):
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 -- a mode is set
                file.writelines(kept)
                file.flush()
                os.fsync(file.fileno())
            path.replace(old)
            new.replace(path)
            wipe(old)
        return len(lines) - len(kept)


def _answer(line: bytes) -> str:
    try:
        return msgspec.json.decode(line, type=_Turn).id
    except msgspec.MsgspecError:
        return ""
