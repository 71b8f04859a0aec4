"""Opens the chat screen for the plainest command lines, which need no command line library: it takes longer to load."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

CONTINUE = ("--continue", "-c")
"""The option that goes on with the most recent conversation."""


def meant_by(arguments: list[str]) -> Callable[[], NoReturn] | None:
    """Return what opens the chat screen and ends the process with its exit code.

    None where ``arguments`` ask for anything else, or for something that the command line library has to read.
    """
    match arguments:
        case [] if all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
            return _run  # without a terminal, no argument at all means help
        case ["chat"]:
            return _run
        case ["chat", option] if option in CONTINUE:
            return partial(_run, latest=True)
    return None


def _run(*, latest: bool = False) -> NoReturn:
    from hybridchat.cli.ending import run_to_exit_code, tell_on_stderr  # noqa: PLC0415 -- it may not be meant

    sys.exit(run_to_exit_code(partial(_open, latest=latest), tell_on_stderr))


def _open(*, latest: bool) -> int:
    from hybridchat.cli.conversing import Wanted, on_screen  # noqa: PLC0415 -- a signal is in good hands by now

    return on_screen(Wanted({}, latest=latest))
