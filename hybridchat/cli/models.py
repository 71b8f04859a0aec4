"""``hybridchat models``: the models on this machine."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(help="See, fetch and remove models on this machine.", no_args_is_help=True)


class Holder(StrEnum):
    """Who holds a model on this machine."""

    OLLAMA = "ollama"
    EMBEDDED = "embedded"


_Json = Annotated[bool, typer.Option("--json", help="Write JSON Lines.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="A model's name, hf:OWNER/REPO/FILE.gguf, or a GGUF file.")]
_Holder = Annotated[
    Holder | None, typer.Option("--in", help="Where; without it, where the model is or where it fits best.")
]


@app.command("list")
def list_models(*, as_json: _Json = False) -> None:
    """List the models on this machine, in Ollama and in the embedded engine."""
    from hybridchat.cli import model_commands  # noqa: PLC0415 -- `--help` asks no server

    model_commands.show_all(as_json=as_json)


@app.command()
def pull(
    name: _Name,
    *,
    holder: _Holder = None,
    allow_download: Annotated[
        bool, typer.Option("--allow-download", help="Ask a registry for it under the data policy local-only, too.")
    ] = False,
) -> None:
    """Fetch a model. What was fetched before an interruption is kept."""
    from hybridchat.cli import model_commands  # noqa: PLC0415 -- `--help` asks no server

    model_commands.pull(name, holder, allow_download=allow_download)


@app.command()
def show(name: _Name, *, holder: _Holder = None, as_json: _Json = False) -> None:
    """Describe a model."""
    from hybridchat.cli import model_commands  # noqa: PLC0415 -- `--help` asks no server

    model_commands.show(name, holder, as_json=as_json)


@app.command()
def remove(name: _Name, *, holder: _Holder = None) -> None:
    """Delete a model from this machine."""
    from hybridchat.cli import model_commands  # noqa: PLC0415 -- `--help` asks no server

    model_commands.remove(name, holder)


@app.command()
def stop() -> None:
    """End the embedded engine's servers, which otherwise end by themselves when they have been idle."""
    from hybridchat.cli import model_commands  # noqa: PLC0415 -- `--help` asks no server

    model_commands.stop()
