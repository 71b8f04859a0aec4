"""``hybridchat budget``: what may be spent on the remote model, and what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hybridchat.messages import Spent
    from hybridchat.routing.budget import Budget


def budget(*, as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False) -> None:
    """Show what the remote model took this month, and what is left of the limits that you set."""
    from hybridchat.cli.listing import show_records, show_text  # noqa: PLC0415 -- `--help` prints no list
    from hybridchat.routing.budget import next_month  # noqa: PLC0415 -- `--help` reckons nothing

    found = _read()
    if as_json:
        show_records([_as_object(found)], (), as_json=True, empty="")
        return
    show_text(f"this month: {_spent(found.month)}")
    for allowance in found.of_month:
        show_text(f"  {allowance} ({allowance.share:.0%})")
    if found.of_month:
        until = next_month(found.now)
        pace = "ahead of the calendar: fewer escalations" if found.ahead else "within the calendar"
        show_text(f"  {pace}; it begins anew on {until.day} {until:%B} (UTC)")
    else:
        show_text("  no limit: `hybridchat config set budget.month_dollars 5` sets one")
    for unit in ("dollars", "calls", "tokens"):
        limit = getattr(found.limits, f"conversation_{unit}")
        if limit is not None:
            show_text(f"each conversation: at most {_shown(unit, limit)}")


def _read() -> Budget:
    from hybridchat.cli.history import in_store  # noqa: PLC0415 -- `--help` opens no store
    from hybridchat.config.loading import load  # noqa: PLC0415 -- the same
    from hybridchat.engine.budget_gate import BudgetGate  # noqa: PLC0415 -- the same

    limits = load().settings.budget
    return in_store(lambda store: BudgetGate(store.spending, limits, "").look())


def _spent(spent: Spent) -> str:
    from hybridchat.phrases import counted  # noqa: PLC0415 -- `--help` counts nothing

    return f"{counted(spent.calls, 'call')}, {spent.tokens:,} tokens, {_shown('dollars', spent.dollars or 0.0)}"


def _shown(unit: str, amount: float) -> str:
    from hybridchat.routing.budget import shown  # noqa: PLC0415 -- the same

    return shown(unit, amount)


def _as_object(found: Budget) -> dict[str, Any]:
    from hybridchat.routing.budget import next_month  # noqa: PLC0415 -- the same

    return {
        "month": found.month,
        "limits": found.limits,
        "ahead": found.ahead,
        "used_up": found.used_up,
        "until": next_month(found.now),
    }
