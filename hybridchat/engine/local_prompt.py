"""The prompt of the local model: fitted into its window, and fitted again when the server finds it too long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from hybridchat.backends.protocol import ChatRequest
from hybridchat.context import FittedPrompt, fit
from hybridchat.engine.local_answer import LocalAnswer
from hybridchat.errors import ContextOverflow
from hybridchat.events import ContextTrimmed, Event
from hybridchat.handover import verbatim
from hybridchat.messages import Message, Place

if TYPE_CHECKING:
    from hybridchat.engine.resources import Resources


class LocalPrompt:
    """A conversation on its way into the local model's context window, after what the user has cut off it."""

    def __init__(
        self,
        resources: Resources,
        path: Sequence[Message],
        system: str,
        *,
        emit: Callable[[Event], Awaitable[None]],
    ) -> None:
        self._resources = resources
        self._meter = resources.local_meter
        self._answer = resources.settings.answer
        self._window = resources.local_window
        self._shortened = resources.local_context.of(path)
        self._messages = verbatim(self._shortened.path, system)
        self._emit = emit
        self._fitted = self._fit(leave_out=0)

    @property
    def fits(self) -> bool:
        """Whether the question itself fits, be it without any earlier turn."""
        return self._fitted.fits

    async def stream(self, local: LocalAnswer) -> None:
        """Let ``local`` answer, leaving out one more turn each time that the server finds the prompt too long.

        Raises a ``HybridChatError`` as ``LocalAnswer.run`` does.
        """
        announced = 0
        if (cut := self._resources.local_context.event(self._shortened)) is not None:
            await self._emit(cut)
        while True:
            fitted = self._fitted
            if fitted.turns_left_out > announced:
                announced = fitted.turns_left_out
                await self._emit(
                    ContextTrimmed(Place.LOCAL, fitted.turns_left_out, fitted.messages_left_out, self._window or 0)
                )
            try:
                await local.run(
                    ChatRequest(
                        fitted.messages,
                        max_tokens=self._answer.max_tokens,
                        temperature=self._answer.temperature,
                        seed=self._answer.seed,
                    )
                )
                break
            except ContextOverflow as overflow:
                if not fitted.can_shrink or local.message is not None:
                    raise
                self._meter.learn(fitted.messages, overflow.prompt_tokens)
                self._window = min((size for size in (self._window, local.window) if size), default=None)
                self._fitted = self._fit(leave_out=fitted.turns_left_out + 1)
        if local.window is not None:  # a server may have been started with another window than is configured
            self._resources.local_window = local.window
        if local.ended is not None:
            self._meter.learn(fitted.messages, local.ended.usage.prompt_tokens)

    def _fit(self, leave_out: int) -> FittedPrompt:
        return fit(
            self._messages,
            self._window,
            self._answer.max_tokens,
            estimate=self._meter,
            leave_out=leave_out,
        )
