"""Brings in the remote model: consent, ledger, stream, and the way back of what was redacted."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from hybridchat.backends.protocol import Accepted, Backend, Ended, Piece, StreamPart, Waiting
from hybridchat.context import estimate_prompt, estimate_tokens
from hybridchat.engine.preparation import Prepared
from hybridchat.engine.recorder import Recorder
from hybridchat.errors import HybridChatError, KeyUnusable, ModelMissing, RequestRejected, TryLater, Unreachable
from hybridchat.events import Delta, Event, Loading
from hybridchat.messages import Message, Place, Provenance, Spent, Status, Usage
from hybridchat.store.database import Store
from hybridchat.store.records import Outcome, Sent
from hybridchat.text import StreamCleaner

if TYPE_CHECKING:
    from hybridchat.engine.budget_gate import BudgetGate

Emit = Callable[[Event], Awaitable[None]]

_NEVER_ANSWERED = (Unreachable, KeyUnusable, ModelMissing, RequestRejected, TryLater)
"""Failures with which a server says, before the first token, that it did nothing: such a call costs nothing."""


class RemoteAnswer:
    """One answer of the remote model.

    Nothing leaves before ``open``; ``outgoing`` is what would. ``open`` writes the ledger, sends, and returns when the
    first piece has arrived; ``run`` streams the rest.
    """

    def __init__(
        self,
        backend: Backend,
        prepared: Prepared,
        user_message: Message,
        *,
        store: Store,
        recorder: Recorder,
        emit: Emit,
        gate: BudgetGate,
    ) -> None:
        self._backend = backend
        self._gate = gate
        self._reservation: int | None = None
        self._request = prepared.request
        self._redactor = prepared.redactor
        self._restorer = prepared.redactor.restorer()
        self._user_message = user_message
        self._store = store
        self._recorder = recorder
        self._emit = emit
        self._parts: AsyncGenerator[StreamPart, None] | None = None
        self._first: Piece | Ended | None = None
        self._ahead: list[Piece] = []
        self._cleaners = {False: StreamCleaner(), True: StreamCleaner()}  # by: is it thinking?
        self._text: list[str] = []
        self._sent_id: int | None = None
        self._finished = False
        self._started = time.monotonic()
        self.ended: Ended | None = None
        self.message: Message | None = None
        endpoint = backend.endpoint
        self.outgoing = prepared.outgoing
        self.provenance = Provenance(
            place=Place.REMOTE,
            endpoint=endpoint.name,
            model=endpoint.model,
            reason=self.outgoing.reason,
            redactions=dict(self.outgoing.redactions),
        )

    @property
    def text(self) -> str:
        """What the model has said so far, without its thinking, with redactions undone."""
        return "".join(self._text)

    async def open(self) -> None:
        """Reserve what it may take, write the ledger, send the request, and wait for the first piece of the answer.

        Raises ``Blocked`` where the budget does not suffice, ``CannotWrite`` when the ledger cannot be written (nothing
        is sent then), and whatever the backend raises.
        """
        outgoing = self.outgoing
        most = Spent(1, outgoing.tokens + (self._request.max_tokens or 0), outgoing.cost)
        self._reservation = await self._gate.reserve(most)
        try:
            await self._send()
        except BaseException as error:
            if self._sent_id is None:
                await self._settle(None)
            await self.close(error)
            raise

    async def _send(self) -> None:
        self._sent_id = await self._store.ledger.sent(
            Sent(
                conversation_id=self._user_message.conversation_id,
                message_id=self._user_message.id,
                reason=self.outgoing.reason,
                endpoint=self.outgoing.endpoint,
                url=self.outgoing.url,
                model=self.outgoing.model,
                payload=self._backend.body(self._request),
                placeholders=dict(self.outgoing.redactions),
            )
        )
        self._started = time.monotonic()
        self._parts = self._backend.stream(self._request)
        await self._wait_for_first_piece(self._parts)

    async def read_ahead(self) -> str:
        """Read the answer to its end before it is begun, and return it; ``run`` then tells it as if it came now."""
        if isinstance(self._first, Piece):
            self._ahead.append(self._first)
            try:
                self._ahead += [piece async for piece in self._rest()]
            except BaseException as error:
                await self.close(error)
                raise
        return self._redactor.restore("".join(piece.text for piece in self._ahead if not piece.thinking))

    async def begin(self) -> Message:
        """Begin the kept message; to be called once, after ``open``."""
        self.message = await self._recorder.begin(
            self._user_message.conversation_id, self._user_message.id, self.provenance
        )
        return self.message

    async def run(self) -> None:
        """Stream the answer to its end; without ``begin`` before it, it is neither kept nor told."""
        try:
            for piece in self._ahead:
                await self._take_in(piece)
            if isinstance(self._first, Piece) and not self._ahead:
                await self._take_in(self._first)
                async for piece in self._rest():
                    await self._take_in(piece)
            await self._flush()
        except BaseException as error:
            await self.close(error)
            raise
        await self.close(None)

    async def finish(self, status: Status) -> None:
        """End the kept message; calling it again changes nothing."""
        if self.message is not None and not self._finished:
            self._finished = True
            await self._recorder.finish(self.message.id, status, self.provenance)

    async def close(self, error: BaseException | None) -> None:
        """Close the connection and write the call's outcome to the ledger; calling it again changes nothing."""
        if self._parts is not None:
            await self._parts.aclose()
        if self._sent_id is None:
            return
        sent_id, self._sent_id = self._sent_id, None
        usage = self.ended.usage if self.ended else Usage()
        self.provenance = replace(
            self.provenance,
            usage=usage,
            cost=self._cost(usage),
            seconds=time.monotonic() - self._started,
            finish_reason=self.ended.finish_reason if self.ended else None,
        )
        never_answered = isinstance(error, _NEVER_ANSWERED) and self._first is None
        await self._settle(None if never_answered else Spent(1, sum(self._counted(usage)), self.provenance.cost))
        await self._recorder.outcome(
            sent_id,
            Outcome(
                status=_status_word(error),
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                cost=self.provenance.cost,
                seconds=self.provenance.seconds,
                error=error.message if isinstance(error, HybridChatError) else "",
            ),
        )

    async def _wait_for_first_piece(self, parts: AsyncGenerator[StreamPart, None]) -> None:
        async for part in parts:
            match part:
                case Accepted(model=model, digest=digest):
                    self.provenance = replace(self.provenance, model=model, digest=digest)
                case Waiting(reason):
                    await self._emit(Loading(Place.REMOTE, self.provenance.model, reason))
                case Piece() | Ended():
                    self._first = part
                    if isinstance(part, Ended):
                        self.ended = part
                    break
        self.provenance = replace(self.provenance, first_token_seconds=time.monotonic() - self._started)

    async def _rest(self) -> AsyncGenerator[Piece, None]:
        assert self._parts is not None
        async for part in self._parts:
            match part:
                case Piece():
                    yield part
                case Waiting(reason):
                    await self._emit(Loading(Place.REMOTE, self.provenance.model, reason))
                case Ended():
                    self.ended = part

    async def _take_in(self, piece: Piece) -> None:
        cleaned = self._cleaners[piece.thinking].feed(piece.text)
        # A model that thinks aloud may name a placeholder there too, but only the answer is kept: it is restored.
        text = cleaned if piece.thinking else self._restorer.feed(cleaned)
        await self._say(replace(piece, text=text))

    async def _flush(self) -> None:
        rest = self._restorer.feed(self._cleaners[False].flush()) + self._restorer.flush()
        await self._say(Piece(rest))

    async def _say(self, piece: Piece) -> None:
        if not piece.thinking and piece.text:
            self._text.append(piece.text)
            if self.message is not None:
                self._recorder.journal(self.message.id, piece.text, ())
        if piece.text and self.message is not None:
            await self._emit(Delta(self.message.id, Place.REMOTE, piece.text, piece.logprobs, piece.thinking))

    def _cost(self, usage: Usage) -> float | None:
        """Return US dollars; tokens that the server did not count are estimated."""
        price = self._backend.endpoint.price
        if price is None:
            return None
        prompt, completion = self._counted(usage)
        return (prompt * price.input + completion * price.output) / 1e6

    def _counted(self, usage: Usage) -> tuple[int, int]:
        """Return the tokens sent and received; those that the server did not count are estimated."""
        prompt = usage.prompt_tokens
        if prompt is None:
            prompt = estimate_prompt(self._request.messages)
        completion = usage.completion_tokens
        if completion is None:
            said = self.text or "".join(piece.text for piece in self._ahead)
            completion = estimate_tokens(said) if said else 0
        return prompt, completion

    async def _settle(self, took: Spent | None) -> None:
        reservation, self._reservation = self._reservation, None
        if reservation is not None:
            await self._gate.settle(reservation, took)


def _status_word(error: BaseException | None) -> str:
    if error is None:
        return "complete"
    return error.code if isinstance(error, HybridChatError) else "cancelled"
