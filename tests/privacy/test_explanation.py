from __future__ import annotations

from hybridchat.messages import ChatMessage, Role
from hybridchat.privacy.explanation import EXPLANATION, explained
from hybridchat.privacy.redaction import Redactor

QUESTION = ChatMessage(Role.USER, "Write to ada@example.org.")


def test_where_something_was_replaced_the_remote_model_is_told_what_placeholders_are() -> None:
    redacted = Redactor().redact_messages([QUESTION])
    original, told = explained([QUESTION], redacted)
    assert original == (ChatMessage(Role.SYSTEM, EXPLANATION), QUESTION)
    assert told.messages[0] == original[0]
    assert told.spans == ((), *redacted.spans)
    assert told.counts == redacted.counts


def test_it_is_told_at_the_end_of_the_system_message_where_there_is_one() -> None:
    messages = [ChatMessage(Role.SYSTEM, "You work for eve@example.org."), QUESTION]
    redacted = Redactor().redact_messages(messages)
    original, told = explained(messages, redacted)
    assert original[0].content == f"You work for eve@example.org.\n\n{EXPLANATION}"
    assert told.messages[0].content == f"{redacted.messages[0].content}\n\n{EXPLANATION}"
    assert told.messages[1:] == redacted.messages[1:]
    assert told.spans == redacted.spans


def test_where_nothing_was_replaced_nothing_is_told() -> None:
    messages = (ChatMessage(Role.USER, "What is 2 + 2?"),)
    redacted = Redactor().redact_messages(messages)
    assert explained(messages, redacted) == (messages, redacted)


def test_the_explanation_itself_is_no_placeholder() -> None:
    assert Redactor().redact(EXPLANATION).text == EXPLANATION
    assert Redactor().restore(EXPLANATION) == EXPLANATION
