"""What a second small model's solution of the same question says about the first one's."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from difflib import SequenceMatcher
from math import log, log1p

from benchmarks.pairs_arithmetic import close
from benchmarks.pairs_code import literal, same_value
from benchmarks.pairs_solution import Features, Solution, answer_form, arithmetic, contains, form

FROM_SECOND = (
    "ln_characters", "hedges", "repairs", "repetition", "unsure", "rounds", "algebra", "steps", "answer_none",
    "answer_said", "answer_wordy", "value_whole", "value_negative", "value_reached", "value_last", "value_given",
    "equations", "equations_wrong", "operands_loose", "given_unused", "results", "results_negative", "results_broken",
    "ends_in_equation", "tail",
)  # fmt: skip
"""The second solution's own features that are read."""


def agree(first: Solution, second: Solution) -> bool:
    """Return whether both give the same answer: as numbers, as Python literals, else as text without spaces."""
    if first.answer is None or second.answer is None:
        return False
    if first.value is not None and second.value is not None:
        return close(first.value, second.value)
    return same_value(literal(str(first.answer)), literal(str(second.answer)))


def overlap(one: Collection[Hashable], other: Collection[Hashable]) -> float:
    """Return the Jaccard index of two sets; 1 for two empty ones."""
    first, second = set(one), set(other)
    union = first | second
    return len(first & second) / len(union) if union else 1.0


def agreement(first: Solution, second: Solution | None) -> Features:
    """Return how the solutions compare; without a second one only that there is none."""
    if second is None:
        return {"second": 0.0}
    same = float(agree(first, second))
    own = {**form(second), **answer_form(second), **arithmetic(second)}
    return {
        "second": 1.0,
        "agree": same,
        "both_none": float(first.answer is None and second.answer is None),
        "results_overlap": overlap([round(v, 2) for v in first.results], [round(v, 2) for v in second.results]),
        "numbers_overlap": overlap([round(v, 2) for v in first.numbers], [round(v, 2) for v in second.numbers]),
        "words_overlap": overlap(first.words, second.words),
        "length_ratio": log1p(len(first.text)) - log1p(len(second.text)),
        "answer_similar": SequenceMatcher(None, str(first.answer)[:200], str(second.answer)[:200]).ratio(),
        "answer_type_same": float(type(literal(str(first.answer))) is type(literal(str(second.answer)))),
        "answer_length_same": float(len(str(first.answer)) == len(str(second.answer))),
        **_distance(first, second),
        **{f"second_{name}": own[name] for name in FROM_SECOND if name in own},
    }


def _distance(first: Solution, second: Solution) -> Features:
    one, other = first.value, second.value
    if one is None or other is None:
        return {"comparable": 0.0}
    ratio = abs(one / other) if one and other else 0.0
    return {
        "comparable": 1.0,
        "apart": min(5.0, abs(log(ratio))) if ratio else 0.0 if one == other else 5.0,
        "larger": float(one > other and not close(one, other)),
        "nearly": float(not close(one, other) and abs(one - other) <= 0.1 * max(abs(one), abs(other))),
        "simple_ratio": float(
            any(close(ratio, factor) for factor in (0.5, 2.0, 10.0, 100.0, 0.1, 0.01, 3.0, 0.25, 4.0))
        ),
        "differ_by_given": float(not close(one, other) and contains(first.given, abs(one - other))),
        "first_in_second": float(contains(second.numbers, one)),
        "second_in_first": float(contains(first.numbers, other)),
    }
