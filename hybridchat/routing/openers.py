"""Tells the tokens with which any answer may begin from the first one that says something.

The words are data (``openers.json``): articles, copulas, and what chat models like to open with.
"""

from __future__ import annotations

import functools
import json
from importlib import resources

_MARKS = "'\"’“”«»`*_#-–—:;,.!?¿¡()[]{}<>|/\\•·。、，：！？「」『』"


@functools.cache
def openers() -> frozenset[str]:
    """Return the words of all languages."""
    words = json.loads(resources.files(__package__).joinpath("openers.json").read_text(encoding="utf-8"))
    return frozenset(word for line in words.values() for word in line.split())


def is_opener(token: str, question: str) -> bool:
    """Return whether ``token`` says nothing yet: space, punctuation, list marks, openers, words of the question.

    ``question`` is case-folded. Numbers always say something: that they stand in the question means little.
    """
    word = token.strip().casefold()
    if word.isdigit():
        return False
    word = word.strip(_MARKS)
    return not word or word in openers() or (len(word) > 1 and word.isalpha() and word in question)
