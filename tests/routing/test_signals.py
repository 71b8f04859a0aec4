from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.messages import TokenLogprob
from hybridchat.routing.openers import ContentFilter
from hybridchat.routing.signals import (
    ALLOWANCE,
    FLOOR,
    OPENING,
    OPENING_WITHIN,
    LogprobQuantiles,
    LowestWindow,
    SignalAccumulator,
    entropy,
)

logprobs = st.floats(min_value=-20, max_value=0)
tops = st.lists(logprobs, min_size=0, max_size=10).map(lambda values: tuple(sorted(values, reverse=True)))
tokens = st.lists(st.builds(TokenLogprob, st.sampled_from([" Paris", " the", "7", ".", " France"]), logprobs, tops))


def read(items: Sequence[TokenLogprob], question: str = "") -> dict[str, float]:
    accumulator = SignalAccumulator(question)
    for item in items:
        accumulator.add(item)
    return dict(accumulator.snapshot())


def naive_entropy(top: Sequence[float]) -> float:
    if len(top) < 2:
        return 0.0
    total = sum(math.exp(v) for v in top)
    shares = [math.exp(v) / total for v in top]
    return -sum(p * math.log(p) for p in shares if p) / math.log(len(top))


def naive(items: Sequence[TokenLogprob], question: str) -> dict[str, float]:
    values = [min(0.0, max(FLOOR, item.logprob)) for item in items]
    signals = {
        "n": float(len(values)),
        "ln_n": math.log(len(values)),
        "mean": sum(values) / len(values),
        "first_two": sum(values[:2]) / len(values[:2]),
        "min": min(values),
        "cusum": max(
            max(0.0, *(sum(-v - ALLOWANCE for v in values[i:j]) for i in range(j + 1))) for j in range(len(values) + 1)
        ),
    }
    for width in (8, 16):
        windows = [values[i : i + width] for i in range(max(1, len(values) - width + 1))]
        signals[f"window{width}"] = min(sum(window) / len(window) for window in windows)
    spreads = [naive_entropy([max(FLOOR, v) for v in item.top]) for item in items if item.top]
    if spreads:
        signals["alternatives"] = float(max(len(item.top) for item in items))
        signals["mean_entropy"] = sum(spreads) / len(spreads)
        signals["max_entropy"] = max(spreads)
    content = ContentFilter(question)
    opening = []
    for item, value in zip(items, values, strict=True):
        if content.passes(item.token):
            top = [max(FLOOR, v) for v in item.top]
            margin = math.exp(top[0]) - math.exp(top[1]) if len(top) > 1 else math.exp(value)
            opening.append((1 - naive_entropy(top) if top else math.exp(value), value, margin))
    signals["content"] = float(min(OPENING, len(opening)))
    if opening and len(values) <= OPENING_WITHIN:
        signals["first_certainty"], signals["first_logprob"], signals["first_margin"] = opening[0]
        signals["opening_certainty"] = min(certainty for certainty, _, _ in opening[:OPENING])
        signals["opening_logprob"] = min(value for _, value, _ in opening[:OPENING])
    return signals


@given(tokens.filter(bool))
def test_streamed_signals_equal_those_computed_at_once(items: list[TokenLogprob]) -> None:
    question = "what is the capital of france?"
    streamed = read(items, question)
    assert {name: value for name, value in streamed.items() if not name.startswith("q")} == pytest.approx(
        naive(items, question), abs=1e-9
    )


def test_golden_values_of_a_short_answer() -> None:
    signals = read(
        [
            TokenLogprob("The", -0.1, (-0.1, -2.5)),
            TokenLogprob(" capital", -0.01, (-0.01, -5.0)),
            TokenLogprob(" is", -0.0, (-0.0, -9.0)),
            TokenLogprob(" Canberra", -1.2, (-0.9, -1.2, -2.0)),
        ],
        "What is the capital of Australia?",
    )
    assert signals["first_logprob"] == -1.2
    assert signals["first_margin"] == pytest.approx(math.exp(-0.9) - math.exp(-1.2))
    assert signals["first_certainty"] == pytest.approx(1 - naive_entropy((-0.9, -1.2, -2.0)))
    assert signals["min"] == -1.2
    assert signals["first_two"] == pytest.approx(-0.055)
    assert signals["cusum"] == pytest.approx(0.7)


