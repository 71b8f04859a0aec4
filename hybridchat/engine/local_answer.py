"""Follows one local answer: cleans it, measures it, keeps it, and shows it or holds it back."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from hybridchat.backends.protocol import Accepted, Backend, ChatRequest, Ended, Piece, Waiting
from hybridchat.context import estimate_tokens
from hybridchat.engine.recorder import Recorder
from hybridchat.events import Delta, Event, Loading, Measured, Opened
from hybridchat.messages import ChatMessage, FinishReason, Message, Place, Provenance, Reading, Status, Withdrawal
from hybridchat.routing.policy import Action, Decision, LocalModel, Watch
from hybridchat.text import StreamCleaner

Emit = Callable[[Event], Awaitable[None]]
NewWatch = Callable[[LocalModel], Awaitable[Watch]]


class LocalAnswer:
    """One answer of the local model, from request to end.

    ``run`` streams it. ``doubt`` becomes the decision with which the policy first asks for the remote model; from then
    on the answer goes on unseen, until ``show`` brings what was held back to light. ``new_watch`` is asked for what
    follows the answer once the server has said which model answers; ``on_doubt`` is called when the policy first finds
    the answer doubtful while it streams.
    """

    def __init__(
        self,
        backend: Backend,
        user_message: Message,
        new_watch: NewWatch,
        reason: str,
        *,
        recorder: Recorder,
        emit: Emit,
        on_doubt: Callable[[], None] = lambda: None,
    ) -> None:
        self._backend = backend
        self._user_message = user_message
        self._new_watch = new_watch
        self._on_doubt = on_doubt
        self._watch: Watch | None = None
        self._recorder = recorder
        self._emit_event = emit
        self._cleaners = {False: StreamCleaner(), True: StreamCleaner()}  # by: is it thinking?
        self._held: list[Event] | None = None
        self._text: list[str] = []
        self._accepted = Accepted(model=backend.endpoint.model)
        self._started = self._heard = time.monotonic()
        self.doubt: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self.decision: Decision | None = None
        self.message: Message | None = None
        self.prompt: tuple[ChatMessage, ...] = ()
        self.ended: Ended | None = None
        self._scored = 0
        self.finished = False
        self.provenance = Provenance(
            place=Place.LOCAL, endpoint=backend.endpoint.name, model=backend.endpoint.model, reason=reason
        )

    @property
    def text(self) -> str:
        """What the model has said so far, without its thinking."""
        return "".join(self._text)

    @property
    def tokens_shown(self) -> int:
        """How many tokens of the answer came before the doubt; an estimate where the server gives no logprobs."""
        if self.doubt.done():
            return self.doubt.result().tokens
        return self._scored or (estimate_tokens(self.text) if self._text else 0)

    @property
    def model(self) -> LocalModel:
        """The model that answers, as the server named it."""
        return LocalModel(self._accepted.model, self._accepted.digest)

    @property
    def window(self) -> int | None:
        """The context window in tokens, where the server told it."""
        return self._accepted.window

    async def run(self, request: ChatRequest) -> None:
        """Stream the answer to its end.

        Raises a ``HybridChatError`` as the backend does; ``ContextOverflow`` only before anything was said.
        """
        self.prompt = request.messages
        async with aclosing(self._backend.stream(request)) as parts:
            async for part in parts:
                self._heard = time.monotonic()
                match part:
                    case Piece():
                        await self._take_in(part)
                    case Waiting(reason):
                        await self._emit_event(Loading(Place.LOCAL, self._accepted.model, reason))
                    case Accepted():
                        self._accepted = part
                    case Ended():
                        self.ended = part
        for thinking, cleaner in self._cleaners.items():
            if rest := cleaner.flush():
                await self._take_in_clean(Piece(rest, thinking=thinking))
        await self._judge()

    async def show(self) -> None:
        """Emit what was held back, and go on openly."""
        while self._held:
            await self._emit_event(self._held.pop(0))
        self._held = None

    async def finish(self, status: Status, because: str = "") -> None:
        """End the kept message, ``because`` of what where it is set aside; calling it again changes nothing."""
        if self.message is not None and not self.finished:
            self.finished = True
            if status is Status.SET_ASIDE:  # told as it was seen: what went on behind the question counts for nothing
                doubt = self.doubt.result() if self.doubt.done() else None
                self._describe(doubt)
                reason = because or (doubt.reason if doubt else "")
                self.provenance = replace(self.provenance, withdrawal=Withdrawal(self.tokens_shown, reason))
            else:
                self._describe(self.decision)
            await self._recorder.finish(self.message.id, status, self.provenance)

    async def _take_in(self, piece: Piece) -> None:
        await self._take_in_clean(replace(piece, text=self._cleaners[piece.thinking].feed(piece.text)))

    async def _take_in_clean(self, piece: Piece) -> None:
        if self.message is None:
            await self._begin()
        assert self.message is not None
        if not piece.thinking:
            self._text.append(piece.text)
            self._scored += len(piece.logprobs)
            self._recorder.journal(self.message.id, piece.text, piece.logprobs)
        if piece.text or piece.logprobs:
            await self._emit(Delta(self.message.id, Place.LOCAL, piece.text, piece.logprobs, piece.thinking))
        assert self._watch is not None
        if not piece.thinking and (decision := self._watch.observe(piece.text, piece.logprobs)) is not None:
            await self._take_decision(decision)
            if decision.doubtful:
                self._on_doubt()

    async def _begin(self) -> None:
        self._watch = await self._new_watch(self.model)
        self.provenance = replace(
            self.provenance,
            endpoint=self._backend.endpoint.name,  # the first of several that could answer
            model=self._accepted.model,
            digest=self._accepted.digest,
            first_token_seconds=time.monotonic() - self._started,
        )
        self.message = await self._recorder.begin(
            self._user_message.conversation_id, self._user_message.id, self.provenance
        )
        await self._emit(
            Opened(
                self.message.id,
                Place.LOCAL,
                self.provenance.endpoint,
                self.provenance.model,
                self._accepted.stand_in,
            )
        )

    async def _judge(self) -> None:
        if self.message is None:  # the model said nothing at all
            await self._begin()
        assert self._watch is not None
        reason = self.ended.finish_reason if self.ended else FinishReason.STOP
        await self._take_decision(self._watch.post(reason))

    async def _take_decision(self, decision: Decision) -> None:
        self.decision = decision
        if decision.confidence is not None and self.message is not None:
            await self._emit(
                Measured(self.message.id, decision.tokens, decision.confidence, decision.threshold, decision.signals)
            )
        if decision.action is Action.ESCALATE and not self.doubt.done():
            self._held = []  # at once: not a word more is shown while the turn gets to know of the doubt
            self.doubt.set_result(decision)

    async def _emit(self, event: Event) -> None:
        if self._held is None:
            await self._emit_event(event)
        else:
            self._held.append(event)

    def _describe(self, decision: Decision | None) -> None:
        usage = self.ended.usage if self.ended else self.provenance.usage
        self.provenance = replace(
            self.provenance,
            confidence=decision.confidence if decision else None,
            usage=usage,
            cost=0.0,
            load_seconds=self.ended.load_seconds if self.ended else None,
            seconds=self._heard - self._started,  # however long it stood unfinished while the user was asked
            finish_reason=self.ended.finish_reason if self.ended else None,
            reading=_reading(decision) if decision and decision.confidence else None,
        )


def _reading(decision: Decision) -> Reading:
    signals = {name: number for name, number in decision.signals.items() if math.isfinite(number)}
    return Reading(decision.tokens, decision.threshold, signals)
