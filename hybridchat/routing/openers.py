"""Tells the tokens with which any answer may begin from the first one that says something.

The words are data (``openers.json``): articles, copulas, and what chat models like to open with.
"""

from __future__ import annotations

import functools
import json
import re
from importlib import resources

REMEMBERED = 2000
"""How many of the question's last characters an answer is compared with."""

_NUMBER = re.compile(r"\d+")
_MARKS = "'\"’“”«»`*_#-–—:;,.!?¿¡()[]{}<>|/\\•·。、，：！？「」『』"


@functools.cache
def openers() -> frozenset[str]:
    """Return the words of all languages."""
    words = json.loads(resources.files(__package__).joinpath("openers.json").read_text(encoding="utf-8"))
    return frozenset(word for line in words.values() for word in line.split())


class ContentFilter:
    """Tells, token by token, whether an answer has begun to say something that the question does not."""

    def __init__(self, question: str) -> None:
        self._question = question[-REMEMBERED:].casefold()
        self._numbers = frozenset(_NUMBER.findall(self._question))
        self._digits = ""

    def passes(self, token: str) -> bool:
        """Return whether ``token`` says something: no space, punctuation, list mark, opener or word of the question.

        A number does, unless it repeats one of the question's; since a tokenizer may cut numbers into digits, the
        digits so far count.
        """
        word = token.strip().casefold()
        if word.isdecimal():
            self._digits = (self._digits if token[0].isdecimal() else "") + word
            return not any(number.startswith(self._digits) for number in self._numbers)
        self._digits = ""
        word = word.strip(_MARKS)
        if not word or word in openers():
            return False
        return len(word) == 1 or not word.isalpha() or word not in self._question
