"""Reads TOML files, and says which file and line a mistake is in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hybridchat.config.forms import Unsuitable
from hybridchat.config.keys import suggestion
from hybridchat.config.sources import Found, Source
from hybridchat.errors import BadConfiguration

if TYPE_CHECKING:
    from hybridchat.config.forms import Form

_TABLE = re.compile(r"\s*\[([^\[\]]+)\]")
_SHOWN = 60  # characters of a wrong value
_ASSIGNMENT = re.compile(r"\s*([\w.\"' -]+?)\s*=")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed TOML file with its text."""

    path: Path
    text: str
    content: dict[str, object]

    def place_of(self, key: str) -> str:
        """Return where dotted ``key`` is set: the file, and its line where a search finds it."""
        table = ""
        for number, line in enumerate(self.text.splitlines(), 1):
            if found := _TABLE.match(line):
                table = f"{_bare(found[1])}."
                if table == f"{key}.":
                    return f"{self.path}, line {number}"
            elif (found := _ASSIGNMENT.match(line)) and table + _bare(found[1]) == key:
                return f"{self.path}, line {number}"
        return str(self.path)

    def unknown(self, key: str, names: list[str]) -> BadConfiguration:
        """Return the error for a key that does not exist."""
        return BadConfiguration(f"{self.place_of(key)}: there is no setting {key!r}", hint=suggestion(key, names))


def _bare(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def read(path: Path) -> Document | None:
    """Read a TOML file; None where there is none.

    Raises:
        BadConfiguration: It cannot be read, is no UTF-8 text or no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError as error:
        raise BadConfiguration(f"{path} is a folder, not a file", hint="Rename it or name another file.") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadConfiguration(f"cannot read {path}: {reason}", hint="Make the file readable or remove it.") from error
    except UnicodeDecodeError as error:
        raise BadConfiguration(
            f"{path} is not UTF-8 text (byte {error.start})", hint="Save the file as UTF-8 without other encodings."
        ) from error
    return parse(path, text)


def parse(path: Path, text: str) -> Document:
    """Parse the text of a TOML file.

    Raises:
        BadConfiguration: It is no TOML; the message names the line.
    """
    import tomllib  # noqa: PLC0415 -- most starts find no file

    try:
        return Document(path, text, tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # a number of several thousand digits is a plain ValueError
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadConfiguration(f"{path} is not valid TOML: {reason}", hint="Correct that line.") from error


def checked(form: Form, value: object, source: Source, place: str) -> Found:
    """Check a value that stands in a file.

    Raises:
        BadConfiguration: It is not what ``form`` expects; the message begins with ``place``.
    """
    try:
        return Found(form.check(value), source)
    except ValueError as error:
        raise BadConfiguration(
            f"{place}: {misfit(form, value, error)}", hint="Correct the value or remove it."
        ) from error


def misfit(form: Form, value: object, error: ValueError) -> str:
    """Say what was expected and, where it cannot be a secret, what was found."""
    expected = f"{error}; expected {form.expected}" if isinstance(error, Unsuitable) else f"expected {form.expected}"
    if not form.shown:
        return expected
    try:
        shown = repr(value)
    except ValueError:  # Python refuses to write out a number of several thousand digits
        shown = "a number without end"
    return f"{expected}, got {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'}"
