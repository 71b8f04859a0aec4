"""Prepares what would leave the machine, as often as the user wants it otherwise; nothing is sent here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from hybridchat.backends.protocol import Backend, ChatRequest
from hybridchat.context import estimate_prompt, estimate_tokens, in_turns
from hybridchat.errors import InputError
from hybridchat.events import ContextCondensed, ContextTrimmed, Event, HandOver, Outgoing, Part, Replacement, Revise
from hybridchat.handover import verbatim
from hybridchat.handover.draft import with_draft
from hybridchat.handover.parts import DRAFT, SYSTEM, parts_of, without_parts
from hybridchat.handover.wish import Wish
from hybridchat.messages import ChatMessage, Message, Place
from hybridchat.privacy.explanation import explained
from hybridchat.privacy.fence import fenced
from hybridchat.text import one_line

if TYPE_CHECKING:
    from hybridchat.engine.forms import Composed, Composer
    from hybridchat.engine.request import TurnRequest
    from hybridchat.engine.resources import Resources
    from hybridchat.privacy.redaction import RedactedMessages, Redactor


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request with placeholders, what it is to a person, and what undoes the placeholders in its answer.

    ``original`` is the request without placeholders; ``condensed`` tells of the summary in it, if there is one.
    """

    request: ChatRequest
    original: ChatRequest
    outgoing: Outgoing
    redactor: Redactor
    condensed: ContextCondensed | None = None


