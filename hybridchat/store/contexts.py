"""What a conversation's context was made of: summaries, where its prompt is cut, and words that are to stay here."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from hybridchat.store import rows
from hybridchat.store.connection import Worker


@dataclass(frozen=True, slots=True)
class Summary:
    """What ``model`` made of all messages from the root down to ``message_id``."""

    message_id: str
    text: str
    model: str


@dataclass(frozen=True, slots=True)
class Cut:
    """The local model is not given the messages down to ``message_id``, but ``summary``; None stands for nothing."""

    message_id: str
    summary: str | None = None


class Contexts:
    """Summaries and cuts stand at messages, so that each branch has its own; all of it goes with the conversation."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def summary(self, path: Sequence[str]) -> Summary | None:
        """Return the summary that covers most of ``path``, message ids from a root downwards."""

        def find(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
            found: list[tuple[str, str, str]] = []
            for start in range(0, len(path), 500):  # SQLite bounds how many values a statement takes
                ids = path[start : start + 500]
                marks = ", ".join("?" * len(ids))
                statement = f"SELECT message_id, text, model FROM summary WHERE message_id IN ({marks})"  # noqa: S608 - our own SQL
                found += connection.execute(statement, ids).fetchall()
            return found

        places = {message_id: place for place, message_id in enumerate(path)}
        found = max(await self._reader.run(find), key=lambda row: places[row[0]], default=None)
        return None if found is None else Summary(*found)

    async def keep_summary(self, summary: Summary) -> None:
        """Keep a summary; one of a message that is gone goes nowhere."""

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO summary (message_id, text, model) SELECT id, ?, ? FROM message WHERE id = ?",
                (rows.clean(summary.text), rows.clean(summary.model), summary.message_id),
            )

        await self._writer.write(keep)

    async def cuts(self, conversation_id: str) -> list[Cut]:
        """Return a conversation's cuts in all its branches, in the order in which they were made."""
        statement = """
            SELECT cut.message_id, CASE cut.form WHEN 'condense' THEN summary.text END
            FROM cut JOIN message ON message.id = cut.message_id
            LEFT JOIN summary ON summary.message_id = cut.message_id
            WHERE message.conversation_id = ? ORDER BY cut.number
        """
        found = await self._reader.run(lambda connection: connection.execute(statement, (conversation_id,)).fetchall())
        return [Cut(*row) for row in found]

    async def keep_cut(self, message_id: str, *, condensed: bool) -> None:
        """Cut off everything down to a message: its summary, which is kept, stands for it, or nothing does."""

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute(
                """
                INSERT OR REPLACE INTO cut (message_id, number, form)
                SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM cut), ? FROM message WHERE id = ?
                """,
                ("condense" if condensed else "trim", message_id),
            )

        await self._writer.write(keep)

    async def drop_cut(self, message_id: str) -> None:
        """Forget the cut at a message; the one before it holds again."""

        def drop(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM cut WHERE message_id = ?", (message_id,))

        await self._writer.write(drop)

    async def private_words(self, conversation_id: str) -> list[str]:
        """Return the words that are to stay here when something of this conversation leaves."""
        statement = "SELECT word FROM private_word WHERE conversation_id = ? ORDER BY word"
        found = await self._reader.run(lambda connection: connection.execute(statement, (conversation_id,)).fetchall())
        return [word for (word,) in found]

    async def add_private_words(self, conversation_id: str, words: Sequence[str]) -> None:
        """Keep words for a conversation; those of one that is gone go nowhere."""

        def add(connection: sqlite3.Connection) -> None:
            connection.executemany(
                """
                INSERT OR IGNORE INTO private_word (conversation_id, word) SELECT id, ? FROM conversation WHERE id = ?
                """,
                [(rows.clean(word), conversation_id) for word in words],
            )

        await self._writer.write(add)
