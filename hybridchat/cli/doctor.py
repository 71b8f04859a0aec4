"""``hybridchat doctor``: what works here, what does not, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON Lines.")] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Ask the remote server for its models, too. No text is sent.")
    ] = False,
) -> None:
    """Look at everything that hybridchat needs, and say what to do where something is missing.

    Exits with 0 where a local model can answer. Nothing beyond this machine is contacted without --online.
    """
    from hybridchat.cli.checkup.report import report  # noqa: PLC0415 -- `--help` looks at nothing

    raise typer.Exit(report(as_json=as_json, online=online))
