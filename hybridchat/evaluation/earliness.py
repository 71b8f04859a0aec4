"""How much is known how early."""

from __future__ import annotations

from collections.abc import Sequence

from hybridchat.evaluation.ranking import auroc
from hybridchat.evaluation.replay import Replayed

TOKENS = (1, 4, 8, 16, 32, 64)
END = "end"


def known_by(replayed: Replayed) -> dict[str, float | None]:
    """Return the confidence after 1, 4, 8, 16, 32 and 64 tokens and at the end; an answer over by then is whole."""
    return {**{str(t): replayed.confidence_at(t) for t in TOKENS}, END: replayed.confidence}


def earliness_metrics(known: Sequence[dict[str, float | None]], right: Sequence[bool]) -> dict[str, float | None]:
    """Return the AUROC of finding wrong answers after so many tokens, and ``32/end`` as a part of that at the end.

    None where too little is known: one class only, or an answer of which nothing was read by then.
    """
    areas = {name: _auroc([row[name] for row in known], right) for name in (*map(str, TOKENS), END)}
    early, late = areas["32"], areas[END]
    return {**areas, "32/end": early / late if early is not None and late else None}


def unfinished_metrics(
    known: Sequence[dict[str, float | None]], right: Sequence[bool], lengths: Sequence[int]
) -> dict[str, float | None]:
    """Return the same for each number of tokens over those answers alone that go on after it."""
    found: dict[str, float | None] = {}
    for tokens in TOKENS:
        on = [i for i, length in enumerate(lengths) if length > tokens]
        found[str(tokens)] = _auroc([known[i][str(tokens)] for i in on], [right[i] for i in on]) if on else None
    return found


def _auroc(confidences: Sequence[float | None], right: Sequence[bool]) -> float | None:
    told = [value for value in confidences if value is not None]
    return auroc(told, right) if len(told) == len(confidences) else None
