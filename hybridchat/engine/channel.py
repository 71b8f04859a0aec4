"""A bounded queue of events between one turn and its consumer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from hybridchat.events import Event, Failed, Finished


class EventChannel:
    """Carries a turn's events to its consumer.

    A slow consumer slows the turn down (and with it the server) instead of filling memory; the last event is
    delivered however full the queue is.
    """

    def __init__(self, size: int = 256) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(size)
        self._last: Finished | Failed | None = None

    async def put(self, event: Event) -> None:
        """Append an event, waiting while the queue is full."""
        await self._queue.put(event)

    def close(self, last: Finished | Failed) -> None:
        """End the channel with its last event, without waiting."""
        self._last = last
        if not self._queue.full():
            self._queue.put_nowait(None)  # wakes a consumer that waits

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield the events in order, the last one last."""
        while self._last is None or not self._queue.empty():
            event = await self._queue.get()
            if event is not None:
                yield event
        yield self._last
