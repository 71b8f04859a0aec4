"""What a check is given, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hybridchat.config.loading import Loaded
from hybridchat.config.settings import Settings


class State(StrEnum):
    """How it stands with what was looked at; a ``warning`` is something that works, but not as well as it could."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, in a line, and what to do next, where something should be done."""

    state: State
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What is examined: the settings with their sources. ``online`` says that hosts beyond loopback may be asked."""

    loaded: Loaded
    online: bool = False

    @property
    def settings(self) -> Settings:
        """The settings themselves."""
        return self.loaded.settings


def ok(found: str) -> Verdict:
    """Return that all is well."""
    return Verdict(State.OK, found)


def warning(found: str, advice: str) -> Verdict:
    """Return that something works less well than it could."""
    return Verdict(State.WARNING, found, advice)


def problem(found: str, advice: str) -> Verdict:
    """Return that something does not work."""
    return Verdict(State.PROBLEM, found, advice)
