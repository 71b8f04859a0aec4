"""Notices when a model repeats itself without end."""

from __future__ import annotations

GRAM = 24
"""Characters that must agree before two places count as the same."""

STRIDE = 16
"""Places are looked at after each space or letter outside ASCII, and at least this often where there is neither."""

MEMORY = 1024
"""How many of the last places are remembered."""

REPEATS = 3
LEAST = 96
"""A loop: the same text at least this often again, and at least this many repeated characters."""


class LoopDetector:
    """Finds a text that is repeated over and over, in constant time per character and bounded memory.

    Each place remembers where the ``GRAM`` characters before it were seen last. While every new place was seen at the
    same distance before, the text is periodic with that distance.
    """

    __slots__ = ("_distance", "_places", "_position", "_recent", "_repeated", "_run", "_seen", "_since", "found")

    def __init__(self) -> None:
        self._recent = ""
        self._since = 0
        self._seen: dict[str, int] = {}
        self._position = 0
        self._distance = 0
        self._run = 0
        self._places = 0
        self._repeated = 0
        self.found = False

    def read(self, text: str) -> None:
        """Take in the next normalised piece."""
        start = 0
        since = self._since
        for read, character in enumerate(text, 1):
            since += 1
            if character == " " or character > "\x7f" or since == STRIDE:
                self._recent = (self._recent + text[start:read])[-GRAM:]
                self._position += read - start
                self._look(since)
                start, since = read, 0
        self._recent += text[start:]
        self._position += len(text) - start
        self._since = since

    def _look(self, since: int) -> None:
        if self._position < GRAM:
            return
        self._places += 1
        earlier = self._seen.pop(self._recent, None)
        self._seen[self._recent] = self._position
        if earlier is None:
            self._run = 0
            if len(self._seen) > MEMORY:
                del self._seen[next(iter(self._seen))]
            return
        self._repeated += 1
        distance = self._position - earlier
        self._run = self._run + since if distance == self._distance else since
        self._distance = distance
        if self._run + GRAM > max(REPEATS * distance, LEAST):
            self.found = True

    @property
    def repetition(self) -> float:
        """The share of places that were there before, 0 to 1."""
        return self._repeated / max(1, self._places)
