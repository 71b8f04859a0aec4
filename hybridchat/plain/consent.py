"""Asks the person at the terminal what may leave the machine, and which model to take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from hybridchat import phrases
from hybridchat.events import Consent, HandOver, ModelChoiceRequested, Outgoing, Revise
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


_FORMS = {
    HandOver.VERBATIM: "the conversation as it stands",
    HandOver.CONDENSE: "a summary of the earlier turns, written by the local model",
    HandOver.DISTIL: "one question that needs no earlier turn, written by the local model",
    HandOver.EXTRACT: "without the documents; the remote model may ask two questions about them",
}


class Person:
    """The user, asked on a terminal. No answer means that nothing leaves."""

    def __init__(self, terminal: Asks) -> None:
        self._terminal = terminal

    async def consent(self, outgoing: Outgoing) -> Consent | Revise:
        """Show what would leave and return the user's answer."""
        keys = _keys(outgoing)
        question = self._summary(outgoing) + keys
        while True:
            revise = None
            match await self._answer(question):
                case "s" | "send":
                    return Consent.SEND
                case "a" | "always":
                    return Consent.ALWAYS
                case None | "l" | "local" | "stay local":
                    return Consent.STAY_LOCAL
                case "p" | "show":
                    question = self._payload(outgoing.redacted) + keys
                    continue
                case "t" | "trim" if outgoing.parts or outgoing.turns:
                    revise = await self._trimmed(outgoing)
                case "r" | "redact" | "redact more":
                    revise = await self._redacted()
                case "h" | "hand over" if len(outgoing.forms) > 1:
                    revise = await self._put_otherwise(outgoing)
            if revise is not None:
                return revise
            question = keys

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

    async def _trimmed(self, outgoing: Outgoing) -> Revise | None:
        rows = [
            f"  [{number}] {part.label} ({phrases.counted(part.tokens, 'token')})"
            + (" left out" if part.left_out else "")
            for number, part in enumerate(outgoing.parts, 1)
        ]
        if outgoing.turns:
            rows.append(f"  {outgoing.turns_left_out} of {phrases.counted(outgoing.turns, 'earlier turn')} left out")
            rows.append("oldest N leaves out the N oldest turns.")
        if outgoing.parts:
            rows.append("Numbers leave these out, or take them in again.")
        rows.append("Enter changes nothing.")
        answer = await self._answer("\n".join(map(clean, ["What can be left out:", *rows])) + "\n")
        oldest = re.search(r"\boldest\s+(\d{1,6})\b", answer or "")
        rest = re.sub(r"\boldest\s+\d+", " ", answer or "")
        numbers = {int(number) for number in re.findall(r"\b\d{1,6}\b", rest)}
        if not oldest and not numbers:
            return None
        left_out = tuple(
            part.id for number, part in enumerate(outgoing.parts, 1) if part.left_out is not (number in numbers)
        )
        unknown = tuple(str(number) for number in sorted(numbers) if not 1 <= number <= len(outgoing.parts))
        return Revise(int(oldest[1]) if oldest else None, (*left_out, *unknown) if numbers else None)

    async def _redacted(self) -> Revise | None:
        answer = await self._answer(
            "Words or phrases to replace by placeholders, with commas between them:\n", lower=False
        )
        words = tuple(word.strip() for word in (answer or "").split(",") if word.strip())
        return Revise(redact=words) if words else None

    async def _put_otherwise(self, outgoing: Outgoing) -> Revise | None:
        rows = [
            f"  [{number}] {form}: {_FORMS[form]}{' (chosen)' if form is outgoing.form else ''}\n"
            for number, form in enumerate(outgoing.forms, 1)
        ]
        answer = await self._answer("".join(["What is handed over:\n", *rows, "Enter changes nothing.\n"]))
        chosen = _numbered(answer or "", outgoing.forms) or answer
        return Revise(form=HandOver(chosen)) if chosen in outgoing.forms else None

    async def _answer(self, question: str, *, lower: bool = True) -> str | None:
        self._terminal.write(f"{question}> ")
        line = None
        try:
            line = await self._terminal.line()
        finally:
            if line is None:  # no Enter has ended the line of the question
                self._terminal.write("\n")
        if line is None:
            return None
        return line.strip().lower() if lower else line.strip()

    def _summary(self, outgoing: Outgoing) -> str:
        cost = "unknown cost" if outgoing.cost is None else f"at most {phrases.money(outgoing.cost)}"
        left_out = [
            *([phrases.counted(outgoing.turns_left_out, "oldest turn")] if outgoing.turns_left_out else []),
            *(part.label for part in outgoing.parts if part.left_out),
        ]
        lines = [
            "",
            "Send this to a remote model?",
            f"  to        {outgoing.model} at {outgoing.endpoint} ({outgoing.url})",
            *([f"  through   the proxy {outgoing.proxy}, which sees where to, not what"] if outgoing.proxy else []),
            f"  why       {outgoing.reason}",
            f"  size      {outgoing.bytes:,} bytes, at most {outgoing.tokens:,} tokens, {cost}",
            f"  replaced  {phrases.redactions(outgoing.redactions) or 'nothing'}",
            *([f"  left out  {', '.join(left_out)}"] if left_out else []),
            *([f"  form      {outgoing.form}: {_FORMS[outgoing.form]}"] if len(outgoing.forms) > 1 else []),
            *([f"  note      {outgoing.note}"] if outgoing.note else []),
        ]
        return "\n".join(map(clean, lines)) + "\n"

    def _payload(self, messages: Sequence[ChatMessage]) -> str:
        return "".join(f"--- {message.role}\n{clean(message.content)}\n" for message in messages) + "---\n"


def _keys(outgoing: Outgoing) -> str:
    keys = ["[s] send", "[a] always in this conversation", "[l] stay local", "[p] show exact text"]
    if outgoing.parts or outgoing.turns:
        keys.append("[t] trim")
    keys.append("[r] redact more")
    if len(outgoing.forms) > 1:
        keys.append("[h] hand over otherwise")
    return "  ".join(keys) + "\n"


def _numbered(answer: str, names: Sequence[str]) -> str | None:
    if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(names):
        return names[int(answer) - 1]
    return None
