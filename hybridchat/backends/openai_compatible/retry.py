"""What may be tried again before the first token: one failure that is likely to pass, and a model being loaded."""

from __future__ import annotations

from asyncio import get_running_loop
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridchat.errors import HybridChatError, ServerFailed, StreamBroken, TimedOut, TryLater

if TYPE_CHECKING:
    from hybridchat.backends.openai_compatible.errors import Complaint
    from hybridchat.config.settings import Endpoint

LOADING_PAUSE = 0.5
"""Seconds between two looks at a server that loads its model."""

RETRY_PAUSE = 1.0
"""Seconds before the one retry, where the server does not say."""

LONGEST_PAUSE = 5.0
"""Seconds that a server may ask for without our giving up at once: a person is waiting."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds until the next attempt; ``reason`` is a sentence for the user, empty where there is nothing new."""

    seconds: float
    reason: str = ""


class Patience:
    """Allows one retry and, until ``first_token_timeout`` has passed, waiting for a model that is being loaded."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._loaded_by = get_running_loop().time() + endpoint.first_token_timeout
        self._told_loading = False
        self._retried = False

    def pause(self, failure: HybridChatError, complaint: Complaint | None) -> Pause:
        """Return how long to wait before the next attempt; raise what stands where there is to be none."""
        name = self._endpoint.name
        if complaint is not None and complaint.is_loading:
            if get_running_loop().time() >= self._loaded_by:
                raise TimedOut(
                    f"{name} was still loading its model after {self._endpoint.first_token_timeout:g} s",
                    endpoint=name,
                    hint="Ask again when it is ready, or raise first_token_timeout.",
                ) from failure
            reason = "" if self._told_loading else "the server is loading its model"
            self._told_loading = True
            return Pause(LOADING_PAUSE, reason)
        seconds = _worth_waiting(failure, complaint)
        if self._retried or seconds is None:
            raise failure
        self._retried = True
        return Pause(seconds, f"{failure.message}; trying once more")


def _worth_waiting(failure: HybridChatError, complaint: Complaint | None) -> float | None:
    match failure:
        case TryLater(retry_after=float(seconds)):
            return seconds if seconds <= LONGEST_PAUSE else None
        case TryLater() | StreamBroken():
            return RETRY_PAUSE
        case ServerFailed() if complaint is not None and complaint.status in {502, 504}:
            return RETRY_PAUSE
        case _:
            return None
