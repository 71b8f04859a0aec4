"""What was written and not sent yet, one text for each conversation and one for the conversation to come."""

from __future__ import annotations

import sqlite3

from hybridchat.store import rows
from hybridchat.store.connection import Worker, transaction


class Drafts:
    """Unsent prompts by conversation; None stands for the conversation that its first question will begin.

    A draft goes with its conversation. It outlives the end of this process, however violent.
    """

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def get(self, conversation_id: str | None) -> str:
        """Return the draft; empty if there is none."""
        statement = "SELECT text FROM draft WHERE conversation_id IS ?"
        row = await self._reader.run(lambda connection: connection.execute(statement, (conversation_id,)).fetchone())
        return str(row[0]) if row else ""

    async def keep(self, conversation_id: str | None, text: str) -> None:
        """Keep ``text`` in place of the draft before; an empty one, or one for no conversation any more, is none."""

        def keep(connection: sqlite3.Connection) -> None:
            with transaction(connection, durable=False):
                connection.execute("DELETE FROM draft WHERE conversation_id IS ?", (conversation_id,))
                if text:
                    connection.execute(
                        "INSERT INTO draft (conversation_id, text, kept_at) SELECT ?1, ?2, ?3 "
                        "WHERE ?1 IS NULL OR EXISTS (SELECT 1 FROM conversation WHERE id = ?1)",
                        (conversation_id, rows.clean(text), rows.now()),
                    )

        await self._writer.run(keep)
