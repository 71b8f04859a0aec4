"""Where a setting's value came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """The layers of settings, from the strongest to the weakest."""

    FLAG = "command line"
    ENVIRONMENT = "environment"
    FOLDER = "folder"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Source:
    """The layer and the place in it: a flag's name, a variable's name or a file's path; empty for a default."""

    origin: Origin
    where: str = ""

    def __str__(self) -> str:
        return f"{self.origin} {self.where}".rstrip()


DEFAULT = Source(Origin.DEFAULT)


@dataclass(frozen=True, slots=True)
class Found:
    """A checked value and where it was found."""

    value: object
    source: Source


Layer = dict[str, Found]
"""The values that one source sets, by dotted key."""
