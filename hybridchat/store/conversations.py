"""Conversations and their messages, as the rest of the program uses them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

from hybridchat.errors import InputMissing
from hybridchat.messages import Conversation, DataPolicy, Message, Provenance, Role, Status, TokenLogprob
from hybridchat.store import journal, rows, tree
from hybridchat.store.connection import Worker, transaction
from hybridchat.store.identifiers import as_typed, new_id
from hybridchat.store.sessions import Session

# Inside the class, `list` is one of its methods.
_Conversations: TypeAlias = list[Conversation]
_Messages: TypeAlias = list[Message]
_Logprobs: TypeAlias = list[tuple[str, float]]


class Conversations:
    """All conversations that are kept.

    Every method raises ``InputMissing`` for a conversation or message that is not there, ``CannotWrite`` where the
    disk does not take a change, and ``InputError`` where the file is damaged. What a method changed is on the disk
    when it returns, except in ``journal``.
    """

    def __init__(self, writer: Worker, reader: Worker, session: Session) -> None:
        self._writer = writer
        self._reader = reader
        self._session = session
        self._journal = journal.Journal(writer)

    async def create(self, title: str, data_policy: DataPolicy | None = None) -> Conversation:
        """Begin a conversation."""

        def create(connection: sqlite3.Connection) -> Conversation:
            conversation_id, now = new_id(), rows.now()
            connection.execute(
                "INSERT INTO conversation (id, title, created_at, updated_at, data_policy) VALUES (?, ?, ?, ?, ?)",
                (conversation_id, rows.clean(title), now, now, data_policy),
            )
            return tree.conversation(connection, conversation_id)

        return await self._writer.write(create)

    async def get(self, id_or_prefix: str) -> Conversation:
        """Return the conversation whose id is, or alone begins with, what was typed."""
        return await self._reader.run(lambda connection: _named(connection, id_or_prefix))

    async def latest(self) -> Conversation | None:
        """Return the conversation that was last written to, None if there is none."""
        newest = await self.list(limit=1)
        return newest[0] if newest else None

    async def list(self, limit: int = 50, offset: int = 0) -> _Conversations:
        """Return conversations, the one last written to first."""
        statement = (
            f"SELECT {rows.CONVERSATION} FROM conversation"  # noqa: S608 - our own columns
            " ORDER BY updated_at DESC, number DESC LIMIT ? OFFSET ?"
        )
        found = await self._reader.run(lambda connection: connection.execute(statement, (limit, offset)).fetchall())
        return [rows.to_conversation(row) for row in found]

    async def newest(self, role: Role, limit: int) -> _Messages:
        """Return the messages of ``role`` that were written last in any conversation, the newest first."""
        statement = f"SELECT {rows.MESSAGE} FROM message WHERE role = ? ORDER BY number DESC LIMIT ?"  # noqa: S608 - our own columns
        found = await self._reader.run(lambda connection: connection.execute(statement, (role, limit)).fetchall())
        return [rows.to_message(row) for row in found]

    async def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title."""
        return await self._change(conversation_id, "UPDATE conversation SET title = ? WHERE id = ?", rows.clean(title))

    async def set_data_policy(self, conversation_id: str, data_policy: DataPolicy | None) -> Conversation:
        """Set what may leave the machine out of this conversation; None leaves it to the other settings."""
        return await self._change(conversation_id, "UPDATE conversation SET data_policy = ? WHERE id = ?", data_policy)

    async def agree_to_remote(self, conversation_id: str) -> Conversation:
        """Keep that the user wants no more questions, in this conversation, before something leaves."""
        return await self._change(conversation_id, "UPDATE conversation SET remote_agreed = ? WHERE id = ?", 1)

    async def delete(self, conversation_id: str) -> None:
        """Delete a conversation so that no trace of its text is left in the database's files.

        The ledger keeps its rows, which hold no text of the conversation. Backups that a migration made keep theirs.
        """

        def delete(connection: sqlite3.Connection) -> None:
            with transaction(connection, durable=True):
                tree.conversation(connection, conversation_id)
                connection.execute("DELETE FROM conversation WHERE id = ?", (conversation_id,))
                # FTS5 only marks words as deleted; merging its segments removes them.
                connection.execute("INSERT INTO title_index (title_index) VALUES ('optimize')")
                connection.execute("INSERT INTO content_index (content_index) VALUES ('optimize')")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the write-ahead log holds the old pages

        await self._writer.run(delete)

    async def add_system_message(self, conversation_id: str, content: str) -> Message:
        """Add a system message as a root and stand on it."""
        return await self._add(conversation_id, None, Role.SYSTEM, content)

    async def add_user_message(self, conversation_id: str, parent_id: str | None, content: str) -> Message:
        """Add what the user said below ``parent_id`` (None: as a root) and stand on it."""
        return await self._add(conversation_id, parent_id, Role.USER, content)

    async def begin_answer(self, conversation_id: str, parent_id: str | None, provenance: Provenance) -> Message:
        """Add an empty answer that is being written; ``journal`` fills it and ``finish_answer`` ends it."""

        def begin(connection: sqlite3.Connection) -> Message:
            self._session.register()
            return tree.add(
                connection,
                conversation_id,
                parent_id,
                Role.ASSISTANT,
                "",
                status=Status.STREAMING,
                provenance=provenance,
                session_id=self._session.id,
            )

        return await self._writer.write(begin)

    def journal(self, message_id: str, text: str, logprobs: Sequence[TokenLogprob] = ()) -> None:
        """Append a piece to an answer.

        Cheap: it only joins a buffer that is committed every ``journal.INTERVAL`` seconds, so that it outlives this
        process. If the disk does not take it, it stays in the buffer and ``finish_answer`` tells.
        """
        self._journal.append(message_id, text, logprobs)

    async def flush(self) -> None:
        """Commit what was journalled so far."""
        await self._journal.flush()

    async def finish_answer(self, message_id: str, status: Status, provenance: Provenance) -> Message:
        """End an answer and stand on it, unless it was set aside.

        May be called again, e.g. when an answer that was set aside is taken up again after all. If it fails,
        nothing is lost: the text stays in the buffer and it may be tried again.
        """

        def finish(connection: sqlite3.Connection) -> Message:
            with transaction(connection, durable=True):
                count = self._journal.write(connection, message_id)
                journal.fold(connection, message_id)
                connection.execute(
                    "UPDATE message SET status = ?, provenance = ? WHERE id = ?",
                    (status, rows.as_json(provenance), message_id),
                )
                message = tree.message(connection, message_id)
                tree.touch(connection, message.conversation_id)
                if status is not Status.SET_ASIDE:
                    tree.set_head(connection, message.conversation_id, message_id)
            self._journal.drop(message_id, count)
            return message

        message = await self._writer.run(finish)
        self._journal.forget(message_id)
        return message

    async def describe(self, message_id: str, provenance: Provenance) -> None:
        """Keep another provenance with an answer that has ended; where the user stands does not change."""

        def describe(connection: sqlite3.Connection) -> None:
            with transaction(connection, durable=False):
                tree.message(connection, message_id)
                connection.execute(
                    "UPDATE message SET provenance = ? WHERE id = ?", (rows.as_json(provenance), message_id)
                )

        await self._writer.run(describe)

    async def recover(self) -> _Messages:
        """Turn the answers of processes that died into partial ones and return them; ``Store.open`` does so too."""

        def recover(connection: sqlite3.Connection) -> _Messages:
            return [tree.message(connection, found) for found in journal.recover(connection, self._session.is_gone)]

        return await self._writer.run(recover)

    async def message(self, message_id: str) -> Message:
        """Return one message."""
        return await self._reader.run(lambda connection: tree.message(connection, message_id))

    async def path(self, message_id: str) -> _Messages:
        """Return the messages from the root down to ``message_id``."""
        return await self._reader.run(lambda connection: tree.path(connection, message_id))

    async def children(self, message_id: str) -> _Messages:
        """Return the messages right below ``message_id``, oldest first."""
        return await self._reader.run(lambda connection: tree.children(connection, message_id))

    async def siblings(self, message_id: str) -> _Messages:
        """Return the messages that share a parent with ``message_id``, itself among them, oldest first."""
        return await self._reader.run(lambda connection: tree.siblings(connection, message_id))

    async def tree(self, conversation_id: str) -> _Messages:
        """Return all messages of a conversation, each after its parent."""
        return await self._reader.run(lambda connection: tree.whole(connection, conversation_id))

    async def set_head(self, conversation_id: str, message_id: str) -> None:
        """Stand on another message of the conversation."""
        await self._writer.write(lambda connection: tree.set_head(connection, conversation_id, message_id))

    async def logprobs(self, message_id: str) -> _Logprobs:
        """Return the chosen tokens of an answer with their logprobs, as the model gave them.

        A token's offset is the length of those before it. Where the answer was cleaned on its way (terminal escapes,
        NUL), the tokens joined differ from its content by just that. Logprobs have the precision of 32 bits.
        """

        def read(connection: sqlite3.Connection) -> _Logprobs:
            tree.message(connection, message_id)
            packed = connection.execute(
                """
                SELECT logprobs FROM (SELECT 0 AS sequence, logprobs FROM message WHERE id = :id
                UNION ALL SELECT sequence, logprobs FROM journal WHERE message_id = :id) ORDER BY sequence
                """,
                {"id": message_id},
            )
            return [pair for (part,) in packed.fetchall() for pair in journal.unpack(part)]

        return await self._reader.run(read)

    async def stop_writing(self) -> None:
        """Commit what is still in the buffer and leave answers that were not finished as partial ones."""
        self._journal.stop()

        def stop(connection: sqlite3.Connection) -> None:
            self._journal.commit(connection)
            journal.recover(connection, lambda session_id: session_id == self._session.id)

        await self._writer.run(stop)

    async def _add(self, conversation_id: str, parent_id: str | None, role: Role, content: str) -> Message:
        def add(connection: sqlite3.Connection) -> Message:
            message = tree.add(connection, conversation_id, parent_id, role, content)
            tree.set_head(connection, conversation_id, message.id)
            return message

        return await self._writer.write(add)

    async def _change(self, conversation_id: str, statement: str, value: str | int | None) -> Conversation:
        def change(connection: sqlite3.Connection) -> Conversation:
            connection.execute(statement, (value, conversation_id))
            return tree.conversation(connection, conversation_id)

        return await self._writer.write(change)


def _named(connection: sqlite3.Connection, text: str) -> Conversation:
    prefix = as_typed(text)
    found = connection.execute(
        f"SELECT {rows.CONVERSATION} FROM conversation WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",  # noqa: S608 - our own columns
        (prefix, prefix + "~"),
    ).fetchall()
    if not prefix or not found:
        raise InputMissing(
            f"There is no conversation {rows.clean(text)!r}.", hint="See them with `hybridchat history list`."
        )
    if len(found) > 1:
        raise InputMissing(
            f"More than one conversation begins with {prefix!r}.",
            hint=f"Type more of it, e.g. {found[0][0]} or {found[1][0]}.",
        )
    return rows.to_conversation(found[0])
