"""Lets the user write in the editor of their choice."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hybridchat.errors import CannotWrite, InputError
from hybridchat.processes import without_keys
from hybridchat.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping


def edited(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Let ``$VISUAL`` or ``$EDITOR`` change ``text`` and return it; blocks until the editor is left.

    The text lies in a file that only the user can read, and is gone afterwards. Raises ``InputError`` where the editor
    cannot be started, fails, or leaves no text, ``CannotWrite`` where there is no room for the file.
    """
    fallback = "notepad" if sys.platform == "win32" else "vi"
    command = environ.get("VISUAL") or environ.get("EDITOR") or fallback
    try:
        with tempfile.TemporaryDirectory(prefix="hybridchat-") as folder:
            file = Path(folder) / "prompt.md"
            file.write_text(text, encoding="utf-8")
            _run(command, file)
            return clean(file.read_text(encoding="utf-8")).rstrip("\n")
    except UnicodeDecodeError as error:
        raise InputError("the editor left no UTF-8 text", hint="What you wrote before is still here.") from error
    except OSError as error:
        raise CannotWrite(f"no file for the editor can be made: {error.strerror}", hint="Make some room.") from error


def _run(command: str, file: Path) -> None:
    try:
        code = subprocess.run([*shlex.split(command), str(file)], check=False, env=without_keys()).returncode  # noqa: S603 -- the user's own
    except (OSError, ValueError) as error:
        raise InputError(f"the editor {command!r} cannot be started", hint="Set EDITOR to one that can.") from error
    if code != 0:
        raise InputError(f"the editor {command!r} ended with {code}", hint="What you wrote before is still here.")
