"""What a face may ask for: turns, conversations, search, what left the machine. The one object that it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from hybridchat import handover
from hybridchat.backends.presets import remote_price
from hybridchat.config.settings import Settings
from hybridchat.credentials import Credentials
from hybridchat.engine import Engine, Turn, TurnRequest, local_context
from hybridchat.engine.budget_gate import BudgetGate
from hybridchat.events import ContextCondensed, ContextTrimmed
from hybridchat.messages import Conversation, Message, Role
from hybridchat.phrases import never_left
from hybridchat.routing.budget import Budget
from hybridchat.routing.history import HistorySummary
from hybridchat.routing.learning import Signal
from hybridchat.store.database import Store
from hybridchat.store.records import Hit, KeptLocal, LedgerEntry, Verification
from hybridchat.store.retention import apply_retention

if TYPE_CHECKING:
    from hybridchat.backends.local_models import LocalModels
    from hybridchat.engine.preview import OpenPreview, Preview


_NEARLY_FULL = 0.8


@dataclass(frozen=True, slots=True)
class WindowUse:
    """How many tokens a conversation takes of the local model's context window (None: not known), estimated.

    ``answer`` tokens of the window are kept free for the answer.
    """

    tokens: int
    window: int | None
    answer: int

    @property
    def share(self) -> float | None:
        """The used part of what there is for the prompt; above 1, the oldest turns will be left out."""
        if self.window is None:
            return None
        return self.tokens / max(self.window - min(self.answer, self.window // 2), 1)

    @property
    def is_nearly_full(self) -> bool:
        """Whether the next turns will not fit without leaving out the oldest."""
        return self.share is not None and self.share >= _NEARLY_FULL


class Closes(Protocol):
    """Whatever is to be closed at the end: a backend, a connection."""

    async def aclose(self) -> None:
        """Close it."""
        ...


class Assistant:
    """The whole program behind a face; an asynchronous context manager that closes what it was given.

    ``backends`` is a live list: what is opened later (the remote model) is closed too. ``models`` finds and gets local
    models; ``open_preview`` builds a remote backend without a key, which can say what it would send. Once it is
    entered, what was kept long enough is erased in the background; what went is told by ``tell`` when it is left.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        credentials: Credentials,
        settings: Settings,
        backends: Sequence[Closes],
        models: LocalModels | None = None,
        open_preview: OpenPreview | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self.models = models
        self.credentials = credentials
        self._engine = engine
        self._store = store
        self._tell = tell
        self._tidying: asyncio.Task[str] | None = None
        self._backends = backends
        self._open_preview = open_preview

    async def __aenter__(self) -> Self:
        retention = self.settings.retention
        if retention.days is not None or retention.ledger_days is not None:
            work = apply_retention(self._store, retention.days, retention.ledger_days)
            self._tidying = asyncio.create_task(work)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        async with AsyncExitStack() as closing:  # one that cannot be closed keeps no other open
            closing.push_async_callback(self._store.aclose)
            for backend in self._backends:
                closing.push_async_callback(backend.aclose)
            closing.push_async_callback(self._finish_tidying)
            closing.push_async_callback(self._engine.condensing.aclose)
            closing.push_async_callback(self._engine.shadows.aclose)

    async def _finish_tidying(self) -> None:
        if self._tidying is not None and (told := await self._tidying):
            self._tell(told)

    def turn(self, request: TurnRequest) -> Turn:
        """Start a turn; needs a running event loop."""
        return self._engine.turn(request)

    async def conversations(self, limit: int = 20, offset: int = 0) -> list[Conversation]:
        """Return the conversations, the last used first."""
        return await self._store.conversations.list(limit, offset)

    async def conversation(self, id_or_prefix: str) -> Conversation:
        """Return one conversation; raises ``InputMissing`` where there is none, or more than one, of that name."""
        return await self._store.conversations.get(id_or_prefix)

    async def latest(self) -> Conversation | None:
        """Return the conversation that was used last, if there is any."""
        return await self._store.conversations.latest()

    async def messages(self, conversation_id: str) -> list[Message]:
        """Return a conversation's messages from its root to where the user last stood."""
        conversation = await self._store.conversations.get(conversation_id)
        await self._engine.local_context.load(conversation.id)
        return await self._store.conversations.path(conversation.head_id) if conversation.head_id else []

    async def tree(self, conversation_id: str) -> list[Message]:
        """Return all messages of a conversation with all its branches, each after its parent."""
        await self._engine.local_context.load(conversation_id)
        return await self._store.conversations.tree(conversation_id)

    async def message(self, message_id: str) -> Message:
        """Return one message."""
        return await self._store.conversations.message(message_id)

    async def answers(self, user_message_id: str) -> list[Message]:
        """Return all answers to a user message, oldest first."""
        return await self._store.conversations.children(user_message_id)

    async def stand_on(self, conversation_id: str, message_id: str) -> None:
        """Make the branch that ends in ``message_id`` the one that the conversation goes on from."""
        await self._store.conversations.set_head(conversation_id, message_id)

    async def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title."""
        return await self._store.conversations.rename(conversation_id, title)

    async def logprobs(self, message_id: str) -> list[tuple[str, float]]:
        """Return an answer's tokens with the natural logarithms of their probabilities; empty where none were given."""
        return await self._store.conversations.logprobs(message_id)

    @property
    def has_remote(self) -> bool:
        """Whether a remote model is configured; whether something may be sent to it is decided turn by turn."""
        return self._engine.open_remote is not None

    def window_use(self, path: Sequence[Message]) -> WindowUse:
        """Estimate how full the local model's window is with the messages of ``path``."""
        answer = self.settings.answer
        given = self._engine.local_context.of(path).path
        tokens = self._engine.local_meter(handover.verbatim(given, answer.system)) if path else 0
        return WindowUse(tokens, self._engine.local_window, answer.max_tokens)

    async def condense(self, conversation_id: str) -> ContextCondensed:
        """Let a summary stand for all turns but the last in what the local model is given; nothing is deleted.

        Raises ``InputError`` where there is no older turn, and what the local model's backend raises.
        """
        return await local_context.condense(self._engine, await self.messages(conversation_id))

    async def trim(self, conversation_id: str, turns: int = 1) -> ContextTrimmed:
        """Leave the oldest ``turns`` out of what the local model is given from now on; nothing is deleted.

        Raises ``InputError`` where there are not so many.
        """
        return await local_context.trim(self._engine, await self.messages(conversation_id), turns)

    async def undo_shortening(self, conversation_id: str) -> bool:
        """Take back the last ``condense`` or ``trim`` of the branch that it stands on; return whether there was one."""
        return await local_context.undo(self._engine, await self.messages(conversation_id))

    async def delete(self, conversation_id: str) -> None:
        """Delete a conversation with all its branches."""
        await self._store.conversations.delete(conversation_id)

    async def search(self, text: str, limit: int = 20) -> list[Hit]:
        """Search all conversations for words."""
        return await self._store.search(text, limit)

    async def newest(self, role: Role, limit: int) -> list[Message]:
        """Return the messages of ``role`` that were written last in any conversation, the newest first."""
        return await self._store.conversations.newest(role, limit)

    async def draft(self, conversation_id: str | None) -> str:
        """Return what was written and not sent; None stands for the conversation to come."""
        return await self._store.drafts.get(conversation_id)

    async def keep_draft(self, conversation_id: str | None, text: str) -> None:
        """Keep what is written and not sent yet."""
        await self._store.drafts.keep(conversation_id, text)

    async def egress(self, limit: int = 50) -> list[LedgerEntry]:
        """Return what left the machine, the latest first."""
        return await self._store.ledger.list(limit)

    async def preview(self, request: TurnRequest) -> Preview:
        """Return exactly what would leave for ``request``, and whether it would; nothing is sent or kept.

        Raises ``Blocked`` where no remote model is configured, or the text cannot be searched for private data.
        """
        from hybridchat.engine.preview import preview  # noqa: PLC0415 -- few turns are looked at beforehand

        return await preview(self._engine, request, self._open_preview)

    async def feedback(self, message_id: str, *, good: bool | None) -> bool:
        """Keep a thumb up or down (None takes it back) for an answer, and learn from it.

        Return whether anything is learned: nothing is from the remote model's answers, from local ones that were not
        finished, and where ``routing.learn`` is off.
        """
        signal = None if good is None else Signal.UP if good else Signal.DOWN
        return await self._engine.experience.signal(message_id, signal)

    async def learned(self) -> list[HistorySummary]:
        """Return what was learned from use, for each local model."""
        return await self._engine.experience.summaries()

    async def budget(self, conversation_id: str | None = None) -> Budget:
        """Return the limits of spending, and what is spent of them this month and in the conversation."""
        return await BudgetGate(self._engine.spending, self.settings.budget, conversation_id or "").look()

    async def kept_local(self) -> KeptLocal:
        """Return how many answers, tokens and bytes never left the machine; ``KeptLocal.saved`` prices them."""
        return await self._store.kept_local()

    async def never_left(self) -> str:
        """Return the same in words, with what the configured remote model would have cost, where that is known."""
        kept = await self.kept_local()
        return never_left(kept.answers, kept.tokens, kept.bytes, kept.saved(remote_price(self.settings)))

    async def verify_egress(self) -> Verification:
        """Check that no row of the ledger was changed, dropped or cut off. Raises ``KeyMissing`` and its kin."""
        return await self._store.ledger.verify()
