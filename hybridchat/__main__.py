"""Runs the program: ``python -m hybridchat``, and the ``hybridchat`` command."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as `typing` has it, which nothing needs that fast
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def main() -> None:
    """Run the command line. Ctrl-C while it is still being loaded ends it silently with exit code 130."""
    _occupy_closed_streams()
    try:
        from hybridchat.processes import forbid_core_dumps  # noqa: PLC0415  # nothing is imported before it is needed

        forbid_core_dumps()
        from hybridchat.cli import screen  # noqa: PLC0415  # the same

        run = screen.meant_by(sys.argv[1:]) or _commands()
    except KeyboardInterrupt:
        sys.exit(130)
    run()


def _commands() -> Callable[[], NoReturn]:
    from hybridchat.cli.app import run  # noqa: PLC0415  # the screen does without

    return run


def _occupy_closed_streams() -> None:
    """Let no file or connection take the number of a closed standard stream, where foreign code would write into it.

    A closed standard error swallows what it is told; the other two stay closed for whoever asks ``sys`` for them.
    """
    if None not in {sys.stdin, sys.stdout, sys.stderr}:
        return
    while os.open(os.devnull, os.O_RDWR) < 2:  # the number of standard error
        pass
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # stays open to the end


if __name__ == "__main__":
    main()
