from __future__ import annotations

from dataclasses import replace

import pytest

from hybridchat.cli.budget_store import budget_store
from hybridchat.config.settings import BudgetSettings, Settings, StoreSettings
from hybridchat.store.database import Store

LIMITED = BudgetSettings(month_calls=3)


def opened(settings: Settings) -> Store:
    assert settings.store.save
    return Store.open(None)


async def test_a_months_budget_is_kept_even_where_nothing_else_is() -> None:
    found = budget_store(Settings(store=StoreSettings(save=False), budget=LIMITED), opened)
    assert found is not None
    await found.aclose()


@pytest.mark.parametrize(
    "settings",
    [
        Settings(budget=LIMITED),
        Settings(store=StoreSettings(save=False)),
        replace(Settings(store=StoreSettings(save=False)), budget=BudgetSettings(conversation_calls=3)),
    ],
)
def test_elsewhere_the_usual_store_will_do(settings: Settings) -> None:
    assert budget_store(settings, opened) is None
