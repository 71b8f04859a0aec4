"""The tree that the messages of a conversation form, as SQL on one connection."""

from __future__ import annotations

import sqlite3
from typing import Any

from hybridchat.errors import InputMissing
from hybridchat.messages import Conversation, Message, Provenance, Role, Status
from hybridchat.store import rows
from hybridchat.store.identifiers import new_id


def conversation(connection: sqlite3.Connection, conversation_id: str) -> Conversation:
    """Return the conversation with exactly this id; raise ``InputMissing`` if there is none."""
    row = connection.execute(
        f"SELECT {rows.CONVERSATION} FROM conversation WHERE id = ?",  # noqa: S608 - our own columns
        (conversation_id,),
    ).fetchone()
    if row is None:
        raise InputMissing(
            f"There is no conversation {conversation_id}.", hint="See them with `hybridchat history list`."
        )
    return rows.to_conversation(row)


def message(connection: sqlite3.Connection, message_id: str) -> Message:
    """Return the message with exactly this id; raise ``InputMissing`` if there is none."""
    found = _messages(connection, "WHERE message.id = ?", (message_id,))
    if not found:
        raise InputMissing(
            f"There is no message {message_id}.", hint="Its conversation may have been deleted meanwhile."
        )
    return found[0]


def add(
    connection: sqlite3.Connection,
    conversation_id: str,
    parent_id: str | None,
    role: Role,
    content: str,
    *,
    status: Status = Status.COMPLETE,
    provenance: Provenance | None = None,
    session_id: str | None = None,
) -> Message:
    """Add a message below ``parent_id``, or a root where that is None.

    Raises ``InputMissing`` where the conversation or the parent in it does not exist.
    """
    conversation(connection, conversation_id)
    if parent_id is not None and message(connection, parent_id).conversation_id != conversation_id:
        raise InputMissing(
            f"Message {parent_id} belongs to another conversation.", hint="Answer a message of this conversation."
        )
    message_id = new_id()
    connection.execute(
        """
        INSERT INTO message
            (id, conversation_id, parent_id, role, content, created_at, status, provenance, session_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            message_id,
            conversation_id,
            parent_id,
            role,
            rows.clean(content),
            rows.now(),
            status,
            None if provenance is None else rows.as_json(provenance),
            session_id,
        ),
    )
    touch(connection, conversation_id)
    return message(connection, message_id)


def touch(connection: sqlite3.Connection, conversation_id: str) -> None:
    """Note that the conversation was written to now."""
    connection.execute("UPDATE conversation SET updated_at = ? WHERE id = ?", (rows.now(), conversation_id))


def set_head(connection: sqlite3.Connection, conversation_id: str, message_id: str) -> None:
    """Make ``message_id`` the leaf that the user stands on; raise ``InputMissing`` if it is not in the conversation."""
    if message(connection, message_id).conversation_id != conversation_id:
        raise InputMissing(
            f"Message {message_id} belongs to another conversation.", hint="Choose a message of this conversation."
        )
    connection.execute("UPDATE conversation SET head_id = ? WHERE id = ?", (message_id, conversation_id))


def path(connection: sqlite3.Connection, message_id: str) -> list[Message]:
    """Return the messages from the root down to ``message_id``."""
    found = connection.execute(
        f"""
        WITH RECURSIVE line (id, parent_id, distance) AS (
            SELECT id, parent_id, 0 FROM message WHERE id = ?
            UNION ALL
            SELECT above.id, above.parent_id, distance + 1 FROM message AS above JOIN line ON above.id = line.parent_id
        )
        SELECT {rows.MESSAGE} FROM line JOIN message ON message.id = line.id ORDER BY distance DESC
        """,  # noqa: S608 - our own columns
        (message_id,),
    ).fetchall()
    return [rows.to_message(row) for row in found] or [message(connection, message_id)]


def children(connection: sqlite3.Connection, message_id: str) -> list[Message]:
    """Return the messages right below ``message_id``, oldest first."""
    parent = message(connection, message_id)
    return _below(connection, parent.conversation_id, parent.id)


def siblings(connection: sqlite3.Connection, message_id: str) -> list[Message]:
    """Return the messages that share a parent with ``message_id``, itself among them, oldest first."""
    one = message(connection, message_id)
    return _below(connection, one.conversation_id, one.parent_id)


def whole(connection: sqlite3.Connection, conversation_id: str) -> list[Message]:
    """Return all messages of a conversation, oldest first, so that each comes after its parent."""
    conversation(connection, conversation_id)
    return _messages(connection, "WHERE message.conversation_id = ? ORDER BY message.number", (conversation_id,))


def _below(connection: sqlite3.Connection, conversation_id: str, parent_id: str | None) -> list[Message]:
    return _messages(
        connection,
        "WHERE message.conversation_id = ? AND message.parent_id IS ? ORDER BY message.number",
        (conversation_id, parent_id),
    )


def _messages(connection: sqlite3.Connection, condition: str, values: tuple[Any, ...]) -> list[Message]:
    found = connection.execute(f"SELECT {rows.MESSAGE} FROM message {condition}", values)  # noqa: S608 - our own SQL
    return [rows.to_message(row) for row in found]
