"""What the text of an answer gives away: refusing, doubting, repeating, breaking off, broken code or JSON.

Reads a stream piece by piece, in constant time per character; the signals do not depend on where it is cut.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import log1p

from hybridchat.messages import FinishReason
from hybridchat.routing.loops import LoopDetector
from hybridchat.routing.phrases import HEDGE, REFUSAL, REPAIR, PhraseFinder, normalised

REFUSAL_WITHIN = 160
"""A refusal stands at the beginning; later in an answer, the same words (in characters) merely hedge."""

LONGEST_JSON = 200_000
_FENCE = "```"


class TextSignals:
    """Takes in an answer's text and knows its signals at any time."""

    def __init__(self) -> None:
        self.characters = 0
        self._finder = PhraseFinder()
        self._loop = LoopDetector()
        self._counts = {REFUSAL: 0, HEDGE: 0, REPAIR: 0}
        self._read = 0
        self._after_space = True
        self._blank = True
        self._fences = _Fences()
        self._json = _JsonFence()

    def add(self, text: str) -> None:
        """Take in the next piece of the answer."""
        self.characters += len(text)
        self._blank = self._blank and not text.strip()
        self._fences.add(text)
        self._json.add(text)
        clean = normalised(text, after_space=self._after_space)
        if clean:
            self._after_space = clean[-1] == " "
            self._loop.read(clean)
            self._count_phrases(clean)

    def _count_phrases(self, clean: str) -> None:
        for read, kind in self._finder.read(clean):
            late = kind == REFUSAL and self._read + read > REFUSAL_WITHIN
            self._counts[HEDGE if late else kind] += 1
        self._read += len(clean)

    @property
    def loops(self) -> bool:
        """Whether the text repeats itself without end."""
        return self._loop.found

    @property
    def refuses(self) -> bool:
        """Whether the text begins with a refusal or a confession not to know."""
        return self._counts[REFUSAL] > 0

    def snapshot(self) -> Mapping[str, float]:
        """Return the signals so far: counts, flags (0 or 1), ``repetition`` 0 to 1, ``characters``."""
        return {
            "characters": float(self.characters),
            "ln_characters": log1p(self.characters),
            "refusal": float(self.refuses),
            "hedges": float(self._counts[HEDGE]),
            "repairs": float(self._counts[REPAIR]),
            "loop": float(self.loops),
            "repetition": self._loop.repetition,
        }

    def finished(self, reason: FinishReason) -> Mapping[str, float]:
        """Return the signals of the whole answer, with those that only its end can tell."""
        if not self._after_space:
            self._count_phrases(" ")
            self._after_space = True
        return {
            **self.snapshot(),
            "truncated": float(reason is FinishReason.LENGTH),
            "open_fence": float(self._fences.open),
            "broken_json": float(self._json.broken),
            "empty": float(self._blank),
        }


class _Fences:
    """Counts code fences: three backticks at the beginning of a line."""

    def __init__(self) -> None:
        self._line = ""
        self.seen = 0

    def add(self, text: str) -> None:
        if len(self._line) == 8 and "\n" not in text:
            return
        for index, part in enumerate(text.split("\n")):
            self._line = part[:8] if index else (self._line + part)[:8]
            if index or part:
                self._check()

    def _check(self) -> None:
        if self._line.lstrip(" ").startswith(_FENCE):
            self.seen += 1
            self._line = "counted!"

    @property
    def open(self) -> bool:
        return self.seen % 2 == 1


class _JsonFence:
    """Checks an answer that is one JSON code fence and nothing else."""

    def __init__(self) -> None:
        self._parts: list[str] | None = []
        self._length = 0

    def add(self, text: str) -> None:
        if self._parts is None:
            return
        self._parts.append(text)
        self._length += len(text)
        if self._length > LONGEST_JSON or (self._length < 200 and not self._may_be_json()):
            self._parts = None

    def _may_be_json(self) -> bool:
        start, opening = "".join(self._parts or ()).lstrip(), _FENCE + "json"
        return start.startswith(opening) or opening.startswith(start)

    @property
    def broken(self) -> bool:
        text = "".join(self._parts or ()).strip()
        if not text.startswith(_FENCE + "json") or not text.endswith(_FENCE):
            return False
        body = text.removeprefix(_FENCE + "json").removesuffix(_FENCE)
        if _FENCE in body:
            return False
        try:
            json.loads(body)
        except (ValueError, RecursionError):
            return True
        return False
