"""Keeps an answer while it streams, so that a process that dies loses a few tenths of a second of it.

Pieces gather in memory and are committed together every ``INTERVAL``. The buffer is filled on the event loop and
emptied on the writer thread, always after the commit, so a failed commit loses nothing: the next one tries again.
"""

from __future__ import annotations

import asyncio
import sqlite3
import struct
from collections.abc import Callable, Iterable, Sequence

import msgspec

from hybridchat.messages import Status, TokenLogprob
from hybridchat.store import rows
from hybridchat.store.connection import Worker, transaction

INTERVAL = 0.3  # seconds between two commits of a running answer

_Piece = tuple[str, Sequence[TokenLogprob]]
_LARGEST = 3.4028234663852886e38  # of 32-bit floats


class Journal:
    """The answers that this process is writing."""

    def __init__(self, writer: Worker) -> None:
        self._writer = writer
        self._pieces: dict[str, list[_Piece]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def append(self, message_id: str, text: str, logprobs: Sequence[TokenLogprob]) -> None:
        """Take a piece of an answer; it is committed within ``INTERVAL``. Must be called on the event loop."""
        self._pieces.setdefault(message_id, []).append((text, logprobs))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._commit_later)

    async def flush(self) -> None:
        """Commit what was taken so far."""
        await self._writer.run(self.commit)

    def stop(self) -> None:
        """Commit nothing more by itself."""
        if self._timer is not None:
            self._timer.cancel()

    def commit(self, connection: sqlite3.Connection) -> None:
        """Commit what was taken so far; runs on the writer thread."""
        if not any(self._pieces.values()):
            return
        with transaction(connection, durable=False):
            written = [(message_id, self.write(connection, message_id)) for message_id in list(self._pieces)]
        for message_id, count in written:
            self.drop(message_id, count)

    def write(self, connection: sqlite3.Connection, message_id: str) -> int:
        """Write the pieces of one answer inside a transaction and return how many; the buffer keeps them.

        Pieces of an answer that was deleted meanwhile go nowhere.
        """
        pieces = list(self._pieces.get(message_id, ()))
        if pieces:
            tokens = [(token.token, token.logprob) for _, logprobs in pieces for token in logprobs]
            connection.execute(
                """
                INSERT INTO journal (message_id, sequence, text, logprobs)
                SELECT id, (SELECT coalesce(max(sequence), 0) + 1 FROM journal WHERE message_id = id), ?, ?
                FROM message WHERE id = ?
                """,
                (rows.clean("".join(text for text, _ in pieces)), pack(tokens), message_id),
            )
        return len(pieces)

    def drop(self, message_id: str, count: int) -> None:
        """Drop the first ``count`` pieces of an answer from the buffer, now that they are committed."""
        del self._pieces.get(message_id, [])[:count]

    def forget(self, message_id: str) -> None:
        """Drop the empty buffer of an answer that is done. Must be called on the event loop."""
        if not self._pieces.get(message_id):
            self._pieces.pop(message_id, None)

    def _commit_later(self) -> None:
        self._timer = None
        self._writer.submit(self.commit)  # a failure shows when the answer is finished, and is tried again until then


def fold(connection: sqlite3.Connection, message_id: str) -> None:
    """Move what was journalled into the message itself."""
    pieces = connection.execute(
        "SELECT text, logprobs FROM journal WHERE message_id = ? ORDER BY sequence", (message_id,)
    ).fetchall()
    if not pieces:
        return
    kept = connection.execute("SELECT logprobs FROM message WHERE id = ?", (message_id,)).fetchone()
    tokens = [pair for packed in (kept[0], *(logprobs for _, logprobs in pieces)) for pair in unpack(packed)]
    connection.execute(
        "UPDATE message SET content = content || ?, logprobs = ? WHERE id = ?",
        ("".join(text for text, _ in pieces), pack(tokens), message_id),
    )
    connection.execute("DELETE FROM journal WHERE message_id = ?", (message_id,))


def recover(connection: sqlite3.Connection, is_gone: Callable[[str], bool]) -> list[str]:
    """Turn the answers of processes that are gone into partial ones and return their ids.

    A recovered answer with text becomes the conversation's head if the user stood on its parent or beside it.
    ``is_gone`` tells by a session's id whether its process has ended, and is called inside the transaction.
    """
    streaming = "SELECT id, conversation_id, parent_id, session_id FROM message WHERE status = 'streaming'"
    if connection.execute(streaming).fetchone() is None:
        return []
    with transaction(connection, durable=True):
        answers = connection.execute(f"{streaming} ORDER BY number").fetchall()
        gone = {session_id for session_id in {answer[3] for answer in answers} if is_gone(session_id)}
        left = [answer for answer in answers if answer[3] in gone]
        for message_id, conversation_id, parent_id, _ in left:
            fold(connection, message_id)
            connection.execute("UPDATE message SET status = ? WHERE id = ?", (Status.PARTIAL, message_id))
            connection.execute(
                """
                UPDATE conversation SET head_id = :message
                WHERE id = :conversation AND (head_id IS :parent OR head_id IN
                    (SELECT id FROM message WHERE conversation_id = :conversation AND parent_id IS :parent))
                AND EXISTS (SELECT 1 FROM message WHERE id = :message AND content <> '')
                """,
                {"message": message_id, "conversation": conversation_id, "parent": parent_id},
            )
    return [message_id for message_id, *_ in left]


def pack(tokens: Sequence[tuple[str, float]]) -> bytes | None:
    """Return tokens and their logprobs compactly: MessagePack of the texts, and of 32-bit little-endian floats."""
    if not tokens:
        return None
    values = (max(min(logprob, _LARGEST), -_LARGEST) for _, logprob in tokens)
    return msgspec.msgpack.encode(
        ([rows.clean(token) for token, _ in tokens], struct.pack(f"<{len(tokens)}f", *values))
    )


def unpack(packed: bytes | None) -> Iterable[tuple[str, float]]:
    """Return what was given to ``pack``."""
    if packed is None:
        return ()
    texts, values = msgspec.msgpack.decode(packed, type=tuple[list[str], bytes])
    return zip(texts, struct.unpack(f"<{len(texts)}f", values), strict=True)
