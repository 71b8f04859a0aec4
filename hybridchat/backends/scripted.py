"""A backend that plays a script: for replay, demonstrations and tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import msgspec

from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart
from hybridchat.config.settings import Endpoint
from hybridchat.errors import HybridChatError
from hybridchat.messages import FinishReason, TokenLogprob, Usage


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in seconds in which nothing comes."""

    seconds: float


Step = StreamPart | HybridChatError | asyncio.Event | Pause


class ScriptedBackend:
    """Plays one script a call, in order, and the last one again when there are no more.

    A step is a part to yield, an error to raise, a pause, or an event to wait for. ``requests`` keeps what was asked,
    ``asked`` is set by the first of them; ``closed`` counts the streams that were closed before their end.
    """

    def __init__(self, endpoint: Endpoint, *scripts: Sequence[Step]) -> None:
        self._endpoint = endpoint
        self._scripts = list(scripts)
        self.requests: list[ChatRequest] = []
        self.asked = asyncio.Event()
        self.closed = 0

    @property
    def endpoint(self) -> Endpoint:
        """The configuration that this backend was built from."""
        return self._endpoint

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        """Play the next script."""
        script = self._scripts[min(len(self.requests), len(self._scripts) - 1)]
        self.requests.append(request)
        self.asked.set()
        done = False
        try:
            for step in script:
                await asyncio.sleep(0)
                if isinstance(step, HybridChatError):
                    done = True
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                else:
                    done = isinstance(step, Ended)
                    yield step
            done = True
        finally:
            self.closed += not done

    def body(self, request: ChatRequest) -> bytes:
        """Return the messages as JSON."""
        return msgspec.json.encode(request.messages)

    async def aclose(self) -> None:
        """Nothing is open."""


def script(
    tokens: Sequence[str],
    logprob: float | None = -0.1,
    *,
    model: str = "scripted",
    finish_reason: FinishReason = FinishReason.STOP,
) -> list[Step]:
    """Return a whole answer, one piece a token, each with ``logprob`` (None: the server gives none)."""
    pieces = [Piece(token, () if logprob is None else (_token(token, logprob),)) for token in tokens]
    return [Accepted(model), *pieces, Ended(finish_reason, Usage(10, len(tokens)))]


def _token(text: str, logprob: float) -> TokenLogprob:
    return TokenLogprob(text, logprob, (logprob, logprob - 3.0, logprob - 4.0))
