"""What every backend offers: a stream of typed parts that ends with ``Ended`` or raises a ``HybridChatError``."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from hybridchat.config.settings import Endpoint
from hybridchat.messages import ChatMessage, FinishReason, TokenLogprob, Usage


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call. ``top_logprobs`` 0 asks for no logprobs; None leaves a value to the server."""

    messages: tuple[ChatMessage, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    top_logprobs: int = 10


@dataclass(frozen=True, slots=True)
class Accepted:
    """The first part of every stream: which model will answer.

    ``digest`` identifies the exact weights where the server tells; ``window`` is the context window in tokens;
    ``stand_in`` is a sentence for the user where a small stand-in answers for the model that was asked for.
    """

    model: str
    digest: str | None = None
    window: int | None = None
    stand_in: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """No token can come yet; ``reason`` is a sentence (the model is being loaded, the server is busy)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text with the logprobs that came with it (either may be empty).

    Text and logprobs of one piece need not match: a server may hold text back. ``thinking`` marks a reasoning
    channel.
    """

    text: str
    logprobs: tuple[TokenLogprob, ...] = ()
    thinking: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """The last part of every complete stream. ``load_seconds`` is the time until the model was ready."""

    finish_reason: FinishReason
    usage: Usage = Usage()
    load_seconds: float | None = None
    model: str | None = None


StreamPart = Accepted | Waiting | Piece | Ended


class Backend(Protocol):
    """One configured server.

    ``stream`` yields ``Accepted``, then any number of ``Waiting`` and ``Piece``, then ``Ended``; it raises a
    ``HybridChatError`` (most often a ``BackendError``) instead, at any point. Closing the generator closes the
    connection, which cancels the generation on the server. Text is passed on as it came: it is made safe for a
    terminal in the engine. Nothing is retried after the first token.
    """

    @property
    def endpoint(self) -> Endpoint:
        """The configuration that this backend was built from."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        """Answer ``request``."""
        ...

    def body(self, request: ChatRequest) -> bytes:
        """Return the exact request body that ``stream`` would send, for preview and ledger."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
