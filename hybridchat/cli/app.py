"""The command line: its commands, and how the process ends."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from hybridchat import __version__
from hybridchat.cli import (
    ask,
    budget,
    calibrate,
    chat,
    config,
    data,
    doctor,
    egress,
    evaluate,
    history,
    keys,
    models,
    store,
)
from hybridchat.cli.ending import run_to_exit_code, tell_on_stderr
from hybridchat.errors import UsageError

app = typer.Typer(
    name="hybridchat",
    help="A terminal chat assistant that thinks on your machine first and asks a large model only when it should.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("chat")(chat.chat)
app.command("ask")(ask.ask)
app.add_typer(history.app, name="history")
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.add_typer(config.app, name="config")
app.add_typer(egress.app, name="egress")
app.add_typer(store.app, name="store")
app.add_typer(data.app, name="data")
app.command("calibrate")(calibrate.calibrate)
app.command("evaluate")(evaluate.evaluate)
app.command("budget")(budget.budget)
app.command("doctor")(doctor.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hybridchat {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 -- its callback does everything
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    from hybridchat.plain.streams import is_terminal  # noqa: PLC0415 -- the cheap part of `plain`

    if is_terminal(sys.stdin) and is_terminal(sys.stdout):
        chat.chat()
    typer.echo(context.get_help())
    typer.echo(
        "\nThe chat screen needs a terminal for input and output: `hybridchat chat --plain` does without.", err=True
    )
    raise typer.Exit(UsageError.exit_code)


def run() -> NoReturn:
    """Run the command line of this process and end it with the exit code that the command gives."""
    sys.exit(run_to_exit_code(_run_commands, tell_on_stderr))


def _run_commands() -> int:
    from hybridchat.plain.streams import Output, ReaderGone  # noqa: PLC0415 -- the cheap part of `plain`

    try:
        app()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # as the command line library ends when nobody reads its help
            Output(sys.__stdout__).abandon()
            raise ReaderGone from end
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0
