"""``hybridchat config``: the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer(help="See and change settings.", no_args_is_help=True)

_Key = Annotated[str, typer.Argument(metavar="SETTING", help="Such as local.model; see `config show`.")]


@app.command()
def show(*, as_json: Annotated[bool, typer.Option("--json", help="Write JSON Lines.")] = False) -> None:
    """Show every setting, its value and where that comes from. No setting holds a key."""
    from hybridchat.cli.listing import show_records  # noqa: PLC0415 -- `--help` prints no list
    from hybridchat.config.loading import load  # noqa: PLC0415 -- the same

    records = [{"setting": one.key, "value": one.value, "source": str(one.source)} for one in load()]
    show_records(records, ("setting", "value", "source"), as_json=as_json, empty="")


@app.command()
def path() -> None:
    """Print the path of your settings file, whether it exists or not."""
    from hybridchat.cli.listing import show_text  # noqa: PLC0415 -- `--help` prints nothing

    show_text(str(_user_file()))


@app.command("set")
def set_setting(key: _Key, value: Annotated[str, typer.Argument(help="The value; lists as one,two.")]) -> None:
    """Change a setting in your settings file."""
    from hybridchat.cli.listing import tell  # noqa: PLC0415 -- `--help` changes nothing
    from hybridchat.config.editing import set_value  # noqa: PLC0415 -- the same

    file = _user_file()
    set_value(file, key, value)
    tell(f"{key} is set in {file}")


@app.command()
def unset(key: _Key) -> None:
    """Remove a setting from your settings file, so that its default holds."""
    from hybridchat.cli.listing import tell  # noqa: PLC0415 -- `--help` changes nothing
    from hybridchat.config.editing import unset_value  # noqa: PLC0415 -- the same

    file = _user_file()
    tell(f"{key} was {'removed from' if unset_value(file, key) else 'not set in'} {file}")


def _user_file() -> Path:
    from hybridchat.config.loading import user_file_path  # noqa: PLC0415 -- `--help` looks for no file

    return user_file_path()
