from __future__ import annotations

from datetime import UTC, datetime

from hybridchat.handover import verbatim
from hybridchat.messages import ChatMessage, Message, Role


def message(role: Role, content: str) -> Message:
    return Message("id", "conversation", None, role, content, datetime(2026, 1, 1, tzinfo=UTC))


def test_the_conversation_goes_as_it_stands_with_the_system_prompt_first() -> None:
    path = [message(Role.USER, "hi"), message(Role.ASSISTANT, "hello"), message(Role.USER, "bye")]
    assert verbatim(path, "be brief") == (
        ChatMessage(Role.SYSTEM, "be brief"),
        ChatMessage(Role.USER, "hi"),
        ChatMessage(Role.ASSISTANT, "hello"),
        ChatMessage(Role.USER, "bye"),
    )


def test_an_answer_that_never_came_leaves_no_gap_and_no_two_questions_in_a_row() -> None:
    path = [message(Role.USER, "first"), message(Role.ASSISTANT, " "), message(Role.USER, "second")]
    assert verbatim(path) == (ChatMessage(Role.USER, "first\n\nsecond"),)
