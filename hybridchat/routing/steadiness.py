"""Keeps a conversation from going back and forth between two models.

Whoever was just helped by the remote model, and asks on, is better served by the one that knows what it meant. So after
a remote answer the local one must be surer than usual, by a margin that halves with each turn.
"""

from __future__ import annotations

MARGIN = 0.1
"""How much surer the local model must be in the turn right after a remote answer."""

NEGLIGIBLE = 0.01


def margin(turns_since_remote: int | None) -> float:
    """Return by how much the threshold is raised, ``turns_since_remote`` turns after a remote answer (1: the next one).

    None means that there was none.
    """
    if turns_since_remote is None or turns_since_remote < 1:
        return 0.0
    left = MARGIN * 0.5 ** (turns_since_remote - 1)
    return left if left >= NEGLIGIBLE else 0.0
