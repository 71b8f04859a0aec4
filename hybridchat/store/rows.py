"""How values stand in the database: text, times, JSON, and rows as the objects that they keep."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from hybridchat.messages import Conversation, DataPolicy, Message, Provenance, Role, Status

# UTF-8 cannot hold a lone surrogate, and SQLite's own functions take NUL for the end of a text.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

CONVERSATION = ", ".join(
    f"conversation.{column}"
    for column in ("id", "title", "created_at", "updated_at", "head_id", "data_policy", "remote_agreed")
)
MESSAGE = """
    message.id, message.conversation_id, message.parent_id, message.role,
    CASE message.status WHEN 'streaming' THEN message.content || coalesce(
        (SELECT group_concat(text, '')
         FROM (SELECT text FROM journal WHERE message_id = message.id ORDER BY sequence)), '')
    ELSE message.content END,
    message.created_at, message.status, message.provenance
"""


def clean(text: str) -> str:
    """Return ``text`` with what cannot be stored (NUL, lone surrogates) replaced by U+FFFD."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def now() -> str:
    """Return the time in UTC as ISO 8601, always equally long, so that it sorts as text."""
    return written(datetime.now(UTC))


def written(time: datetime) -> str:
    """Return ``time`` as it stands in the database."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def as_json(value: object) -> str:
    """Return ``value`` (a dataclass, or plain data) as JSON that can be stored."""
    return msgspec.json.encode(_cleaned(msgspec.to_builtins(value))).decode()


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return value


def to_provenance(text: str | None) -> Provenance | None:
    """Return the provenance kept in ``text``; None where there is none, or none that can be read.

    An unreadable provenance must not keep a conversation from being opened.
    """
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Provenance)
    except msgspec.MsgspecError:
        return None


def to_message(row: tuple[Any, ...]) -> Message:
    """Return the message in a row of the ``MESSAGE`` columns."""
    id_, conversation_id, parent_id, role, content, created_at, status, provenance = row
    return Message(
        id=id_,
        conversation_id=conversation_id,
        parent_id=parent_id,
        role=Role(role),
        content=content,
        created_at=datetime.fromisoformat(created_at),
        status=Status(status),
        provenance=to_provenance(provenance),
    )


def to_conversation(row: tuple[Any, ...]) -> Conversation:
    """Return the conversation in a row of the ``CONVERSATION`` columns."""
    id_, title, created_at, updated_at, head_id, data_policy, remote_agreed = row
    return Conversation(
        id=id_,
        title=title,
        created_at=datetime.fromisoformat(created_at),
        updated_at=datetime.fromisoformat(updated_at),
        head_id=head_id,
        data_policy=None if data_policy is None else DataPolicy(data_policy),
        remote_agreed=bool(remote_agreed),
    )
