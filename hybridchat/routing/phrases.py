"""Finds refusing, hedging and repairing phrases in a stream, wherever its pieces are cut.

One automaton over all languages (Aho and Corasick, *Efficient string matching*, 1975) takes a constant time per
character, however many phrases there are. The phrases are data: ``phrases.json``.
"""

from __future__ import annotations

import functools
import json
import re
from collections import deque
from dataclasses import dataclass, field
from importlib import resources

REFUSAL, HEDGE, REPAIR = "refusal", "hedge", "repair"

_OTHER = re.compile(r"(?:[^\w']|_)+")

_NO_SPACES = {"zh", "ja", "ko", "th"}
"""Languages whose phrases need not stand between spaces (Korean glues particles to its words)."""


@dataclass(slots=True)
class Node:
    """A state: the phrases' common beginnings are paths, ``ends`` names the kinds of the phrases that end here."""

    next: dict[str, Node] = field(default_factory=dict)
    fallback: Node | None = None
    ends: tuple[str, ...] = ()


def normalised(text: str, *, after_space: bool) -> str:
    """Return ``text`` case-folded, every run of other characters than letters, digits and apostrophes as one space.

    ``after_space`` says whether a space came last, so that a text gives the same characters however it is cut.
    """
    clean = _OTHER.sub(" ", text.casefold().replace("’", "'"))
    return clean[1:] if after_space and clean.startswith(" ") else clean


@functools.cache
def automaton() -> Node:
    """Build the automaton from the shipped phrases, once."""
    phrases = json.loads(resources.files(__package__).joinpath("phrases.json").read_text(encoding="utf-8"))
    root = Node()
    for language, kinds in phrases.items():
        edge = "" if language in _NO_SPACES else " "
        for kind, texts in kinds.items():
            for text in texts:
                _insert(root, edge + normalised(text, after_space=True).strip() + edge, kind)
    _link(root)
    return root


def _insert(root: Node, phrase: str, kind: str) -> None:
    node = root
    for character in phrase:
        node = node.next.setdefault(character, Node())
    if kind not in node.ends:
        node.ends += (kind,)


def _link(root: Node) -> None:
    queue = deque([root])
    while queue:
        node = queue.popleft()
        for character, child in node.next.items():
            state = node.fallback
            while state is not None and character not in state.next:
                state = state.fallback
            child.fallback = root if state is None else state.next[character]
            child.ends += child.fallback.ends
            queue.append(child)


class PhraseFinder:
    """Reads normalised text and tells which kinds of phrases end in it."""

    __slots__ = ("_root", "_state")

    def __init__(self) -> None:
        self._root = self._state = automaton()
        self.read(" ")

    def read(self, text: str) -> list[tuple[int, str]]:
        """Return the phrases that end in the next piece: how many of its characters were read by then, and the kind."""
        found: list[tuple[int, str]] = []
        root, state = self._root, self._state
        for read, character in enumerate(text, 1):
            following = state.next.get(character)
            while following is None and state.fallback is not None:
                state = state.fallback
                following = state.next.get(character)
            state = following or root
            if state.ends:
                found += ((read, kind) for kind in state.ends)
        self._state = state
        return found
