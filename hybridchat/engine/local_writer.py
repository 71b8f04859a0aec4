"""Lets the local model write something short that is no answer: a summary, a question."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from hybridchat.backends.protocol import ChatRequest, Piece
from hybridchat.text import clean

if TYPE_CHECKING:
    from hybridchat.engine.resources import Resources
    from hybridchat.messages import ChatMessage

_DEFAULT_WINDOW = 4096  # tokens, where no server has told


async def written(resources: Resources, messages: tuple[ChatMessage, ...], max_tokens: int) -> str:
    """Return what the local model writes, without its thinking and safe for a terminal; raises what backends raise."""
    request = ChatRequest(messages, max_tokens=max_tokens, temperature=0.0, top_logprobs=0)
    async with aclosing(resources.local.stream(request)) as parts:
        text = [part.text async for part in parts if isinstance(part, Piece) and not part.thinking]
    return clean("".join(text)).strip()


def room(resources: Resources, max_tokens: int) -> int:
    """Return how many tokens of text fit into the local window with a task, a summary, and ``max_tokens`` to write."""
    window = resources.local_window or _DEFAULT_WINDOW
    return max(int((window - 2 * max_tokens) / max(resources.local_meter.ratio, 1.0)) - 200, window // 4)
