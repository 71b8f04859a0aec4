"""Writes one turn to the store as it happens, and survives a store that cannot be written."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from hybridchat.errors import CannotWrite, HybridChatError
from hybridchat.messages import Conversation, Message, Provenance, Role, Status, TokenLogprob
from hybridchat.store.database import Store
from hybridchat.store.records import Outcome

T = TypeVar("T")


class Recorder:
    """Keeps a turn's messages.

    When the store cannot be written (a full disk), or the conversation is deleted while it is answered, the turn goes
    on unsaved: an answer on the screen is worth more than none, and ``problem`` says what to tell the user.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.problem: HybridChatError | None = None

    async def conversation(self, conversation: Conversation | None, title: str) -> Conversation:
        """Return the conversation given, or begin a new one."""
        if conversation is not None:
            return conversation
        now = datetime.now(UTC)
        unsaved = Conversation(id=uuid.uuid4().hex, title=title, created_at=now, updated_at=now)
        return await self._attempt(lambda: self._store.conversations.create(title), unsaved)

    async def user_message(self, conversation_id: str, parent_id: str | None, text: str) -> Message:
        """Keep what the user said, before anything is done with it."""
        unsaved = self._unsaved(conversation_id, parent_id, Role.USER, text)
        return await self._attempt(
            lambda: self._store.conversations.add_user_message(conversation_id, parent_id, text), unsaved
        )

    async def begin(self, conversation_id: str, parent_id: str, provenance: Provenance) -> Message:
        """Begin an answer."""
        unsaved = replace(
            self._unsaved(conversation_id, parent_id, Role.ASSISTANT, ""),
            status=Status.STREAMING,
            provenance=provenance,
        )
        return await self._attempt(
            lambda: self._store.conversations.begin_answer(conversation_id, parent_id, provenance),
            unsaved,
            HybridChatError,
        )

    def journal(self, message_id: str, text: str, logprobs: Sequence[TokenLogprob]) -> None:
        """Append to an answer; it reaches the disk within a few hundred milliseconds."""
        if self.problem is None:
            self._store.conversations.journal(message_id, text, logprobs)

    async def finish(self, message_id: str, status: Status, provenance: Provenance) -> None:
        """End an answer."""
        await self._attempt(lambda: self._finish(message_id, status, provenance), None, HybridChatError)

    async def outcome(self, sent_id: int, outcome: Outcome) -> None:
        """Keep in the ledger how a call ended; tried whatever failed before, since its other half is there."""
        try:
            await self._store.ledger.outcome(sent_id, outcome)
        except HybridChatError as problem:
            self.problem = self.problem or problem

    async def agree_to_remote(self, conversation_id: str) -> None:
        """Keep that the user wants no more questions in this conversation."""
        await self._attempt(lambda: self._agree_to_remote(conversation_id), None)

    async def _agree_to_remote(self, conversation_id: str) -> None:
        await self._store.conversations.agree_to_remote(conversation_id)

    async def _finish(self, message_id: str, status: Status, provenance: Provenance) -> None:
        await self._store.conversations.finish_answer(message_id, status, provenance)

    async def _attempt(self, write: Callable[[], Awaitable[T]], otherwise: T, *also: type[HybridChatError]) -> T:
        expected: tuple[type[HybridChatError], ...] = (CannotWrite, *also)
        if self.problem is None:
            try:
                return await write()
            except expected as problem:
                self.problem = problem
        return otherwise

    @staticmethod
    def _unsaved(conversation_id: str, parent_id: str | None, role: Role, text: str) -> Message:
        return Message(uuid.uuid4().hex, conversation_id, parent_id, role, text, datetime.now(UTC))
