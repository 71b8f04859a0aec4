"""A connection to the remote server, opened while the local model becomes doubtful: it may soon be needed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from hybridchat.errors import HybridChatError

if TYPE_CHECKING:
    from hybridchat.engine.resources import Connect


class ConnectionAhead:
    """Opens it once, in the background; ``connect`` is None where that is not allowed."""

    def __init__(self, connect: Connect | None) -> None:
        self._connect = connect
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to open it; calling it again changes nothing."""
        if self._task is None and self._connect is not None:
            self._task = asyncio.create_task(_opened(self._connect))

    async def stop(self) -> None:
        """Leave it off, if it is not done."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def _opened(connect: Connect) -> None:
    with suppress(HybridChatError):  # whoever needs the connection will be told
        await connect()
