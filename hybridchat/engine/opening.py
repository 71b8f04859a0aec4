"""How a turn begins: its conversation is found, its question kept, one turn at a time."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from hybridchat.errors import CannotWrite
from hybridchat.events import Event, Loading
from hybridchat.messages import Conversation, Message, Place, Role
from hybridchat.text import one_line

if TYPE_CHECKING:
    from hybridchat.engine.recorder import Recorder
    from hybridchat.engine.request import TurnRequest
    from hybridchat.engine.resources import Resources

LOOK_AGAIN_AFTER = 0.1
"""Seconds between two looks at whether another process's turn has ended."""


class Opening:
    """Finds where a turn belongs, and holds its conversation until ``close``.

    A turn that began below an unanswered question would answer something else than the user sees: where another turn
    of the conversation runs, in this process or another, it is waited for.
    """

    def __init__(
        self,
        resources: Resources,
        request: TurnRequest,
        recorder: Recorder,
        emit: Callable[[Event], Awaitable[None]],
    ) -> None:
        self._resources = resources
        self._request = request
        self._recorder = recorder
        self._emit = emit
        self._holder = uuid.uuid4().hex
        self._holds = False

    async def begin(self) -> tuple[Conversation, list[Message]]:
        """Keep the question; return its conversation and the path from the root down to it."""
        request, conversations = self._request, self._resources.store.conversations
        experience = self._resources.experience
        if request.answer_to is not None:
            conversation_id = (await conversations.message(request.answer_to)).conversation_id
            await self._wait_for_others(conversation_id)
            await experience.answered_again(await conversations.children(request.answer_to), request.choice)
            return await conversations.get(conversation_id), await conversations.path(request.answer_to)
        if request.conversation_id:
            await self._wait_for_others((await conversations.get(request.conversation_id)).id)
            given = await conversations.get(request.conversation_id)  # others may have gone on in it meanwhile
        else:
            given = None
        conversation = await self._recorder.conversation(given, one_line(request.text, 60))
        if given is None:
            await self._wait_for_others(conversation.id)
        if request.edit_of is not None:
            parent_id = (await conversations.message(request.edit_of)).parent_id
        else:
            parent_id = request.parent_id or conversation.head_id
        earlier = await conversations.path(parent_id) if parent_id else []
        if request.edit_of is None:
            await experience.went_on(earlier)
        return conversation, [
            *earlier,
            await self._recorder.user_message(conversation.id, parent_id, request.text),
        ]

    async def close(self) -> None:
        """Let the next turn of the conversation begin; calling it again changes nothing."""
        if self._holds:
            self._holds = False
            try:
                await self._resources.store.turns.release(self._holder)
            except CannotWrite:
                return  # the conversation is free again when this process ends

    async def _wait_for_others(self, conversation_id: str) -> None:
        told = False
        while not await self._claim(conversation_id):
            if not told:
                told = True
                reason = "waits until another turn of this conversation has ended"
                await self._emit(Loading(Place.LOCAL, self._resources.local.endpoint.model, reason))
            await asyncio.sleep(LOOK_AGAIN_AFTER)

    async def _claim(self, conversation_id: str) -> bool:
        try:
            self._holds = await self._resources.store.turns.claim(conversation_id, self._holder)
        except CannotWrite:
            return True  # nothing can be kept, so that nothing can be mixed up
        return self._holds


def turns_since_remote(path: Sequence[Message]) -> int | None:
    """Return how many turns ago the remote model answered, 1 for the turn before the last question; None for never."""
    turns = 0
    for message in reversed(path):
        if message.role is Role.USER:
            turns += 1
        elif message.provenance is not None and message.provenance.place is Place.REMOTE:
            return turns
    return None


def own_words(path: Sequence[Message]) -> str:
    """Return what the user asked last: where an answer is only to go on, that is the question it answers."""
    asked = [message.content for message in path if message.role is Role.USER and not message.goes_on]
    return asked[-1] if asked else path[-1].content
