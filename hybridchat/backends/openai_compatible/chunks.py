"""Reads the chunks of an OpenAI-compatible stream, in all the shapes that servers give them.

Sources: OpenAI API reference, "The chat completion chunk object"; vLLM, TGI and llama.cpp for what they add to it or
leave out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hybridchat.backends.protocol import Piece
from hybridchat.backends.transport.json import read_json
from hybridchat.messages import FinishReason, TokenLogprob, Usage

LEAST_LOGPROB = -9999.0
"""Stands for a probability of zero, which JSON has no number for: servers write null, -Infinity or this very value."""

_CUT_SHORT = frozenset({"length", "max_tokens", "model_length"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one event says; ``is_error`` where the server broke off and the event is its complaint."""

    pieces: tuple[Piece, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    model: str | None = None
    is_error: bool = False


def read_chunk(event: bytes) -> Chunk:
    """Read one event's payload, or the whole body of a server that does not stream; ``ValueError`` if it is none."""
    data = read_json(event)
    if not isinstance(data, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the caller treats everything unreadable alike
    if data.get("error"):
        return Chunk(is_error=True)
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    finish = choice.get("finish_reason")
    if finish == "error":
        return Chunk(is_error=True)
    return Chunk(
        pieces=_pieces(choice),
        finish_reason=_finish_reason(finish),
        usage=_usage(data.get("usage")),
        model=_text(data.get("model")) or None,
    )


def _pieces(choice: dict[str, Any]) -> tuple[Piece, ...]:
    delta = choice.get("delta") or choice.get("message")
    delta = delta if isinstance(delta, dict) else {}
    thinking = _text(delta.get("reasoning_content")) or _text(delta.get("reasoning"))
    text = _text(delta.get("content"))
    logprobs = _logprobs(choice.get("logprobs"))
    if thinking and not text:
        return (Piece(thinking, logprobs, thinking=True),)
    before = (Piece(thinking, thinking=True),) if thinking else ()
    return (*before, Piece(text, logprobs)) if text or logprobs else before


def _finish_reason(value: object) -> FinishReason | None:
    if not value:
        return None
    return FinishReason.LENGTH if isinstance(value, str) and value in _CUT_SHORT else FinishReason.STOP


def _usage(value: object) -> Usage | None:
    if not isinstance(value, dict):
        return None
    return Usage(_count(value.get("prompt_tokens")), _count(value.get("completion_tokens")))


def _logprobs(value: object) -> tuple[TokenLogprob, ...]:
    content = value.get("content") if isinstance(value, dict) else None
    if not isinstance(content, list):
        return ()
    return tuple(_token(token) for token in content if isinstance(token, dict))


def _token(token: dict[str, Any]) -> TokenLogprob:
    alternatives = token.get("top_logprobs")
    alternatives = alternatives if isinstance(alternatives, list) else []
    top = sorted((_logprob(other.get("logprob")) for other in alternatives if isinstance(other, dict)), reverse=True)
    return TokenLogprob(
        token=_text(token.get("token")),
        logprob=_logprob(token.get("logprob")),
        top=tuple(top),
        raw=_raw(token.get("bytes")),
    )


def _logprob(value: object) -> float:
    if not isinstance(value, (int, float)):
        return LEAST_LOGPROB
    return float(max(LEAST_LOGPROB, min(value, 0.0)))  # in this order, NaN becomes the least too


def _raw(value: object) -> bytes | None:
    if not isinstance(value, list):
        return None
    try:
        return bytes(value)
    except (TypeError, ValueError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
