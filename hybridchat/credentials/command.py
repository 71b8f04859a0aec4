"""The key as the output of a command that the user names, such as a password manager's."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

from hybridchat.credentials.daemon import in_daemon_thread
from hybridchat.credentials.key import checked
from hybridchat.errors import KeyMissing
from hybridchat.processes import without_keys

_SHOWN = 200  # characters of what a command says


async def output(command: str, limit: float, hint: str) -> str:
    """Return the key that ``command`` prints, as ``printed`` does.

    Raises:
        KeyMissing: It cannot be run, fails or takes too long; ``hint`` is passed on.
        KeyUnusable: What it printed cannot be a key.
    """
    said = await printed(command, limit, hint)
    return checked(said, f"what the command {program(command)} printed")


async def printed(command: str, limit: float, hint: str) -> str:
    """Run ``command`` for at most ``limit`` seconds, without a shell and without our standard input.

    Raises:
        KeyMissing: It cannot be run, fails or takes too long; ``hint`` is passed on.
    """
    argv = _arguments(command, hint)
    name = argv[0]

    def run() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603 -- the command stands in the user's own configuration
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False, env=without_keys()
        )

    try:
        done = await in_daemon_thread(run, None)
    except subprocess.TimeoutExpired:
        # not chained: the exception holds what the command has printed so far
        raise KeyMissing(f"the key's command {name} did not end within {limit:g} s", hint=hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise KeyMissing(f"the key's command {name} cannot be run: {reason}", hint=hint) from error
    if done.returncode != 0:
        said = _first_line(done.stderr)
        raise KeyMissing(
            f"the key's command {name} failed with status {done.returncode}{': ' if said else ''}{said}", hint=hint
        )
    return done.stdout.decode("utf-8", "replace")


def program(command: str) -> str:
    """Return the first word of a command: all of it that is worth showing in a list."""
    return (command.split() or [""])[0]


def _arguments(command: str, hint: str) -> list[str]:
    windows = os.name == "nt"  # where a backslash separates folders
    try:
        arguments = shlex.split(command, posix=not windows)
    except ValueError as error:
        raise KeyMissing(f"the key's command cannot be read: {error}", hint=hint) from error
    if not arguments:
        raise KeyMissing("the key's command is empty", hint=hint)
    return [one.strip('"') for one in arguments] if windows else arguments


def _first_line(text: bytes) -> str:
    line = re.split(r"[\r\n]", text.decode("utf-8", "replace").strip(), maxsplit=1)[0]
    return "".join(character for character in line if character.isprintable())[:_SHOWN]
