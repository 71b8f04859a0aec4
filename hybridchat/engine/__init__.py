"""One turn from prompt to answer: route, stream, measure, escalate, record; tells it all as events."""

from hybridchat.engine.engine import Engine
from hybridchat.engine.request import TurnRequest
from hybridchat.engine.turn import Turn

__all__ = ["Engine", "Turn", "TurnRequest"]
