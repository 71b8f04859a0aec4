"""What the status line tells of the local model between answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hybridchat.messages import Role
from hybridchat.tui.status import StatusLine, at_rest
from hybridchat.tui.warmth import Warmth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.timer import Timer

    from hybridchat.assistant import Assistant
    from hybridchat.messages import Message

_LOOKED_AT = 50  # answers that were given last, in whichever conversation


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Resting:
    """Tells whether the local model is loaded, and changes that when the model's time is over: by one timer."""

    def __init__(self, status: StatusLine, assistant: Assistant) -> None:
        local = assistant.settings.local
        self._status = status
        self._assistant = assistant
        self._warmth = Warmth(local.model, local.keep_alive)
        self._cooling: Timer | None = None

    async def begin(self) -> None:
        """Learn from the answers of earlier sessions."""
        newest = await self._assistant.newest(Role.ASSISTANT, _LOOKED_AT)
        self.learn(reversed(newest))

    def learn(self, answers: Iterable[Message]) -> None:
        """Learn from answers, from the oldest to the newest, and tell what is known now."""
        for answer in answers:
            self._warmth.learn(answer)
        self.tell()

    def tell(self) -> None:
        """Tell what is known."""
        time = now()
        forecast = self._warmth.forecast(time)
        if self._cooling is not None:
            self._cooling.stop()
            self._cooling = None
        if forecast.until is not None:
            self._cooling = self._status.set_timer((forecast.until - time).total_seconds() + 1, self.tell)
        self._status.rest(*at_rest(forecast))
