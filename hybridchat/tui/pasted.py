"""Long texts in the composer: a short mark stands for each, and the text takes its place again when it is sent. Pure.

An editor that lays out a line of a million characters at every key stalls; nobody edits such a text by hand.
"""

from __future__ import annotations

import re

LONGEST = 20_000
"""Characters of a text that is written out."""
LONGEST_LINE = 4_000
_MARK = re.compile(r"\[pasted text \d+: [\d,]+ characters\]")


class Pasted:
    """The long texts of a session by their marks."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def shortened(self, text: str) -> str:
        """Return ``text``, or the mark that stands for it where it is too long to be edited."""
        if len(text) <= LONGEST and max(map(len, text.split("\n"))) <= LONGEST_LINE:
            return text
        known = next((mark for mark, whole in self._texts.items() if whole == text), None)
        mark = known or f"[pasted text {len(self._texts) + 1}: {len(text):,} characters]"
        self._texts[mark] = text
        return mark

    def written_out(self, text: str) -> str:
        """Return ``text`` with all that marks stand for in their places."""
        return _MARK.sub(lambda found: self._texts.get(found[0], found[0]), text)
