"""Starts turns."""

from __future__ import annotations

from hybridchat.engine.request import TurnRequest
from hybridchat.engine.resources import Resources
from hybridchat.engine.turn import Turn


class Engine(Resources):
    """Starts turns on its resources; one for the life of the program."""

    def turn(self, request: TurnRequest) -> Turn:
        """Start a turn; needs a running event loop."""
        return Turn(self, request)