class Preparation:
    """One turn's hand-over.

    ``path`` runs from the conversation's root to the question. Where the request names a selection, only that is
    handed over, with the question if that is wanted. ``draft`` is what the local model has said so far, to go along.
    """

    def __init__(
        self,
        resources: Resources,
        request: TurnRequest,
        path: Sequence[Message],
        system: str,
        emit: Callable[[Event], Awaitable[None]],
    ) -> None:
        self._resources = resources
        self._conversation_id = path[-1].conversation_id
        self._whole = path
        if request.selection is None:
            self._path, self._system = list(path), system
        else:
            self._path, self._system = [_only_selected(path[-1], request, request.selection)], ""
        self._emit = emit
        self._wish = Wish(resources.settings.handover.form)
        self._form_was_chosen = False
        self._redactor: Redactor | None = None
        self.draft = ""

    @cached_property
    def _composer(self) -> Composer:
        from hybridchat.engine.forms import Composer  # noqa: PLC0415 -- a turn that stays local needs none of it

        return Composer(self._resources, self._emit)

    @property
    def turns(self) -> int:
        """How many earlier turns there are, which can be left out."""
        return len(in_turns(self._path)) - 1

    async def shrink(self) -> ContextCondensed | ContextTrimmed | None:
        """Make less of it, for it is too long: take the summary that was prepared, else leave out one more turn.

        Return what tells of it, None where nothing more can be left out.
        """
        wish, form = self._wish, self._form()
        if wish.turns_left_out >= self.turns or form is HandOver.DISTIL:
            return None
        is_as_it_was = wish == Wish() and not self._form_was_chosen
        if is_as_it_was and form is HandOver.VERBATIM and await self._composer.has_summary(self._path):
            self._wish = Wish(HandOver.CONDENSE)
            if (condensed := (await self._compose()).condensed) is not None:
                return condensed
        self._form_was_chosen = True
        if form is HandOver.CONDENSE:  # a summary of less would hardly be shorter
            self._wish = Wish(HandOver.VERBATIM, max(self.turns - 1, 1), wish.left_out)
        else:
            self._wish = replace(wish, turns_left_out=wish.turns_left_out + 1)
        gone = in_turns(self._path)[: self._wish.turns_left_out]
        return ContextTrimmed(Place.REMOTE, len(gone), sum(map(len, gone)), 0)

    async def revise(self, revise: Revise) -> str:
        """Prepare otherwise from now on; return what to tell the user of it, mostly nothing."""
        parts = [part.id for part in self._parts()]
        try:
            self._wish = self._wish.revised(revise, forms=self._forms(), turns=self.turns, parts=parts)
        except InputError as nonsense:
            return f"{nonsense.message}. {nonsense.hint}"
        self._form_was_chosen = self._form_was_chosen or revise.form is not None
        words = [word for word in revise.redact if word.strip()]
        await self._resources.add_private_words(self._conversation_id, words)
        absent = self._absent(words, self._with_draft(verbatim((await self._compose()).path, self._system)))
        return "; ".join(f"“{one_line(word, 40)}” does not stand there as a whole word" for word in absent)

    async def prepare(self, backend: Backend, reason: str, note: str = "") -> Prepared:
        """Return what would be sent to ``backend``. Raises ``Blocked`` where it cannot be redacted."""
        redactor = await self._ready_redactor()
        composed = await self._compose()
        settings = self._resources.settings.answer
        messages = self._with_draft(verbatim(composed.path, "" if SYSTEM in self._wish.left_out else self._system))
        redacted = await asyncio.to_thread(redactor.redact_messages, messages)  # of a long text it takes a second
        messages, redacted = explained(messages, redacted)
        original = ChatRequest(
            messages,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=settings.seed,
            top_logprobs=0,
        )
        request = replace(original, messages=redacted.messages)
        note = "; ".join(filter(None, [note, composed.note]))
        outgoing = replace(
            _described(backend, request, original, redacted, reason),
            form=composed.form,
            forms=self._forms(),
            turns=self.turns,
            turns_left_out=self._wish.turns_left_out,
            parts=self._parts(),
            note=note,
        )
        return Prepared(request, original, outgoing, redactor, composed.condensed)

    @property
    def may_ask(self) -> bool:
        """Whether the remote model may ask about a document, and its answer thus be a question."""
        return self._form() is HandOver.EXTRACT and self._composer.may_ask

    def questions(self, reply: str) -> list[str]:
        """Return what the remote model asks in its reply; nothing where it answers."""
        return self._composer.questions(reply)

    async def look_up(self, questions: Sequence[str]) -> None:
        """Let the local model answer what the remote one asks; the answers are part of what is prepared next."""
        await self._composer.look_up(self._kept(), questions)

    async def _ready_redactor(self) -> Redactor:
        if self._redactor is None:
            self._redactor = await self._resources.redactor(self._conversation_id)
            for message in self._whole:  # the same order in every process gives the same placeholders
                await asyncio.to_thread(self._redactor.redact, message.content)
        return self._redactor

    async def _compose(self) -> Composed:
        wish = self._wish
        whole = self._path[-1] is self._whole[-1] and not (wish.turns_left_out or wish.left_out - {SYSTEM, DRAFT})
        return await self._composer.compose(self._kept(), self._form(), whole=whole)

    def _kept(self) -> list[Message]:
        turns = in_turns(self._path)[self._wish.turns_left_out :]
        return without_parts([message for turn in turns for message in turn], self._wish.left_out)

    def _form(self) -> HandOver:
        """Return the form to put it into: the one wished for where it is possible, condensed where it is long."""
        forms = self._forms()
        form = self._wish.form if self._wish.form in forms else HandOver.VERBATIM
        if form is HandOver.VERBATIM and not self._form_was_chosen and HandOver.CONDENSE in forms:
            longest = self._resources.settings.handover.condense_over
            if estimate_prompt(verbatim(self._kept(), self._system)) > longest:
                return HandOver.CONDENSE
        return form

    def _forms(self) -> tuple[HandOver, ...]:
        return self._composer.possible(self._kept())

    def _with_draft(self, messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
        if not self.draft or DRAFT in self._wish.left_out:
            return messages
        *earlier, question = messages
        return (*earlier, replace(question, content=with_draft(question.content, self.draft)))

    def _parts(self) -> tuple[Part, ...]:
        left_out = self._wish.left_out
        around = {SYSTEM: ("instructions", self._system), DRAFT: ("the local model's draft", self.draft)}
        system, draft = (
            [Part(id_, f"{label}: {one_line(text, 48)}", estimate_tokens(text), id_ in left_out)] if text else []
            for id_, (label, text) in around.items()
        )
        return (*system, *parts_of(self._path, left_out), *draft)

    @staticmethod
    def _absent(words: Sequence[str], messages: Sequence[ChatMessage]) -> Iterator[str]:
        from hybridchat.privacy.words import word_detector  # noqa: PLC0415 -- only a person's own words need it

        for word in words:
            detect = word_detector([word])
            if not any(True for message in messages for _ in detect(message.content)):
                yield word


def _only_selected(question: Message, request: TurnRequest, selection: str) -> Message:
    if not request.with_question:
        return replace(question, content=selection)
    return replace(question, content=f"{question.content}\n\n{fenced(selection, 'what is selected')}")


def _described(
    backend: Backend, request: ChatRequest, original: ChatRequest, redacted: RedactedMessages, reason: str
) -> Outgoing:
    from hybridchat.backends.transport.proxy import proxy_of  # noqa: PLC0415 -- only what is about to be sent has a way

    endpoint = backend.endpoint
    tokens = estimate_prompt(request.messages)
    price = endpoint.price
    return Outgoing(
        endpoint=endpoint.name,
        url=endpoint.url,
        model=endpoint.model,
        original=original.messages,
        redacted=request.messages,
        redactions=redacted.counts,
        bytes=len(backend.body(request)),
        tokens=tokens,
        cost=None if price is None else (tokens * price.input + (request.max_tokens or 0) * price.output) / 1e6,
        reason=reason,
        replacements=tuple(_replacements(redacted)),
        proxy=proxy_of(endpoint.url),
    )


def _replacements(redacted: RedactedMessages) -> Iterator[tuple[Replacement, ...]]:
    from hybridchat.privacy.placeholders import FORM  # noqa: PLC0415 -- its patterns take a while to compile

    for message, spans in zip(redacted.messages, redacted.spans, strict=True):
        found, shift = [], 0
        for span in spans:
            form = FORM.match(message.content, span.start + shift)
            assert form is not None, "a placeholder stands where something was replaced"
            found.append(Replacement(span.kind, span.start, span.end, *form.span()))
            shift = form.end() - span.end
        yield tuple(found)
