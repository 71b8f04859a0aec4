from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from hybridchat.config import paths
from hybridchat.config.settings import StoreSettings
from hybridchat.messages import Spent
from hybridchat.store.database import Store
from tests.cli.conftest import Command


def spend(*amounts: Spent) -> None:
    async def reserve() -> None:
        path = paths.database_file(StoreSettings())
        async with Store.open(path) as store:
            for amount in amounts:
                number = await store.spending.reserve("c", datetime(2020, 1, 1, tzinfo=UTC), amount, lambda *_: None)
                await store.spending.settle(number, amount)

    asyncio.run(reserve())


def test_without_limits_it_says_what_was_spent_and_how_to_set_one(command: Command) -> None:
    spend(Spent(1, 1200, 0.25), Spent(1, 300, None))
    shown = command("budget")
    assert shown.code == 0
    assert "2 calls, 1,500 tokens, $0.25" in shown.out
    assert "`hybridchat config set budget.month_dollars 5`" in shown.out


def test_limits_are_shown_with_what_is_used_and_when_they_begin_anew(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_BUDGET_MONTH_DOLLARS", "5")
    monkeypatch.setenv("HYBRIDCHAT_BUDGET_CONVERSATION_CALLS", "3")
    spend(Spent(1, 1200, 5.0))
    shown = command("budget").out
    assert "$5.00 of $5.00 (100%)" in shown
    assert "it begins anew on 1 " in shown
    assert "each conversation: at most 3 calls" in shown


def test_a_program_reads_the_same(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_BUDGET_MONTH_CALLS", "1")
    spend(Spent(1, 10, 0.5))
    found = json.loads(command("budget", "--json").out)
    assert found["month"] == {"calls": 1, "tokens": 10, "dollars": 0.5}
    assert found["limits"]["month_calls"] == 1
    assert found["used_up"] == "the month's budget is used up: 1 call of 1 call"


def test_whoever_demands_the_remote_model_beyond_the_budget_is_refused_with_an_exit_code_and_a_way_out(
    program: Callable[..., subprocess.Popen[bytes]],
) -> None:
    demand = ("ask", "--remote", "--allow-remote", "--month-budget", "1call", "2+2?")
    first = program("four", *demand)
    assert first.communicate()[0] == b"from afar\n"
    second = program("four", *demand)
    out, err = second.communicate()
    assert (second.returncode, out) == (79, b"")
    assert b"the month's budget is used up: 1 call of 1 call" in err
    assert b"A new month begins on 1 " in err
    local = program("four", "ask", "--allow-remote", "--month-budget", "1call", "2+2?")
    assert local.communicate()[0] == b"four\n"
    assert local.returncode == 0