@given(st.lists(st.floats(min_value=FLOOR, max_value=0), min_size=1, max_size=200))
def test_quantiles_are_within_a_bins_width_of_the_sorted_ones(values: list[float]) -> None:
    quantiles = LogprobQuantiles()
    for value in values:
        quantiles.add(value)
    ordered = sorted(values)
    for share, estimate in zip((0.1, 0.2, 0.5), quantiles.at((0.1, 0.2, 0.5)), strict=True):
        exact = ordered[math.ceil(max(1.0, share * len(values))) - 1]
        width = (math.sqrt(-exact) * 2 + 1 / 16) / 16 + 1e-9
        assert abs(estimate - exact) <= width


def test_quantiles_of_nothing_are_zero() -> None:
    assert LogprobQuantiles().at((0.1, 0.5)) == [0.0, 0.0]


def test_the_lowest_window_of_nothing_is_zero() -> None:
    assert LowestWindow(8).mean == 0.0


@given(tops.filter(lambda top: len(top) > 1))
def test_entropy_is_between_zero_and_one(top: tuple[float, ...]) -> None:
    assert -1e-9 <= entropy(top) <= 1 + 1e-9
    assert entropy(top) == pytest.approx(naive_entropy(top), abs=1e-9)


def test_entropy_of_equally_likely_tokens_is_one_and_of_a_single_one_zero() -> None:
    assert entropy((-3.0,) * 10) == pytest.approx(1.0)
    assert entropy((-0.1,)) == 0.0
    assert entropy((-0.0, -60.0)) == pytest.approx(0.0, abs=1e-9)


@given(tokens.filter(bool), st.integers(min_value=0), st.floats(min_value=0, max_value=10))
def test_a_less_likely_token_lowers_no_certainty_signal_and_no_cusum_rises_without_it(
    items: list[TokenLogprob], index: int, drop: float
) -> None:
    place = index % len(items)
    doubted = list(items)
    doubted[place] = TokenLogprob(items[place].token, items[place].logprob - drop, items[place].top)
    before, after = read(items), read(doubted)
    for name in ("mean", "first_two", "min", "q10", "q20", "q50", "window8", "window16"):
        assert after[name] <= before[name] + 1e-9
    assert after["cusum"] >= before["cusum"] - 1e-9


@pytest.mark.parametrize("sentinel", [-9999.0, -math.inf])
def test_sentinels_for_impossible_tokens_count_as_the_floor(sentinel: float) -> None:
    signals = read([TokenLogprob("x", sentinel, (-0.1, sentinel))])
    assert signals["min"] == FLOOR
    assert all(math.isfinite(value) for value in signals.values())


def test_gaps_and_ends_of_answers_are_passed_over() -> None:
    assert read([TokenLogprob("x", math.nan), TokenLogprob("", -0.5)]) == {"n": 0.0}


def test_a_token_that_is_part_of_a_character_counts() -> None:
    assert read([TokenLogprob("", -0.5, raw=b"\xe2")])["n"] == 1.0


def test_the_least_sure_token_is_remembered() -> None:
    accumulator = SignalAccumulator()
    for token, logprob in (("a", -0.1), ("b", -3.0), ("c", -0.2)):
        accumulator.add(TokenLogprob(token, logprob))
    assert accumulator.least_sure == "b"


@pytest.mark.parametrize("token", ["The", " Sure", ",", "\n\n", "- ", "**", " Antwort", "答案", " France", ".)", ""])
def test_openers_and_the_questions_own_words_say_nothing_yet(token: str) -> None:
    assert not ContentFilter("What is the capital of France?").passes(token)


@pytest.mark.parametrize("token", [" Paris", "7", " 42", "巴黎", " x", "²"])
def test_other_tokens_say_something(token: str) -> None:
    assert ContentFilter("What is the capital of France?").passes(token)


@pytest.mark.parametrize(
    ("pieces", "passed"),
    [
        (["347", " *", " 29"], [False, False, False]),
        (["3", "4", "7"], [False, False, False]),
        (["3", "4", "8"], [False, False, True]),
        ([" 3", "4", " 7"], [False, False, True]),
        (["29", ".", "29"], [False, False, False]),
        (["1", "0", "0", "6", "3"], [True] * 5),
    ],
)
def test_a_number_says_something_unless_it_repeats_one_of_the_question(pieces: list[str], passed: list[bool]) -> None:
    content = ContentFilter("What is 347 times 29?")
    assert [content.passes(piece) for piece in pieces] == passed
