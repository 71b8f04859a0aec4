"""Tells the remote model what placeholders are, where something was replaced: else it may guess, or leave them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hybridchat.messages import ChatMessage, Role

if TYPE_CHECKING:
    from hybridchat.privacy.redaction import RedactedMessages

EXPLANATION = (
    "Words that begin with HIDDEN_ (and 15-digit numbers, with 90009) stand for private values:"
    " where you need one, repeat it unchanged."
)


def explained(
    original: Sequence[ChatMessage], redacted: RedactedMessages
) -> tuple[tuple[ChatMessage, ...], RedactedMessages]:
    """Return both with the explanation at the end of the system message; as they are where nothing was replaced."""
    if not redacted.counts:
        return tuple(original), redacted
    if original[0].role is Role.SYSTEM:
        said = tuple(_with_explanation(messages) for messages in (original, redacted.messages))
        return said[0], replace(redacted, messages=said[1])
    before = ChatMessage(Role.SYSTEM, EXPLANATION)
    return (before, *original), replace(redacted, messages=(before, *redacted.messages), spans=((), *redacted.spans))


def _with_explanation(messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    system, *rest = messages
    return replace(system, content=f"{system.content}\n\n{EXPLANATION}"), *rest
