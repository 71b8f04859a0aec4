"""Notices when a model repeats itself without end."""

from __future__ import annotations

GRAM = 24
"""Characters that must agree before two places count as the same."""

MEMORY = 2048
"""How many of the last places are remembered; a loop's period can be at most a quarter of it."""

REPEATS = 3
LEAST = 96
"""A loop: the same text at least this often again, and at least this many repeated characters."""


class LoopDetector:
    """Finds a text that is repeated over and over, in constant time per character and bounded memory.

    Every run of ``GRAM`` characters remembers where it was seen last. While each new one was seen at the same
    distance before, the text is periodic with that distance.
    """

    __slots__ = ("_distance", "_gram", "_position", "_repeated", "_run", "_seen", "found")

    def __init__(self) -> None:
        self._gram = ""
        self._seen: dict[str, int] = {}
        self._position = 0
        self._distance = 0
        self._run = 0
        self._repeated = 0
        self.found = False

    def add(self, character: str) -> None:
        """Take in the next normalised character."""
        self._gram = gram = self._gram[1 - GRAM :] + character
        self._position = position = self._position + 1
        if position < GRAM:
            return
        earlier = self._seen.pop(gram, None)
        self._seen[gram] = position
        if earlier is None:
            self._run = 0
            if len(self._seen) > MEMORY:
                del self._seen[next(iter(self._seen))]
            return
        self._repeated += 1
        distance = position - earlier
        self._run = self._run + 1 if distance == self._distance else 1
        self._distance = distance
        if self._run + GRAM > max(REPEATS * distance, LEAST):
            self.found = True

    @property
    def repetition(self) -> float:
        """The share of places that were there before, 0 to 1."""
        return self._repeated / max(1, self._position - GRAM + 1)
