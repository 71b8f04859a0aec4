"""How a question asks to be answered."""

from __future__ import annotations

from collections.abc import Iterator

BRIEF = (" Answer in one sentence.", " Reply with the answer only.")
FREE = ("", *BRIEF, *BRIEF)
"""For questions that can also be left to themselves."""

REASONED = " Think in at most two short sentences, then give the answer."
STEPS = " Work it out step by step in at most four short sentences, and end with 'Answer:' and the number."
PARAGRAPH = " Explain your answer in at least four sentences."


def graded(count: int) -> Iterator[tuple[int, float]]:
    """Yield index and level of ``count`` questions that go from easy to hard."""
    return ((i, round(i / (count - 1), 2)) for i in range(count))
