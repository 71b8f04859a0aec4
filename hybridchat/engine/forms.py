"""Puts a conversation into the form in which it is handed over, with the local model's help where that is needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridchat.context import estimate_prompt, in_turns
from hybridchat.engine.condenser import condensed, known_summary, older_turns
from hybridchat.engine.local_writer import room, written
from hybridchat.errors import HybridChatError
from hybridchat.events import ContextCondensed, Event, FollowUp, HandOver, Loading
from hybridchat.handover import distil, extract, verbatim
from hybridchat.handover.summary import as_message
from hybridchat.messages import Message, Place

if TYPE_CHECKING:
    from hybridchat.engine.resources import Resources

Path = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Composed:
    """A path in the ``form`` that it was really put into; ``note`` says why that is another one than was wanted.

    ``condensed`` tells of the summary in it, once it is used.
    """

    path: Path
    form: HandOver
    note: str = ""
    condensed: ContextCondensed | None = None


class Composer:
    """Composes one turn's hand-over; what the local model once wrote for it is kept for the next time."""

    def __init__(self, resources: Resources, emit: Callable[[Event], Awaitable[None]]) -> None:
        self._resources = resources
        self._emit = emit
        self._composed: dict[tuple[HandOver, tuple[tuple[str, str], ...]], Composed] = {}
        self._found: list[extract.Found] = []

    @property
    def may_ask(self) -> bool:
        """Whether the remote model may still ask about a document."""
        return not self._found

    def possible(self, path: Sequence[Message]) -> tuple[HandOver, ...]:
        """Return the forms that ``path``, which ends in the question, can be put into."""
        with_history = len(in_turns(path)) > 1
        return tuple(
            form
            for form in HandOver
            if form is HandOver.VERBATIM
            or (form is HandOver.EXTRACT and extract.documents(path))
            or (form in {HandOver.CONDENSE, HandOver.DISTIL} and with_history)
        )

    async def has_summary(self, path: Sequence[Message]) -> bool:
        """Whether a summary was prepared that spares at least one earlier turn."""
        return await known_summary(self._resources, _older(path)) is not None

    async def compose(self, path: Sequence[Message], form: HandOver, *, whole: bool) -> Composed:
        """Put ``path`` into ``form``; as it stands, with a note, where the local model cannot.

        ``whole`` says that nothing was left out of the conversation, so that what was prepared for it can be used.
        """
        if form is HandOver.EXTRACT:
            return Composed(self._extracted(path), form)
        if form is HandOver.VERBATIM:
            return Composed(tuple(path), form)
        key = (form, tuple((message.id, message.content) for message in path))
        if key not in self._composed:
            try:
                if form is HandOver.DISTIL:
                    self._composed[key] = await self._distilled(path)
                else:
                    self._composed[key] = await self._condensed(path, whole=whole)
            except HybridChatError as error:
                self._composed[key] = _as_it_stands(path, form, error.message)
        return self._composed[key]

    def questions(self, reply: str) -> list[str]:
        """Return what the remote model asks in its reply; nothing where it answers."""
        return extract.questions(reply)

    async def look_up(self, path: Sequence[Message], questions: Sequence[str]) -> None:
        """Let the local model answer what the remote one asks, from the longest document alone.

        Each question is told before and after. One that cannot be answered is answered so.
        """
        document = extract.documents(path)[0]
        for number, question in enumerate(questions[: extract.MOST_QUESTIONS], 1):
            await self._emit(FollowUp(number, document.label, question))
            tokens = room(self._resources, extract.LONGEST_ANSWER)
            try:
                request = extract.request_for(document, question, tokens)
                answer = await written(self._resources, request, extract.LONGEST_ANSWER)
            except HybridChatError as error:
                answer = f"(the local model could not look it up: {error.message})"
            answer = answer or "(nothing was found)"
            self._found.append(extract.Found(document.label, question, answer))
            await self._emit(FollowUp(number, document.label, question, answer))

    def _extracted(self, path: Sequence[Message]) -> Path:
        *earlier, question = extract.without_documents(path)
        last = extract.with_answers(question, self._found) if self._found else extract.with_rules(question)
        return (*earlier, last)

    async def _condensed(self, path: Sequence[Message], *, whole: bool) -> Composed:
        older = _older(path)
        await self._tell("condenses the conversation")
        summary = await condensed(self._resources, older, whole=whole)
        covered = [message.id for message in older].index(summary.message_id) + 1
        kept = path[covered:]
        head = as_message(summary.text, path[0])
        event = ContextCondensed(
            Place.REMOTE,
            len(in_turns(older)),
            len(older),
            estimate_prompt(verbatim(older)),
            estimate_prompt(verbatim([head])),
        )
        return Composed((head, *kept), HandOver.CONDENSE, condensed=event)

    async def _distilled(self, path: Sequence[Message]) -> Composed:
        question = path[-1]
        await self._tell("writes one question out of the conversation")
        request = distil.request_for(path, room(self._resources, distil.LONGEST) - len(question.content) // 3)
        text = await written(self._resources, request, distil.LONGEST)
        if flaw := distil.flaw(text, question):
            return _as_it_stands(path, HandOver.DISTIL, flaw)
        return Composed((distil.as_question(text, question),), HandOver.DISTIL)

    async def _tell(self, what: str) -> None:
        await self._emit(Loading(Place.LOCAL, self._resources.local.endpoint.model, what))


def _older(path: Sequence[Message]) -> list[Message]:
    """Return what a summary covers of a path that ends in a question: all turns but the last finished one.

    Where there is only one, it covers that.
    """
    *earlier, _question = path
    return older_turns(earlier) or list(earlier)


def _as_it_stands(path: Sequence[Message], form: HandOver, why: str) -> Composed:
    return Composed(tuple(path), HandOver.VERBATIM, f"not the form {form}, but the conversation as it stands: {why}")
