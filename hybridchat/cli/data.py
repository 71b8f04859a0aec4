"""``hybridchat data``: everything that is held about you, to take away or to erase."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Take away or erase everything that is kept about you.", no_args_is_help=True)

_Day = Annotated[str | None, typer.Option(metavar="DATE", help="Such as 2026-11-22, or 2026-11-22T15:30.")]


@app.command("list")
def list_files(*, as_json: Annotated[bool, typer.Option("--json", help="Write JSON Lines.")] = False) -> None:
    """List every file that is kept, what it is, and what becomes of it."""
    from hybridchat.cli.data_rights import commands  # noqa: PLC0415 -- `--help` opens no store

    commands.list_files(as_json=as_json)


@app.command()
def export(
    target: Annotated[Path, typer.Argument(help="A folder, or an archive ending with .zip, that is not there yet.")],
) -> None:
    """Write everything that is held about you to a folder or an archive: JSON, and Markdown to read."""
    from hybridchat.cli.data_rights import commands  # noqa: PLC0415 -- `--help` opens no store

    commands.export(target)


@app.command()
def erase(
    *,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="ID", help="One conversation, with all its branches.")
    ] = None,
    since: _Day = None,
    until: _Day = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="All conversations, the ledger, all other files, all keys.")
    ] = False,
    settings: Annotated[bool, typer.Option("--settings", help="With --everything: your settings file, too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase a conversation, all that were spoken in during a period, or everything, so that no byte of it is left."""
    from hybridchat.cli.data_rights import commands  # noqa: PLC0415 -- `--help` opens no store

    commands.erase(
        commands.Scope(conversation, since, until, everything=everything, with_settings=settings), ask=not yes
    )
