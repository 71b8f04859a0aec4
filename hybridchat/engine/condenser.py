"""Condenses conversations with the local model: when asked, and ahead of time while nothing else is to be done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from hybridchat.context import in_turns
from hybridchat.engine.local_writer import room, written
from hybridchat.errors import HybridChatError, InputError
from hybridchat.events import HandOver
from hybridchat.handover import summary as condensing
from hybridchat.handover import verbatim
from hybridchat.store.contexts import Summary

if TYPE_CHECKING:
    from hybridchat.engine.resources import Resources
    from hybridchat.messages import Message

IDLE = 2.0
"""Seconds after a turn before a summary is begun: whoever asks one question, or goes on at once, waits for nothing."""

_SOON = 0.6  # the share of what makes a summary necessary from which on it is likely to be

_log = logging.getLogger(__name__)


def older_turns(path: Sequence[Message]) -> list[Message]:
    """Return the messages of ``path`` that a summary is to cover: all turns but the last, which stays as it is."""
    return [message for turn in in_turns(path)[:-1] for message in turn]


async def known_summary(resources: Resources, messages: Sequence[Message]) -> Summary | None:
    """Return the kept summary that covers most of ``messages``, a path from a root downwards."""
    return await resources.store.contexts.summary([message.id for message in messages])


async def condensed(resources: Resources, messages: Sequence[Message], *, whole: bool = True) -> Summary:
    """Return a summary of ``messages``, a path from a root downwards; what was kept of it is gone on from.

    Numbers, names, code and demands that the local model lost are appended. It is kept with the conversation, unless
    ``messages`` are not the ``whole`` of it. Raises ``InputError`` where the local model wrote nothing, and whatever
    its backend raises.
    """
    from hybridchat.handover.must_keep import completed  # noqa: PLC0415 -- its patterns take a while to compile

    known = await known_summary(resources, messages) if whole else None
    covered = [message.id for message in messages].index(known.message_id) + 1 if known else 0
    if known is not None and covered == len(messages):
        return known
    text = known.text if known else ""
    tokens = room(resources, condensing.LONGEST) - len(text) // 3
    pieces = list(condensing.pieces(condensing.transcript(messages[covered:]), max(tokens, 200)))
    if len(pieces) > condensing.MOST_PIECES:
        text, pieces = condensing.TOO_LONG, pieces[-condensing.MOST_PIECES :]
    for piece in pieces:
        text = await written(resources, condensing.request_for(text, piece), condensing.LONGEST)
        if not text:
            raise InputError("the local model wrote no summary", hint="Leave out older turns instead.")
    whole_text = await asyncio.to_thread(completed, text, messages)  # long conversations take their time
    summary = Summary(messages[-1].id, whole_text, resources.local.endpoint.model)
    if whole:
        with suppress(HybridChatError):  # a summary that cannot be kept is one all the same
            await resources.store.contexts.keep_summary(summary)
    return summary


class BackgroundCondenser:
    """Condenses ahead of time, after a turn, until the user goes on."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, message_id: str) -> None:
        """Condense the conversation that ends in ``message_id`` soon, where that is likely to be of use."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(IDLE, self._start, message_id)

    def stop(self) -> None:
        """Leave off at once: the local model is needed for something else, or nothing is any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    async def aclose(self) -> None:
        """Leave off, and wait until the local model is left alone."""
        self.stop()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def _start(self, message_id: str) -> None:
        self._task = asyncio.get_running_loop().create_task(self.run(message_id))

    async def run(self, message_id: str) -> None:
        """Condense that conversation now, where that is likely to be of use; a failure is no matter."""
        try:
            path = await self._resources.store.conversations.path(message_id)
            if (messages := older_turns(path)) and self._is_of_use(path):
                await condensed(self._resources, messages)
        except HybridChatError as error:  # nobody waits for it
            _log.info("nothing was condensed: %s", error.message)

    def _is_of_use(self, path: Sequence[Message]) -> bool:
        resources, settings = self._resources, self._resources.settings
        tokens = resources.local_meter(verbatim(path))
        if resources.open_remote is not None and (
            settings.handover.form is HandOver.CONDENSE or tokens > _SOON * settings.handover.condense_over
        ):
            return True
        window = resources.local_window
        return window is not None and tokens > _SOON * (window - min(settings.answer.max_tokens, window // 2))
