"""Lets the local model look again at its answer, while the user reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hybridchat.backends.protocol import ChatRequest, Piece
from hybridchat.errors import HybridChatError
from hybridchat.messages import ChatMessage, Confidence, Provenance, Reading, TokenLogprob
from hybridchat.routing.second_look import SAMPLE_TEMPERATURE, SAMPLE_TOKENS, Look, Looks, briefly, is_it_right
from hybridchat.text import clean

if TYPE_CHECKING:
    from hybridchat.engine.local_answer import LocalAnswer
    from hybridchat.engine.resources import Resources


@dataclass(frozen=True, slots=True)
class LookedAgain:
    """What a second look at a kept local answer showed (``look``: ``p_true`` or ``sample``), after its turn has ended.

    ``confidence`` is what it is now, ``threshold`` what it is held against; ``advises``: had this been known, the
    remote model would have been asked.
    """

    message_id: str
    look: str
    confidence: Confidence
    threshold: float
    reason: str
    advises: bool


def worth_looking(resources: Resources, local: LocalAnswer) -> SecondLook | None:
    """Return what looks again at ``local``, where its confidence decided little and the settings want it."""
    decision, message = local.decision, local.message
    if not resources.settings.routing.second_look or decision is None or message is None:
        return None
    if decision.confidence is None or decision.look_again_at is None:
        return None
    return SecondLook(
        resources, local.prompt, local.text, message.id, local.provenance, decision.confidence, decision.look_again_at
    )


class SecondLook:
    """An asynchronous iterator of what each look shows; it runs as far as somebody iterates it.

    It takes the local model only, and only until ``stop``: the next turn calls that. It ends where it is settled, where
    no further look would help, and where the local model fails.
    """

    def __init__(
        self,
        resources: Resources,
        prompt: Sequence[ChatMessage],
        answer: str,
        message_id: str,
        provenance: Provenance,
        confidence: Confidence,
        threshold: float,
    ) -> None:
        self._resources = resources
        self._prompt = prompt
        self._answer = answer
        self._message_id = message_id
        self._provenance = provenance
        self._looks = Looks(answer, confidence, threshold)
        self._asking: asyncio.Task[tuple[str, list[TokenLogprob]]] | None = None
        self._stopped = False

    def stop(self) -> None:
        """End it at once; the server is told by its closed connection."""
        self._stopped = True
        if self._asking is not None:
            self._asking.cancel()

    async def __aiter__(self) -> AsyncIterator[LookedAgain]:
        """Yield what each look shows."""
        while not self._stopped and (look := self._looks.next) is not None:
            self._asking = asyncio.create_task(self._ask(look))
            try:
                await asyncio.wait({self._asking})
            finally:
                self._asking.cancel()  # changes nothing about one that is done
                await asyncio.gather(self._asking, return_exceptions=True)
            if self._asking.cancelled() or isinstance(self._asking.exception(), HybridChatError):
                return
            text, tokens = self._asking.result()
            looks = self._looks
            self._looks = looks.after_p_true(text, tokens) if look is Look.P_TRUE else looks.after_sample(text)
            await self._keep()
            yield LookedAgain(
                self._message_id,
                look,
                self._looks.confidence,
                self._looks.threshold,
                self._looks.reason,
                advises=self._looks.advises,
            )

    async def _ask(self, look: Look) -> tuple[str, list[TokenLogprob]]:
        if look is Look.P_TRUE:
            request = ChatRequest(is_it_right(self._prompt, self._answer), max_tokens=1, temperature=0.0)
        else:
            request = ChatRequest(
                briefly(self._prompt), max_tokens=SAMPLE_TOKENS, temperature=SAMPLE_TEMPERATURE, top_logprobs=0
            )
        text: list[str] = []
        tokens: list[TokenLogprob] = []
        async with aclosing(self._resources.local.stream(request)) as parts:
            async for part in parts:
                if isinstance(part, Piece) and not part.thinking:
                    text.append(part.text)
                    tokens += part.logprobs
        return clean("".join(text)).strip(), tokens

    async def _keep(self) -> None:
        """Keep with the answer what was seen, where it can be kept."""
        looks, reading = self._looks, self._provenance.reading or Reading(0)
        seen = replace(reading, signals={**reading.signals, **looks.signals})
        self._provenance = replace(self._provenance, confidence=looks.confidence, reading=seen)
        try:
            await self._resources.store.conversations.describe(self._message_id, self._provenance)
        except HybridChatError:
            return
