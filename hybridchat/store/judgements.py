"""How sure the policy was of each local answer, and what the user made of it: numbers, and no text."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from hybridchat.store.connection import Worker, transaction


@dataclass(frozen=True, slots=True)
class Judgement:
    """The policy's judgement of a finished local answer.

    ``score`` is the confidence before anything learned moved it; ``scored_by`` names the exact weights and the
    calibration that it came from. ``kept`` says that the answer stood. ``signal`` is what the user made of it, None
    while that is unknown.
    """

    model: str
    scored_by: str
    score: float
    kept: bool
    signal: str | None = None


class Judgements:
    """One judgement for each finished local answer; it goes with its message."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, message_id: str, judgement: Judgement) -> None:
        """Keep a judgement, in the place of an earlier one; one of a message that is gone goes nowhere."""
        one = judgement

        def add(connection: sqlite3.Connection) -> None:
            with transaction(connection, durable=False):
                connection.execute(
                    """
                    INSERT OR REPLACE INTO judgement (message_id, model, scored_by, score, kept)
                    SELECT id, ?, ?, ?, ? FROM message WHERE id = ?
                    """,
                    (one.model, one.scored_by, one.score, one.kept, message_id),
                )

        await self._writer.run(add)

    async def signal(self, message_id: str, signal: str | None, replacing: Collection[str] | None = None) -> bool:
        """Note what the user made of an answer, None to take it back; return whether it counts.

        It does not where the answer was never judged, or has a signal that is not among those ``replacing`` names (by
        default, any).
        """

        def note(connection: sqlite3.Connection) -> bool:
            with transaction(connection, durable=False):
                found = connection.execute(
                    "SELECT signal FROM judgement WHERE message_id = ?", (message_id,)
                ).fetchone()
                if found is None or not (found[0] is None or replacing is None or found[0] in replacing):
                    return False
                connection.execute(
                    """
                    UPDATE judgement SET signal = ?, number = (SELECT coalesce(max(number), 0) + 1 FROM judgement)
                    WHERE message_id = ?
                    """,
                    (signal, message_id),
                )
                return True

        return await self._writer.run(note)

    async def get(self, message_id: str) -> Judgement | None:
        """Return one answer's judgement."""
        found = await self._find("WHERE message_id = ?", (message_id,))
        return found[0] if found else None

    async def signalled(self, model: str, limit: int = 500) -> list[Judgement]:
        """Return the last judgements of ``model`` that have a signal, in the order in which the signals came."""
        last = await self._find("WHERE model = ? AND signal IS NOT NULL ORDER BY number DESC LIMIT ?", (model, limit))
        return last[::-1]

    async def models(self) -> list[str]:
        """Return the names of all models that were ever judged."""
        found = await self._reader.run(
            lambda connection: connection.execute("SELECT DISTINCT model FROM judgement ORDER BY model").fetchall()
        )
        return [name for (name,) in found]

    async def _find(self, condition: str, values: tuple[str | int, ...]) -> list[Judgement]:
        statement = f"SELECT model, scored_by, score, kept, signal FROM judgement {condition}"  # noqa: S608 - our own SQL
        found = await self._reader.run(lambda connection: connection.execute(statement, values).fetchall())
        return [Judgement(model, by, score, bool(kept), signal) for model, by, score, kept, signal in found]
