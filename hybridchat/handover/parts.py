"""What of a conversation a person may leave out before it is sent: earlier messages, attachments, instructions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeGuard

from hybridchat.context import estimate_tokens
from hybridchat.events import Part
from hybridchat.handover.attachments import Attachment, attachments, replaced
from hybridchat.messages import Message, Role
from hybridchat.text import one_line

SYSTEM = "system"
"""The part that is the system prompt."""

DRAFT = "draft"
"""The part that is the local model's own answer."""

_UNSAID = "(a message was left out here)"
_LEFT_OUT = "(data was attached here; the user left it out)"
_LABELS = {Role.USER: "you", Role.ASSISTANT: "the answer", Role.SYSTEM: "instructions"}
_WORDS_SHOWN = 48  # characters of a message in its label


def parts_of(path: Sequence[Message], left_out: Collection[str]) -> tuple[Part, ...]:
    """Return what can be left out of ``path``: all messages but the question that ends it, and all attachments."""
    return tuple(
        part
        for message in path
        for part in (
            *([] if message is path[-1] or not message.content.strip() else [_message(message, left_out)]),
            *(
                Part(
                    _id(message, number),
                    f"attached: {found.label}",
                    estimate_tokens(found.data),
                    _id(message, number) in left_out,
                )
                for number, found in enumerate(attachments(message.content))
            ),
        )
    )


def without_parts(path: Sequence[Message], left_out: Collection[str]) -> list[Message]:
    """Return ``path`` without the messages and attachments whose parts are in ``left_out``.

    A question that is left out before its answer leaves a word in its place: many chat templates refuse an answer
    to nothing.
    """
    kept = []
    for message, after in zip(path, [*path[1:], None], strict=True):
        if message.id not in left_out:
            kept.append(_without_attachments(message, left_out))
        elif message.role is Role.USER and _is_answer(after) and after.id not in left_out:
            kept.append(replace(message, content=_UNSAID))
    return kept


def _is_answer(message: Message | None) -> TypeGuard[Message]:
    return message is not None and message.role is Role.ASSISTANT


def _message(message: Message, left_out: Collection[str]) -> Part:
    words = one_line(message.content, _WORDS_SHOWN)
    return Part(
        message.id, f"{_LABELS[message.role]}: {words}", estimate_tokens(message.content), message.id in left_out
    )


def _without_attachments(message: Message, left_out: Collection[str]) -> Message:
    def instead(number: int, _attachment: Attachment) -> str | None:
        return _LEFT_OUT if _id(message, number) in left_out else None

    return replace(message, content=replaced(message.content, instead))


def _id(message: Message, number: int) -> str:
    return f"{message.id}#{number + 1}"
