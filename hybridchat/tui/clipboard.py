"""Copies text to where the user can paste it, and says how sure that is.

A terminal takes OSC 52 without ever confirming it, and many ignore it. So programs that can be asked what they hold
come first: tmux, then the desktop's own. What could not be read back is never called copied.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridchat.processes import without_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_PATIENCE = 3.0  # seconds for a program to take or give the text
OSC52_LIMIT = 74_994
"""The most bytes of text that terminals take by OSC 52: xterm's limit of 100,000 characters of Base64, and others'."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How it went: ``message`` is for the user; ``verified`` only where the text was read back."""

    verified: bool
    message: str


@dataclass(frozen=True, slots=True)
class _Program:
    name: str
    copy: Sequence[str]
    paste: Sequence[str]


async def copy(
    text: str,
    write_to_terminal: Callable[[str], None],
    environ: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Copied:
    """Copy ``text``; ``write_to_terminal`` sends an escape sequence."""
    size = f"{len(text):,} characters"
    for program in _programs(environ, platform):
        if await asyncio.to_thread(_holds, program, text):
            return Copied(True, f"copied {size} ({program.name})")
    if len(text.encode(errors="replace")) > OSC52_LIMIT:
        return Copied(False, f"not copied: {size} are too many for the terminal's clipboard, and no program was found")
    write_to_terminal(osc52(text, in_tmux="TMUX" in environ))
    return Copied(False, f"sent {size} to the terminal's clipboard; not every terminal takes it, and none confirms it")


def osc52(text: str, *, in_tmux: bool) -> str:
    """Return the sequence that asks a terminal to take ``text``, wrapped for tmux to pass it on."""
    sequence = f"\x1b]52;c;{b64encode(text.encode(errors='replace')).decode()}\x07"
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" if in_tmux else sequence


def _programs(environ: Mapping[str, str], platform: str) -> Iterator[_Program]:
    """Yield the programs that are installed and whose clipboard is the one before the user."""
    if "TMUX" in environ:
        yield from _installed(_Program("tmux", ("tmux", "load-buffer", "-w", "-"), ("tmux", "show-buffer")))
    if "SSH_CONNECTION" in environ and not environ.get("DISPLAY"):
        return  # the clipboard of the machine far away is of no use
    if platform == "darwin":
        yield from _installed(_Program("pbcopy", ("pbcopy",), ("pbpaste",)))
    if environ.get("WAYLAND_DISPLAY"):
        yield from _installed(_Program("wl-copy", ("wl-copy",), ("wl-paste", "--no-newline")))
    if environ.get("DISPLAY"):
        clipboard = ("-selection", "clipboard")
        yield from _installed(_Program("xclip", ("xclip", *clipboard), ("xclip", *clipboard, "-o")))
        yield from _installed(_Program("xsel", ("xsel", "--clipboard", "-i"), ("xsel", "--clipboard", "-o")))
    if platform == "win32" or "WSL_DISTRO_NAME" in environ:
        paste = ("powershell.exe", "-NoProfile", "-Command", "Get-Clipboard -Raw")
        yield from _installed(_Program("clip", ("clip.exe",), paste))


def _installed(program: _Program) -> Iterator[_Program]:
    if shutil.which(program.copy[0]) and shutil.which(program.paste[0]):
        yield program


def _holds(program: _Program, text: str) -> bool:
    """Give ``text`` to ``program`` and return whether it gives it back."""
    try:
        # no pipe for the output: these programs stay in the background to serve what they hold, and would keep it open
        subprocess.run(  # noqa: S603 -- fixed programs, no shell
            program.copy,
            input=text.encode(errors="replace"),
            stdout=subprocess.DEVNULL,
            env=without_keys(),
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=_PATIENCE,
        )
        given = subprocess.run(  # noqa: S603 -- the same
            program.paste,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_PATIENCE,
            env=without_keys(),
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return _plain(given.decode(errors="replace")) == _plain(text)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip("\n")
