"""What goes on between an answer and the next line: the local model looks again, the user judges."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hybridchat.messages import Role

if TYPE_CHECKING:
    from hybridchat.assistant import Assistant
    from hybridchat.engine import Turn


class Reading:
    """Lets the local model look again at an answer until the next line comes.

    Nothing is written meanwhile: it would run into what the user types.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._found = ""
        self._looking = asyncio.create_task(self._look())

    async def end(self) -> str:
        """Stop it, and return what came of it as a sentence; empty where nothing did."""
        if self._turn.second_look is not None:
            self._turn.second_look.stop()
        await asyncio.gather(self._looking, return_exceptions=True)
        return self._found

    async def _look(self) -> None:
        if self._turn.second_look is not None:
            async for look in self._turn.second_look:
                self._found = look.reason + (" (/escalate asks it)" if look.advises else "")


async def judged(assistant: Assistant, conversation_id: str | None, *, good: bool) -> str:
    """Take a thumb for the last answer, and say what is done with it."""
    messages = await assistant.messages(conversation_id) if conversation_id else []
    if not messages or messages[-1].role is not Role.ASSISTANT:
        return "There is no answer yet."
    if await assistant.feedback(messages[-1].id, good=good):
        return "Noted: how sure the local model must be is learned from it."
    return "Nothing is learned from it: only from whole answers of the local model, and where routing.learn is on."
