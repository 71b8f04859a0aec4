"""``hybridchat egress``: what left the machine, and what did not."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="See what left this machine.", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="Write JSON Lines.")]


@app.command("list")
def list_entries(
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 50,
    as_json: _Json = False,
) -> None:
    """List every request that went to a remote server, the latest first."""
    from hybridchat.cli import egress_commands  # noqa: PLC0415 -- `--help` opens no store

    egress_commands.show_all(limit, as_json=as_json)


@app.command()
def show(
    number: Annotated[int, typer.Argument(min=1, help="The entry's number, as `egress list` shows it.")],
    *,
    as_json: _Json = False,
) -> None:
    """Show all that is known of one request: when, where to, why, how large, what was redacted, what it cost."""
    from hybridchat.cli import egress_commands  # noqa: PLC0415 -- `--help` opens no store

    egress_commands.show(number, as_json=as_json)


@app.command()
def export() -> None:
    """Write the whole ledger as JSON Lines, each row with its MAC, as it is chained."""
    from hybridchat.cli import egress_commands  # noqa: PLC0415 -- `--help` opens no store

    egress_commands.export()


@app.command()
def verify() -> None:
    """Check that no row was changed, removed or cut off. Exits with 65 where one was, 77 without the key."""
    from hybridchat.cli import egress_commands  # noqa: PLC0415 -- `--help` opens no store

    egress_commands.verify()


@app.command()
def summary(*, as_json: _Json = False) -> None:
    """Count what was answered on this machine alone: answers, tokens and bytes that never left, money not spent."""
    from hybridchat.cli import egress_commands  # noqa: PLC0415 -- `--help` opens no store

    egress_commands.summary(as_json=as_json)


@app.command()
def restart(
    *,
    unguarded: Annotated[
        bool, typer.Option("--unguarded", help="Go on without a key, on a machine that has no keyring.")
    ] = False,
) -> None:
    """Begin a new chain behind the rows that are there, which says so: after the ledger or its key was damaged."""
    from hybridchat.cli import egress_commands  # noqa: PLC0415 -- `--help` opens no store

    egress_commands.restart(guarded=not unguarded)
