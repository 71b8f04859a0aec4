"""``hybridchat egress``: what left the machine."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="See what left this machine.", no_args_is_help=True)

_COLUMNS = ("number", "time", "model", "url", "bytes", "placeholders", "status", "reason")


@app.command("list")
def list_entries(
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON Lines.")] = False,
) -> None:
    """List every request that went to a remote server, the latest first."""
    from hybridchat.cli.history import in_store  # noqa: PLC0415 -- `--help` opens no store
    from hybridchat.cli.listing import show_records  # noqa: PLC0415 -- the same

    entries = in_store(lambda store: store.ledger.list(limit))
    if as_json:
        show_records([{"entry": entry} for entry in entries], (), as_json=True, empty="")
        return
    records = [
        {column: getattr(entry, column, None) for column in _COLUMNS}
        | {"status": entry.outcome.status if entry.outcome else "unknown"}
        for entry in entries
    ]
    show_records(records, _COLUMNS, as_json=False, empty="nothing has left this machine")


@app.command()
def verify() -> None:
    """Check that no entry was changed or removed. Exits with 65 where one was."""
    from hybridchat.cli.history import in_store  # noqa: PLC0415 -- `--help` opens no store
    from hybridchat.cli.listing import show_text  # noqa: PLC0415 -- the same
    from hybridchat.errors import InputError  # noqa: PLC0415 -- the same
    from hybridchat.phrases import counted  # noqa: PLC0415 -- the same

    found = in_store(lambda store: store.ledger.verify())
    if found.broken_at is not None:
        raise InputError(
            f"the ledger does not fit together at entry {found.broken_at}: {found.problem}",
            hint="Somebody or something changed the database outside of hybridchat.",
        )
    if found.unverifiable:
        raise InputError(
            f"{found.unverifiable} of {counted(found.rows, 'entry').replace('entrys', 'entries')} cannot be checked",
            hint="Their key is not in this keyring.",
        )
    without = "" if found.keyed == found.rows else f", {found.rows - found.keyed} of them without a key of the keyring"
    show_text(f"intact: {found.rows} rows{without}")
