"""A conversation as the screen needs it: exchanges along one branch, and the ways to the others. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridchat.messages import Message, Role, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with all its answers, oldest first; ``answer`` is the one that the branch goes on from, if any does.

    ``versions`` are the questions in its place: itself, and what it was before or after it was edited.
    """

    question: Message
    answers: tuple[Message, ...]
    answer: Message | None
    versions: tuple[Message, ...]

    @property
    def shown(self) -> Message | None:
        """The answer to show: the one that the branch goes on from, else the last one that was not set aside."""
        standing = [answer for answer in self.answers if answer.status is not Status.SET_ASIDE]
        return self.answer or (standing[-1] if standing else None)

    @property
    def others(self) -> tuple[Message, ...]:
        """The answers that are not shown."""
        return tuple(answer for answer in self.answers if self.shown is None or answer.id != self.shown.id)


class Branches:
    """All messages of a conversation, and the leaf that the user stands on."""

    def __init__(self, messages: Iterable[Message] = (), head_id: str | None = None) -> None:
        self._messages: dict[str, Message] = {}
        self._children: dict[str | None, list[str]] = {}
        self.head_id = head_id
        for message in messages:
            self.add(message)

    def add(self, message: Message) -> None:
        """Take in a message, or what has become of it."""
        if message.id not in self._messages:
            self._children.setdefault(message.parent_id, []).append(message.id)
        self._messages[message.id] = message

    def get(self, message_id: str) -> Message | None:
        """Return a message, None where there is none."""
        return self._messages.get(message_id)

    def path(self) -> list[Message]:
        """Return the messages from the root down to where the user stands."""
        return list(self._upward())[::-1]

    def exchanges(self) -> list[Exchange]:
        """Return the questions of the branch with their answers."""
        return list(self.from_the_end())[::-1]

    def questions(self) -> list[Exchange]:
        """Return those of the exchanges that begin with the user's own words, and not with a wish to go on."""
        return [exchange for exchange in self.exchanges() if not exchange.question.goes_on]

    def from_the_end(self) -> Iterator[Exchange]:
        """Yield the same, the last one first: who only wants that one need not wait for thousands."""
        after: Message | None = None
        for message in self._upward():
            if message.role is Role.USER:
                yield self._exchange(message, after if after is not None and after.role is Role.ASSISTANT else None)
            after = message

    def leaves(self) -> list[Message]:
        """Return where each branch ends, the newest first; what was set aside is no branch."""
        parents = {message.parent_id for message in self._messages.values() if message.status is not Status.SET_ASIDE}
        ends = [m for m in self._messages.values() if m.id not in parents and m.status is not Status.SET_ASIDE]
        return sorted(ends, key=lambda message: message.created_at, reverse=True)

    def end_below(self, message_id: str) -> str:
        """Return the end of the newest branch below a message: itself where nothing follows."""
        while below := [m for m in self._below(message_id) if m.status is not Status.SET_ASIDE]:
            message_id = below[-1].id
        return message_id

    def beside(self, step: int) -> str | None:
        """Return where the neighbouring branch ends: ``step`` -1 the one before, 1 the one after; None for none.

        Branches part where an answer has siblings or a question was edited; the parting nearest to the end counts.
        """
        for exchange in self.from_the_end():
            for place, here in ((exchange.answers, exchange.shown), (exchange.versions, exchange.question)):
                if len(place) > 1 and here is not None:
                    ids = [message.id for message in place]
                    return self.end_below(ids[(ids.index(here.id) + step) % len(ids)])
        return None

    def _upward(self) -> Iterator[Message]:
        message = self._messages.get(self.head_id or "")
        while message is not None:
            yield message
            message = self._messages.get(message.parent_id or "")

    def _exchange(self, question: Message, answer: Message | None) -> Exchange:
        answers = tuple(message for message in self._below(question.id) if message.role is Role.ASSISTANT)
        versions = tuple(message for message in self._below(question.parent_id) if message.role is Role.USER)
        return Exchange(question, answers, answer, versions)

    def _below(self, message_id: str | None) -> list[Message]:
        return [self._messages[child] for child in self._children.get(message_id, ())]
