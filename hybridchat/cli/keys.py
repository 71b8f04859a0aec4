"""``hybridchat keys``: API keys in the OS keyring."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Keep API keys in the keyring of your system.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="The key's name, such as huggingface.")]
_Host = Annotated[
    str | None,
    typer.Option("--host", metavar="HOST", help="The host that the key is for; by default the provider's own."),
]


@app.command("set")
def set_key(name: _Name, *, host: _Host = None) -> None:
    """Store a key: typed without being shown, or piped in. It is never taken from the command line."""
    from hybridchat.cli import key_commands  # noqa: PLC0415 -- `--help` asks no keyring

    key_commands.store(name, host)


@app.command("list")
def list_keys(*, as_json: Annotated[bool, typer.Option("--json", help="Write JSON Lines.")] = False) -> None:
    """List which keys are there and where each comes from; the keys themselves are never shown."""
    from hybridchat.cli import key_commands  # noqa: PLC0415 -- `--help` asks no keyring

    key_commands.show_all(as_json=as_json)


@app.command()
def test() -> None:
    """Show the key of the remote model to its server and list how many models it serves. No text is sent."""
    from hybridchat.cli import key_commands  # noqa: PLC0415 -- `--help` asks no keyring

    key_commands.test()


@app.command()
def remove(name: _Name, *, host: _Host = None) -> None:
    """Remove a key from the keyring."""
    from hybridchat.cli import key_commands  # noqa: PLC0415 -- `--help` asks no keyring

    key_commands.remove(name, host)
