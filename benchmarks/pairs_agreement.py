"""What a second small model's solution of the same question says about the first one's.

Four numbers, and that is on purpose: seventeen more (how far and in which direction the answers differ, whether one
occurs on the way to the other, the second solution's own form and arithmetic) each told something, and together lowered
every measure of cross-validation, because they took weight from the agreement itself.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable

from benchmarks.pairs_arithmetic import close
from benchmarks.pairs_code import literal, same_value
from benchmarks.pairs_solution import Features, Solution


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
    """Return how the solutions compare; without a second one only that there is none.

    ``results_overlap`` compares the numbers that were worked out on the way, ``words_overlap`` the words.
    """
    if second is None:
        return {"second": 0.0}
    return {
        "second": 1.0,
        "agree": float(agree(first, second)),
        "results_overlap": overlap([round(v, 2) for v in first.results], [round(v, 2) for v in second.results]),
        "words_overlap": overlap(first.words, second.words),
    }
