"""The shipped question set: about 600 questions of our own that grade themselves, of known difficulty.

Generated from a seed: the same seed gives the same questions everywhere. They come in random order, so that any first
part of them is a fair sample of the whole.
"""

from __future__ import annotations

import functools
from random import Random

from hybridchat.evaluation.items import Item
from hybridchat.evaluation.questions import (
    calculation,
    code_output,
    conversion,
    knowledge,
    look_up,
    spelling,
    unanswerable,
)

SEED = 20261122
FAMILIES = (calculation, conversion, spelling, code_output, knowledge, unanswerable, look_up)


@functools.cache
def shipped(seed: int = SEED) -> tuple[Item, ...]:
    """Return all questions, in the random order of ``seed``."""
    unique = {
        item.question: item
        for family in FAMILIES
        for item in family.items(Random(f"{seed} {family.__name__.rpartition('.')[2]}"))  # noqa: S311 - nothing secret
    }
    items = list(unique.values())
    Random(seed).shuffle(items)  # noqa: S311 - nothing secret
    return tuple(items)
