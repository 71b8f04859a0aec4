"""Whether the local model is still loaded, and when its first token is to be expected: read off its answers. Pure."""

from __future__ import annotations

import math
import re
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hybridchat.messages import Place

if TYPE_CHECKING:
    from hybridchat.messages import Message

_KEPT_BY_DEFAULT = {"ollama": 300.0, "embedded": 600.0}
"""Seconds for which a server keeps a model that is not used; other servers keep theirs as long as they run."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_REMEMBERED = 10  # answers of a model


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the next answer of ``model`` begins with.

    ``until`` is when it will be unloaded, None where it is not loaded now, or nothing ends it (``for_good``).
    ``first_token`` is how many seconds its first token will take, None where no answer has told.
    """

    model: str
    until: datetime | None = None
    for_good: bool = False
    first_token: float | None = None

    @property
    def warm(self) -> bool:
        """Whether the model is loaded."""
        return self.for_good or self.until is not None


class Warmth:
    """Learns from local answers, from the oldest to the newest; ``keep_alive`` is the setting of that name."""

    def __init__(self, model: str, keep_alive: str | None = None) -> None:
        self._model = model
        self._keep_alive = keep_alive
        self._loads: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        self._first: dict[str, float] = {}
        self._last: Message | None = None

    def learn(self, answer: Message) -> None:
        """Take an answer in; those of remote models, and those older than what is known, tell nothing."""
        source = answer.provenance
        if self._last is not None and answer.created_at <= self._last.created_at:
            return
        if source is None or source.place is not Place.LOCAL or source.first_token_seconds is None:
            return
        load = source.load_seconds or 0.0
        self._loads[source.model].append(load)
        self._first[source.model] = max(source.first_token_seconds - load, 0.0)
        self._last = answer

    def forecast(self, now: datetime) -> Forecast:
        """Say how the next answer will begin. Loading is expected to take as long as the longest one remembered."""
        source = self._last.provenance if self._last else None
        if self._last is None or source is None:
            return Forecast(self._model)
        until = self._unloaded_at(self._last, source.endpoint, source.seconds or 0.0)
        warm = until is None or until > now
        load = 0.0 if warm else max(self._loads[source.model])
        return Forecast(source.model, until if warm else None, until is None, self._first[source.model] + load)

    def _unloaded_at(self, last: Message, endpoint: str, seconds: float) -> datetime | None:
        kept = kept_seconds(self._keep_alive) if self._keep_alive else _KEPT_BY_DEFAULT.get(endpoint, math.inf)
        return None if math.isinf(kept) else last.created_at + timedelta(seconds=seconds + kept)


def kept_seconds(keep_alive: str) -> float:
    """Read a duration as Ollama writes it (``10m``, ``1h30m``, seconds); negative ones have no end."""
    text = keep_alive.strip().lower()
    if text.startswith("-"):
        return math.inf
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", text)
    return sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
