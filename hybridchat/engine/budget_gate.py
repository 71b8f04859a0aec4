"""Lets calls of the remote model through as far as the budget goes: reserved before, settled after."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from hybridchat.config.settings import BudgetSettings
from hybridchat.errors import Blocked, HybridChatError
from hybridchat.messages import Spent
from hybridchat.routing.budget import Budget, month_start
from hybridchat.store.spending import Spending

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class BudgetGate:
    """The budget of one conversation; ``look`` comes first.

    What calls take is kept also where no limit is set, so that one that is set later knows of it.
    """

    def __init__(
        self,
        spending: Spending,
        limits: BudgetSettings,
        conversation_id: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._spending = spending
        self._limits = limits
        self._conversation_id = conversation_id
        self._clock = clock
        self.budget = Budget(limits, Spent(), Spent(), clock())

    async def look(self) -> Budget:
        """Read what was spent so far."""
        now = self._clock()
        month = await self._spending.since(month_start(now))
        self.budget = Budget(self._limits, month, await self._spending.of(self._conversation_id), now)
        return self.budget

    @property
    def used_up(self) -> str:
        """Which limit was used up when it was looked at, as a sentence; empty where none was."""
        return self.budget.used_up

    @property
    def way_out(self) -> str:
        """What the user can do about that."""
        return self.budget.way_out(self.used_up)

    async def reserve(self, call: Spent) -> int:
        """Reserve the most that a call may take, and return the reservation's number.

        Raises ``Blocked`` where it does not fit in, and ``CannotWrite`` where nothing can be kept.
        """
        now = self._clock()

        def permit(month: Spent, conversation: Spent) -> None:
            budget = self.budget = Budget(self._limits, month, conversation, now)
            if reason := budget.refusal(call):
                raise Blocked(reason, hint=budget.way_out(reason))

        return await self._spending.reserve(self._conversation_id, month_start(now), call, permit)

    async def settle(self, reservation: int, took: Spent | None) -> None:
        """Keep what the call took; None for nothing, since it never came about.

        Where that cannot be written, the reservation stands: too much is counted rather than too little.
        """
        try:
            if took is None:
                await self._spending.release(reservation)
            else:
                await self._spending.settle(reservation, took)
        except HybridChatError as error:
            _log.warning("a reservation was not settled: %s", error.message)
