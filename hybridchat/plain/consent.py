"""Asks the person at the terminal what may leave the machine, and which model to take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hybridchat import phrases
from hybridchat.events import Consent, ModelChoiceRequested, Outgoing
from hybridchat.messages import ChatMessage
from hybridchat.text import clean


class Asks(Protocol):
    """A place where a question can be put and a line of answer read: ``plain.terminal.Terminal``."""

    def write(self, text: str) -> None:
        """Write ``text`` as it is."""
        ...

    async def line(self) -> str | None:
        """Wait for a line; None when no answer will come."""
        ...


_KEYS = "[s] send  [a] always in this conversation  [l] stay local  [p] show exact text\n"


class Person:
    """The user, asked on a terminal. No answer means that nothing leaves."""

    def __init__(self, terminal: Asks) -> None:
        self._terminal = terminal

    async def consent(self, outgoing: Outgoing) -> Consent:
        """Show what would leave and return the user's answer."""
        question = self._summary(outgoing) + _KEYS
        while True:
            match await self._answer(question):
                case "s" | "send":
                    return Consent.SEND
                case "a" | "always":
                    return Consent.ALWAYS
                case None | "l" | "local":
                    return Consent.STAY_LOCAL
                case "p" | "show":
                    question = self._payload(outgoing.redacted) + _KEYS
                case _:
                    question = _KEYS

    async def model(self, request: ModelChoiceRequested) -> str | None:
        """Show which models are served instead of the one asked for, and return the chosen one."""
        names = request.alternatives
        question = clean(f"\n{request.endpoint} does not serve {request.unavailable}. It serves:\n")
        question += "".join(f"  [{number}] {clean(name)}\n" for number, name in enumerate(names, 1))
        question += "A number takes that model, [l] stays local.\n"
        while True:
            answer = await self._answer(question)
            if answer is None or answer in {"l", "local"}:
                return None
            if chosen := _numbered(answer, names):
                return chosen
            question = f"A number from 1 to {len(names)}, or l.\n"

    async def _answer(self, question: str) -> str | None:
        self._terminal.write(f"{question}> ")
        line = None
        try:
            line = await self._terminal.line()
        finally:
            if line is None:  # no Enter has ended the line of the question
                self._terminal.write("\n")
        return None if line is None else line.strip().lower()

    def _summary(self, outgoing: Outgoing) -> str:
        cost = "unknown cost" if outgoing.cost is None else f"about {phrases.money(outgoing.cost)}"
        lines = [
            "",
            "Send this to a remote model?",
            f"  to        {outgoing.model} at {outgoing.endpoint} ({outgoing.url})",
            f"  why       {outgoing.reason}",
            f"  size      {outgoing.bytes:,} bytes, about {outgoing.tokens:,} tokens, {cost}",
            f"  replaced  {phrases.redactions(outgoing.redactions) or 'nothing'}",
        ]
        return "\n".join(map(clean, lines)) + "\n"

    def _payload(self, messages: Sequence[ChatMessage]) -> str:
        return "".join(f"--- {message.role}\n{clean(message.content)}\n" for message in messages) + "---\n"


def _numbered(answer: str, names: Sequence[str]) -> str | None:
    if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(names):
        return names[int(answer) - 1]
    return None
