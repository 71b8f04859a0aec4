"""Reads a budget as it is given on the command line: ``5``, ``20calls``, ``2.50,50000tokens``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hybridchat.config.loading import Flag

_UNITS = ("dollars", "calls", "tokens")


def limit_flags(period: str, option: str, text: str | None) -> dict[str, Flag]:
    """Return the settings that ``text``, given to ``option``, sets for a ``period`` (``month``, ``conversation``).

    An amount without a unit, or with ``$`` before it, is in US dollars. Raises ``UsageError`` for what is no amount.
    """
    from hybridchat.config.loading import Flag  # noqa: PLC0415 -- `--help` reads no setting
    from hybridchat.errors import UsageError  # noqa: PLC0415 -- the same

    flags: dict[str, Flag] = {}
    for part in (text or "").split(",") if text is not None else ():
        amount, unit = part.strip().lower().removeprefix("$"), "dollars"
        for name in _UNITS:
            for word in (name, name.removesuffix("s")):
                if amount.endswith(word):
                    amount, unit = amount.removesuffix(word).strip(), name
        key = f"budget.{period}_{unit}"
        if not amount or key in flags:
            raise UsageError(
                f"{option}: {part.strip()!r} is no amount, or the second one in {unit}",
                hint=f"Give dollars, calls or tokens, such as {option} 5 or {option} 20calls,50000tokens.",
            )
        flags[key] = Flag(option, amount)
    return flags
