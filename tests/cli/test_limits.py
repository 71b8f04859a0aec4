from __future__ import annotations

import pytest

from hybridchat.cli.limits import limit_flags
from hybridchat.errors import UsageError


@pytest.mark.parametrize(
    ("text", "set_to"),
    [
        (None, {}),
        ("5", {"budget.month_dollars": "5"}),
        ("$2.50", {"budget.month_dollars": "2.50"}),
        ("3 dollars", {"budget.month_dollars": "3"}),
        ("1call", {"budget.month_calls": "1"}),
        ("20calls, 50000 tokens", {"budget.month_calls": "20", "budget.month_tokens": "50000"}),
        ("0", {"budget.month_dollars": "0"}),
    ],
)
def test_amounts_set_the_limit_of_their_unit(text: str | None, set_to: dict[str, str]) -> None:
    flags = limit_flags("month", "--month-budget", text)
    assert {key: flag.value for key, flag in flags.items()} == set_to
    assert {flag.name for flag in flags.values()} <= {"--month-budget"}


@pytest.mark.parametrize("text", ["", "calls", "5,6", "1calls,2calls", ","])
def test_what_is_no_amount_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="--conversation-budget") as error:
        limit_flags("conversation", "--conversation-budget", text)
    assert "20calls" in error.value.hint
