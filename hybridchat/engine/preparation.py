"""Prepares what would leave the machine, as often as the user wants it otherwise; nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hybridchat.backends.protocol import Backend, ChatRequest
from hybridchat.context import estimate_prompt, estimate_tokens
from hybridchat.errors import InputError
from hybridchat.events import HandOver, Outgoing, Part, Replacement, Revise
from hybridchat.handover import verbatim
from hybridchat.handover.parts import DRAFT, SYSTEM, parts_of, without_parts
from hybridchat.handover.prompt import in_turns
from hybridchat.handover.wish import Wish
from hybridchat.messages import ChatMessage, Message
from hybridchat.privacy.fence import fenced
from hybridchat.text import one_line

if TYPE_CHECKING:
    from hybridchat.engine.request import TurnRequest
    from hybridchat.engine.resources import Resources
    from hybridchat.privacy.redaction import RedactedMessages, Redactor


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request with placeholders, what it is to a person, and what undoes the placeholders in its answer."""

    request: ChatRequest
    outgoing: Outgoing
    redactor: Redactor


class Preparation:
    """One turn's hand-over.

    ``path`` runs from the conversation's root to the question. Where the request names a selection, only that is
    handed over, with the question if that is wanted. ``draft`` is what the local model has said so far, to go along.
    """

    def __init__(self, resources: Resources, request: TurnRequest, path: Sequence[Message], system: str) -> None:
        self._resources = resources
        self._conversation_id = path[-1].conversation_id
        self._whole = path
        if request.selection is None:
            self._path, self._system = list(path), system
        else:
            self._path, self._system = [_only_selected(path[-1], request, request.selection)], ""
        self._wish = Wish()
        self._redactor: Redactor | None = None
        self.draft = ""

    @property
    def turns(self) -> int:
        """How many earlier turns there are, which can be left out."""
        return len(in_turns(self._path)) - 1

    def leave_out_a_turn(self) -> tuple[int, int] | None:
        """Leave out one more turn; return how many turns and messages that makes, None where none is left."""
        if self._wish.turns_left_out >= self.turns:
            return None
        self._wish = replace(self._wish, turns_left_out=self._wish.turns_left_out + 1)
        gone = in_turns(self._path)[: self._wish.turns_left_out]
        return len(gone), sum(map(len, gone))

    async def revise(self, revise: Revise) -> str:
        """Prepare otherwise from now on; return what to tell the user of it, mostly nothing."""
        parts = [part.id for part in self._parts()]
        try:
            self._wish = self._wish.revised(revise, forms=self._forms(), turns=self.turns, parts=parts)
        except InputError as nonsense:
            return f"{nonsense.message}. {nonsense.hint}"
        words = [word for word in revise.redact if word.strip()]
        await self._resources.add_private_words(self._conversation_id, words)
        return "; ".join(f"“{one_line(word, 40)}” does not stand there as a whole word" for word in self._absent(words))

    async def prepare(self, backend: Backend, reason: str, note: str = "") -> Prepared:
        """Return what would be sent to ``backend``. Raises ``Blocked`` where it cannot be redacted."""
        redactor = await self._ready_redactor()
        original = self._messages()
        redacted = redactor.redact_messages(original)
        settings = self._resources.settings.answer
        request = ChatRequest(
            redacted.messages,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=settings.seed,
            top_logprobs=0,
        )
        return Prepared(request, self._describe(backend, request, original, redacted, reason, note), redactor)

    async def _ready_redactor(self) -> Redactor:
        if self._redactor is None:
            self._redactor = await self._resources.redactor(self._conversation_id)
            for message in self._whole:  # the same order in every process gives the same placeholders
                self._redactor.redact(message.content)
        return self._redactor

    def _messages(self) -> tuple[ChatMessage, ...]:
        wish = self._wish
        kept = [message for turn in in_turns(self._path)[wish.turns_left_out :] for message in turn]
        messages = verbatim(without_parts(kept, wish.left_out), "" if SYSTEM in wish.left_out else self._system)
        if self.draft and DRAFT not in wish.left_out:
            last = messages[-1]
            draft = fenced(self.draft, "a smaller model's draft of the answer, which may be wrong")
            messages = (*messages[:-1], replace(last, content=f"{last.content}\n\n{draft}"))
        return messages

    def _forms(self) -> tuple[HandOver, ...]:
        return (HandOver.VERBATIM,)

    def _parts(self) -> tuple[Part, ...]:
        left_out = self._wish.left_out
        around = {SYSTEM: ("instructions", self._system), DRAFT: ("the local model's draft", self.draft)}
        system, draft = (
            [Part(id_, f"{label}: {one_line(text, 48)}", estimate_tokens(text), id_ in left_out)] if text else []
            for id_, (label, text) in around.items()
        )
        return (*system, *parts_of(self._path, left_out), *draft)

    def _absent(self, words: Sequence[str]) -> Iterator[str]:
        from hybridchat.privacy.words import word_detector  # noqa: PLC0415 -- only a person's own words need it

        texts = [message.content for message in self._messages()]
        for word in words:
            detect = word_detector([word])
            if not any(True for text in texts for _ in detect(text)):
                yield word

    def _describe(
        self,
        backend: Backend,
        request: ChatRequest,
        original: tuple[ChatMessage, ...],
        redacted: RedactedMessages,
        reason: str,
        note: str,
    ) -> Outgoing:
        endpoint = backend.endpoint
        tokens = estimate_prompt(request.messages)
        price = endpoint.price
        return Outgoing(
            endpoint=endpoint.name,
            url=endpoint.url,
            model=endpoint.model,
            original=original,
            redacted=request.messages,
            redactions=redacted.counts,
            bytes=len(backend.body(request)),
            tokens=tokens,
            cost=None if price is None else (tokens * price.input + (request.max_tokens or 0) * price.output) / 1e6,
            reason=reason,
            replacements=tuple(_replacements(redacted)),
            form=self._wish.form,
            forms=self._forms(),
            turns=self.turns,
            turns_left_out=self._wish.turns_left_out,
            parts=self._parts(),
            note=note,
        )


def _only_selected(question: Message, request: TurnRequest, selection: str) -> Message:
    selected = fenced(selection, "what is selected") if request.with_question else selection
    return replace(question, content=f"{question.content}\n\n{selected}" if request.with_question else selected)


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
