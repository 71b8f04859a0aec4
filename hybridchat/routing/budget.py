"""What may be spent on the remote model: a hard limit for the month and for a conversation, and how fast.

The limit binds every call, before it is made, at the most that the call may take. How fast only concerns calls that
nobody asked for: the further spending is ahead of the calendar, the dearer they get (``worth.paced``).

Months are those of the calendar in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hybridchat.config.settings import BudgetSettings
from hybridchat.messages import Spent

HEAD_START = 0.05
"""The share of a month's budget that may be spent before the calendar counts: a first day is no reason to wait."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit: ``used`` of ``limit`` in ``unit`` (``dollars``, ``calls`` or ``tokens``)."""

    unit: str
    limit: float
    used: float

    @property
    def share(self) -> float:
        """The used part; above 1 only by what a call took more than was reserved."""
        return self.used / self.limit if self.limit else 1.0

    @property
    def is_used_up(self) -> bool:
        """Whether not even the smallest call fits in."""
        return self.used >= self.limit

    def __str__(self) -> str:
        return f"{shown(self.unit, self.used)} of {shown(self.unit, self.limit)}"


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits, what was spent, and the time ``now``; ``month`` and ``conversation`` were spent in each."""

    limits: BudgetSettings
    month: Spent
    conversation: Spent
    now: datetime

    @property
    def of_month(self) -> list[Allowance]:
        """The month's limits that are set."""
        return list(_allowances(self.limits, "month", self.month))

    @property
    def of_conversation(self) -> list[Allowance]:
        """The conversation's limits that are set."""
        return list(_allowances(self.limits, "conversation", self.conversation))

    @property
    def is_set(self) -> bool:
        """Whether there is any limit."""
        return bool(self.of_month or self.of_conversation)

    @property
    def ahead(self) -> float:
        """How far the month's spending is ahead of the calendar, as a share of the budget; 0 where it is behind."""
        used = max((allowance.share for allowance in self.of_month), default=0.0)
        return max(0.0, used - max(HEAD_START, elapsed(self.now)))

    @property
    def used_up(self) -> str:
        """Which limit is used up, as a sentence; empty where none is."""
        for name, allowances in (("month", self.of_month), ("conversation", self.of_conversation)):
            for allowance in allowances:
                if allowance.is_used_up:
                    return f"the {name}'s budget is used up: {allowance}"
        return ""

    def refusal(self, call: Spent) -> str:
        """Return why a call that may take as much as ``call`` is not permitted; empty where it is."""
        if used_up := self.used_up:
            return used_up
        for name, allowances in (("month", self.of_month), ("conversation", self.of_conversation)):
            for allowance in allowances:
                amount = _amount(call, allowance.unit)
                if amount is None:
                    return f"the {name}'s budget is in dollars, and what this remote model costs is not known"
                if allowance.used + amount > allowance.limit:
                    return (
                        f"the {name}'s budget does not suffice: {allowance} are used, "
                        f"and this call may take {shown(allowance.unit, amount)}"
                    )
        return ""

    def way_out(self, reason: str) -> str:
        """Return what a user can do about a ``reason`` that was given."""
        if "not known" in reason:
            return (
                "Set remote.price_input and remote.price_output, or limit calls or tokens instead: "
                "`hybridchat config set budget.month_calls 100`."
            )
        if reason.startswith("the conversation"):
            return "Begin a new conversation, or raise the limit: `hybridchat budget` shows it."
        return (
            f"A new month begins on {_day(next_month(self.now))} (UTC); `hybridchat budget` shows the limits, and "
            "`hybridchat config set` raises them."
        )


def month_start(now: datetime) -> datetime:
    """Return when the month of ``now`` began."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(now: datetime) -> datetime:
    """Return when the month after that of ``now`` begins."""
    return month_start(month_start(now) + timedelta(days=32))


def elapsed(now: datetime) -> float:
    """Return the share of the month that is over, 0 to 1."""
    start, end = month_start(now), next_month(now)
    return (now.astimezone(UTC) - start) / (end - start)


def shown(unit: str, amount: float) -> str:
    """Return an amount for people."""
    if unit == "dollars":
        return f"${amount:,.2f}" if amount >= 0.01 or amount == 0 else f"${amount:.4f}"
    return f"{amount:,.0f} {unit.removesuffix('s') if amount == 1 else unit}"


def _allowances(limits: BudgetSettings, period: str, spent: Spent) -> Iterator[Allowance]:
    for unit in ("dollars", "calls", "tokens"):
        limit = getattr(limits, f"{period}_{unit}")
        if limit is not None:
            yield Allowance(unit, limit, _amount(spent, unit) or 0)


def _amount(spent: Spent, unit: str) -> float | None:
    amount: float | None = getattr(spent, unit)
    return amount


def _day(date: datetime) -> str:
    return f"{date.day} {date:%B}"
