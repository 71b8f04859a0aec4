"""Runs a call that may never come back."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


async def in_daemon_thread(work: Callable[[], _T], limit: float | None) -> _T:
    """Run ``work`` in a thread for at most ``limit`` seconds and return its result.

    The thread is a daemon: those of the default executor would be waited for when the process exits.

    Raises:
        TimeoutError: It took longer; the thread is left to itself.
        BaseException: Whatever ``work`` raised.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def deliver(result: _T | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any longer
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 -- raised again where the result is awaited
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=run, name="hybridchat-key", daemon=True).start()
    async with asyncio.timeout(limit):
        return await future
