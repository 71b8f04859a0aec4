"""Where spending is kept: with everything else, and where nothing is to be kept, by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridchat.config.settings import Settings
    from hybridchat.store.database import Store


def budget_store(settings: Settings, open_store: Callable[[Settings], Store]) -> Store | None:
    """Return a store for spending alone, None where the usual one will do.

    A month's budget that forgot what was spent with ``--no-save`` would be none. Only numbers are kept there: when, how
    many tokens, how many dollars.
    """
    limits = settings.budget
    month = (limits.month_dollars, limits.month_calls, limits.month_tokens)
    if settings.store.save or all(limit is None for limit in month):
        return None
    return open_store(replace(settings, store=replace(settings.store, save=True)))
