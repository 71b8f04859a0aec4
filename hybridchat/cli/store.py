"""``hybridchat store``: the database of what is kept, and its encryption."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Encrypt what is kept on this machine.", no_args_is_help=True)

_Passphrase = Annotated[
    bool,
    typer.Option("--passphrase", help="Take a passphrase (asked for, or piped in) instead of a key in the OS keyring."),
]


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="Write JSON Lines.")] = False) -> None:
    """Say whether the store and its backups are encrypted, and where the key is."""
    from hybridchat.cli import store_commands  # noqa: PLC0415 -- `--help` opens no store

    store_commands.status(as_json=as_json)


@app.command()
def encrypt(*, passphrase: _Passphrase = False) -> None:
    """Encrypt the whole store and its backups. Needs the extra `encryption`; other hybridchats must be closed."""
    from hybridchat.cli import store_commands  # noqa: PLC0415 -- `--help` opens no store

    store_commands.encrypt(by_passphrase=passphrase)


@app.command()
def decrypt() -> None:
    """Decrypt the whole store and its backups, and forget the key."""
    from hybridchat.cli import store_commands  # noqa: PLC0415 -- `--help` opens no store

    store_commands.decrypt()


@app.command()
def rekey(*, passphrase: _Passphrase = False) -> None:
    """Give the encrypted store another key: a new one in the OS keyring, or a passphrase."""
    from hybridchat.cli import store_commands  # noqa: PLC0415 -- `--help` opens no store

    store_commands.rekey(by_passphrase=passphrase)
