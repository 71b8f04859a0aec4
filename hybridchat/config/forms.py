"""What a setting's value must look like, said once for checking and for the error message.

A form *reads* text (environment variables and the command line know nothing else) and *checks* values (a TOML file has
types of its own, and a quoted number in it is a mistake). Both raise ``ValueError`` for what does not fit, and
``Unsuitable`` where there is more to say than what was expected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

# C0, DEL and C1 controls; lone surrogates are what Python makes of bytes that are not UTF-8
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNPRINTABLE_BUT_NEWLINE_AND_TAB = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_DURATION = re.compile(r"0|-?(\d+(\.\d+)?(ms|s|m|h))+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class Unsuitable(ValueError):
    """A value does not fit, for a reason that is safe to show."""


@dataclass(frozen=True, slots=True)
class Form:
    """``expected`` completes the sentence "expected ..."; ``shown`` is false where a wrong value may hold a secret."""

    expected: str
    check: Callable[[object], object]
    read: Callable[[str], object] = str
    shown: bool = True


def _text(value: object, unprintable: re.Pattern[str] = _UNPRINTABLE) -> str:
    if not isinstance(value, str) or unprintable.search(value):
        raise ValueError
    return value


def text(*, lines: bool = False, empty: bool = True) -> Form:
    """Take text without control characters; ``lines`` allows line breaks and tabs."""
    unprintable = _UNPRINTABLE_BUT_NEWLINE_AND_TAB if lines else _UNPRINTABLE

    def check(value: object) -> str:
        if not empty and not str(value).strip():
            raise ValueError
        return _text(value, unprintable)

    return Form("text without control characters" if empty else "text, not empty", check, shown=False)


def matching(pattern: re.Pattern[str], expected: str) -> Form:
    """Take text that is empty or matches ``pattern`` as a whole."""

    def check(value: object) -> str:
        if (found := _text(value)) and not pattern.fullmatch(found):
            raise ValueError
        return found

    return Form(expected, check)


def duration() -> Form:
    """Take a length of time as Ollama reads it."""
    return matching(_DURATION, 'a duration such as "10m" or "1h30m"; "0" for none, "-1s" for ever')


def name() -> Form:
    """Take a short name that can stand in an environment variable."""
    return matching(_NAME, "a name of letters, digits, '.', '-' and '_'")


def whole(lowest: int, highest: int) -> Form:
    """Take a whole number between two bounds, both included."""

    def check(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        raise ValueError

    return Form(f"a whole number from {lowest} to {highest}", check, int)


def number(lowest: float, highest: float, *, above: bool = False) -> Form:
    """Take a number between two bounds; ``above`` leaves the lower one out."""

    def check(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError  # noqa: TRY004 -- one kind of error for whatever does not fit
        if lowest <= value <= highest and not (above and value == lowest):
            return float(value)
        raise ValueError

    bounds = f"above {lowest:g}, at most {highest:g}" if above else f"from {lowest:g} to {highest:g}"
    return Form(f"a number {bounds}", check, float)


def switch() -> Form:
    """Take true or false."""
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}

    def check(value: object) -> bool:
        if isinstance(value, bool):
            return value
        raise ValueError

    def read(value: str) -> bool:
        if value.lower() not in words:
            raise ValueError
        return words[value.lower()]

    return Form("true or false", check, read)


def choice(kind: type[StrEnum]) -> Form:
    """Take one of an enumeration's values."""
    return Form(f"one of {', '.join(kind)}", kind)


def texts() -> Form:
    """Take several texts, none of them empty: a TOML array, or text with commas between them."""

    def check(value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(str(item).strip() for item in value):
            raise ValueError
        return tuple(_text(item).strip() for item in value)

    def read(value: str) -> tuple[str, ...]:
        return tuple(item.strip() for item in value.split(",") if item.strip())

    return Form('a list of texts such as ["one", "two"] (on the command line: one,two)', check, read, shown=False)


def url() -> Form:
    """Take an http or https address without user, password or fragment; empty for none."""

    def check(value: object) -> str:
        from urllib.parse import urlsplit  # noqa: PLC0415 -- most users set no URL, and from Python 3.13 on nothing else brings it along

        if not (found := _text(value)):
            return found
        parts = urlsplit(found)
        if "@" in parts.netloc:
            raise Unsuitable("a user name or password does not belong into an address; keys have a place of their own")
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        if not whole or parts.fragment or re.search(r"\s", found):
            raise ValueError
        return found

    return Form("an address such as http://127.0.0.1:8080/v1", check, shown=False)


def place() -> Form:
    """Take an absolute path, or one below the home folder ``~``; empty for the system's own place."""

    def check(value: object) -> str:
        if (found := _text(value)) and not Path(found).is_absolute() and Path(found).parts[0] != "~":
            raise ValueError
        return found

    return Form("an absolute path or one that begins with ~/", check)
