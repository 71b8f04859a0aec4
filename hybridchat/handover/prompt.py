"""A conversation as the messages that a model is given."""

from __future__ import annotations

from collections.abc import Sequence

from hybridchat.messages import ChatMessage, Message, Role


def verbatim(path: Sequence[Message], system: str = "") -> tuple[ChatMessage, ...]:
    """Return the conversation as it stands, from its root to the question, with the system prompt before it.

    Empty messages (an answer that failed before its first token) are left out, and neighbours of the same role are
    joined: many chat templates refuse two messages of one role in a row.
    """
    messages = [ChatMessage(Role.SYSTEM, system)] if system else []
    for message in path:
        if not message.content.strip():
            continue
        if messages and messages[-1].role is message.role:
            messages[-1] = ChatMessage(message.role, f"{messages[-1].content}\n\n{message.content}")
        else:
            messages.append(ChatMessage(message.role, message.content))
    return tuple(messages)
