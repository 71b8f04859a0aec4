"""The user's own words: names, projects, whatever they do not want to leave."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from hybridchat.privacy.spans import Kind, Span

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def word_detector(words: Sequence[str]) -> Callable[[str], Iterable[Span]]:
    """Return a detector of ``words``, which may be phrases: in any case, composed or decomposed, as whole words.

    In scripts that put no spaces between words a match counts wherever it stands. An underscore is a word boundary,
    so that names in code are found.
    """
    spellings = {
        lowered(unicodedata.normalize(form, word.strip())) for word in words if word.strip() for form in ("NFC", "NFD")
    }
    sought = [_Sought(*spelling.split(maxsplit=1)) for spelling in sorted(spellings)]

    def detect(text: str) -> Iterator[Span]:
        low = lowered(text)
        for word in sought:
            for start, end in word.occurrences(low):
                if not _runs_on(text, start) and not _runs_on(text, end):
                    yield Span(start, end, Kind.WORD)

    return detect


class _Sought:
    """A word or phrase in lower case; any white space stands between the parts of a phrase.

    One ``str.find`` for each word is several times faster than one regular expression of them all.
    """

    def __init__(self, first: str, rest: str = "") -> None:
        self._first = first
        self._rest = re.compile("".join(r"\s+" + re.escape(part) for part in rest.split()))

    def occurrences(self, low: str) -> Iterator[tuple[int, int]]:
        start = low.find(self._first)
        while start >= 0:
            rest = self._rest.match(low, start + len(self._first))
            if rest:
                yield start, rest.end()
            start = low.find(self._first, start + 1)


@lru_cache(maxsize=8)
def lowered(text: str) -> str:
    """Return ``text`` in lower case and of the same length; far faster to search than ``re.IGNORECASE``."""
    low = text.lower()
    if len(low) != len(text):  # a letter such as İ becomes two
        low = "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
    return low.replace("ς", "σ")


def _runs_on(text: str, edge: int) -> bool:
    """Whether one word stands on both sides of ``edge``."""
    if edge in {0, len(text)}:
        return False
    before, after = text[edge - 1], text[edge]
    if unicodedata.category(after).startswith("M"):
        return True
    return before.isalnum() and after.isalnum() and not (_UNSPACED.match(before) or _UNSPACED.match(after))
