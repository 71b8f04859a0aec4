"""Lets one turn at a time answer in a conversation, whatever process it runs in."""

from __future__ import annotations

import sqlite3

from hybridchat.store.connection import Worker, transaction
from hybridchat.store.sessions import Session


class Turns:
    """The turns that run. A turn of a process that has ended holds nothing any more."""

    def __init__(self, writer: Worker, session: Session) -> None:
        self._writer = writer
        self._session = session

    async def claim(self, conversation_id: str, holder: str) -> bool:
        """Let ``holder`` answer in the conversation; False while another turn does.

        Where the conversation is not kept, nobody else can know of it, and the claim holds.
        """

        def claim(connection: sqlite3.Connection) -> bool:
            with transaction(connection, durable=False):  # a lock need not outlive a power cut
                return claim_inside(connection)

        def claim_inside(connection: sqlite3.Connection) -> bool:
            found = connection.execute(
                "SELECT holder, session_id FROM turn WHERE conversation_id = ?", (conversation_id,)
            ).fetchone()
            if found is not None and found[0] != holder and not self._session.is_gone(found[1]):
                return False
            self._session.register()
            connection.execute(
                """
                INSERT OR REPLACE INTO turn (conversation_id, holder, session_id)
                SELECT id, ?, ? FROM conversation WHERE id = ?
                """,
                (holder, self._session.id, conversation_id),
            )
            return True

        return await self._writer.run(claim)

    async def release(self, holder: str) -> None:
        """Let the next turn begin; releasing what is not held changes nothing."""

        def release(connection: sqlite3.Connection) -> None:
            with transaction(connection, durable=False):
                connection.execute("DELETE FROM turn WHERE holder = ?", (holder,))

        await self._writer.run(release)
