"""Conversations to hand over: alternating questions and answers."""

from __future__ import annotations

from datetime import UTC, datetime

from hybridchat.messages import Message, Role


def path(*contents: str) -> list[Message]:
    messages: list[Message] = []
    for number, content in enumerate(contents):
        role = Role.ASSISTANT if number % 2 else Role.USER
        parent = messages[-1].id if messages else None
        messages.append(Message(f"m{number}", "c", parent, role, content, datetime(2026, 1, 1, tzinfo=UTC)))
    return messages
