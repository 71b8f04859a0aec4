"""What calls of the remote model took, kept so that a budget holds however many processes spend from it at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from hybridchat.messages import Spent
from hybridchat.store import rows
from hybridchat.store.connection import Worker

Permit = Callable[[Spent, Spent], None]
"""Is given what was spent since the budget began and what in the conversation; raises where that is too much."""

_SUM = "SELECT count(*), coalesce(sum(tokens), 0), coalesce(sum(dollars), 0.0) FROM spending"


class Spending:
    """Reserves before a call, settles after it.

    What is reserved counts as spent until it is settled or released: a process that dies in between leaves its
    reservation behind, since nobody knows what the server did with the request. Whatever is dated later than now counts
    too, so that a clock that is set back buys nothing.
    """

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def reserve(self, conversation_id: str, since: datetime, amount: Spent, permit: Permit) -> int:
        """Reserve ``amount`` if ``permit`` lets it pass, and return the reservation's number.

        Both happen in one transaction, so that no other process comes between. Raises what ``permit`` raises;
        nothing is reserved then.
        """

        def reserve(connection: sqlite3.Connection) -> int:
            permit(_since(connection, since), _of(connection, conversation_id))
            cursor = connection.execute(
                "INSERT INTO spending (time, conversation_id, tokens, dollars) VALUES (?, ?, ?, ?)",
                (rows.now(), conversation_id, amount.tokens, amount.dollars),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

        return await self._writer.write(reserve)

    async def settle(self, number: int, amount: Spent) -> None:
        """Put what a call really took in the place of its reservation; what is settled stays as it is."""
        statement = "UPDATE spending SET tokens = ?, dollars = ?, settled = 1 WHERE number = ? AND settled = 0"
        await self._writer.write(
            lambda connection: connection.execute(statement, (amount.tokens, amount.dollars, number))
        )

    async def release(self, number: int) -> None:
        """Give back what was reserved for a call that never happened."""
        statement = "DELETE FROM spending WHERE number = ? AND settled = 0"
        await self._writer.write(lambda connection: connection.execute(statement, (number,)))

    async def since(self, begin: datetime) -> Spent:
        """Return what was spent or is reserved since ``begin``."""
        return await self._reader.run(lambda connection: _since(connection, begin))

    async def of(self, conversation_id: str) -> Spent:
        """Return what was spent or is reserved in one conversation, ever."""
        return await self._reader.run(lambda connection: _of(connection, conversation_id))


def _since(connection: sqlite3.Connection, begin: datetime) -> Spent:
    statement = f"{_SUM} WHERE time >= ?"
    return Spent(*connection.execute(statement, (rows.written(begin),)).fetchone())


def _of(connection: sqlite3.Connection, conversation_id: str) -> Spent:
    statement = f"{_SUM} WHERE conversation_id = ?"
    return Spent(*connection.execute(statement, (conversation_id,)).fetchone())
