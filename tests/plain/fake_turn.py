"""A turn that follows a script, for what a real one will not do on demand; it keeps the contract of ``engine.Turn``."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable

from hybridchat.events import Delta, Event, Failed, Finished, Opened, Reply, Routed, SetAside
from hybridchat.messages import Confidence, FinishReason, Place, Provenance, Status, Usage

Script = Callable[["FakeTurn"], AsyncIterator[Event]]


class FakeTurn:
    def __init__(self, script: Script) -> None:
        self.replies: asyncio.Queue[Reply] = asyncio.Queue()
        self.cancelled = False
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._text = ""
        self._task = asyncio.create_task(self._live(script))

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._iterate()

    def answer(self, reply: Reply) -> None:
        self.replies.put_nowait(reply)

    def cancel(self) -> None:
        if not self.cancelled:
            self.cancelled = True
            self._task.cancel()

    async def _live(self, script: Script) -> None:
        try:
            async for event in script(self):
                if isinstance(event, Delta):
                    self._text += event.text
                await self._events.put(event)
        except asyncio.CancelledError:
            hint = "What was said is kept: `hybridchat ask --continue` goes on from it."
            await self._events.put(Failed("interrupted", "stopped", hint, 130, "a1", self._text))

    async def _iterate(self) -> AsyncIterator[Event]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Finished | Failed):
                return


class TerminalStream(io.StringIO):
    def isatty(self) -> bool:
        return True


def routed(*, can_escalate: bool = False, place: Place = Place.LOCAL) -> Routed:
    return Routed("c1", "u1", place, "local first", can_escalate)


def opened(stand_in: str = "", place: Place = Place.LOCAL) -> Opened:
    return Opened("a1", place, "ollama", "phi3.5", stand_in)


def local(text: str, *, thinking: bool = False) -> Delta:
    return Delta("a1", Place.LOCAL, text, thinking=thinking)


def remote(text: str) -> Delta:
    return Delta("a2", Place.REMOTE, text)


def set_aside() -> SetAside:
    return SetAside("a1", 14, Confidence(0.31), "three weak tokens in a row")


def finished(text: str, place: Place = Place.LOCAL, *, notes: tuple[str, ...] = (), exit_code: int = 0) -> Finished:
    provenance = Provenance(
        place=place,
        endpoint="ollama" if place is Place.LOCAL else "huggingface",
        model="phi3.5" if place is Place.LOCAL else "meta-llama/Llama-3.3-70B-Instruct",
        reason="local first",
        confidence=Confidence(0.64) if place is Place.LOCAL else None,
        usage=Usage(20, 12),
        cost=0.0 if place is Place.LOCAL else 0.0004,
        seconds=1.25,
        finish_reason=FinishReason.STOP,
    )
    message_id = "a1" if place is Place.LOCAL else "a2"
    return Finished(message_id, text, Status.COMPLETE, provenance, notes, exit_code)


async def script_of(*events: Event) -> AsyncIterator[Event]:
    for event in events:
        yield event
