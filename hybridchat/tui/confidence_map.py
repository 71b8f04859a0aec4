"""Shows which words of an answer its model was unsure of: in the answer as it is drawn, or token by token."""

from __future__ import annotations

import math
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from hybridchat.text import clean
from hybridchat.tui.doubts import SHAKY, STYLES, VERY_SHAKY, doubts, legend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridchat.tui.answer import Answer


class ConfidenceLegend(Static):
    """Says above an answer what its marks mean."""

    DEFAULT_CSS = """
    ConfidenceLegend { height: auto; color: $text-muted; }
    """
    ALLOW_SELECT = False


class ConfidenceMap(Static):
    """An answer as it was written, token by token; stands in its place, inside it, while it is looked at."""

    DEFAULT_CSS = """
    ConfidenceMap { height: auto; margin: 0 0 1 0; border-left: dashed $accent; padding: 0 1; }
    Answer.-mapped > BlockView { display: none; }
    """


def is_shown(answer: Answer) -> bool:
    """Whether the doubts about ``answer`` are shown, in either way."""
    return bool(answer.query(ConfidenceLegend))


async def show(answer: Answer, tokens: Sequence[tuple[str, float]], *, raw: bool = False) -> None:
    """Mark what ``answer`` is unsure of; ``raw`` shows it as it was written instead of as it is drawn."""
    await hide(answer)
    tokens = _within(answer.source, tokens)
    doubted = doubts(answer.source, tokens)
    answer.set_class(raw, "-mapped")
    if raw:
        await answer.mount(ConfidenceMap(raw_map(tokens), markup=False))
    else:
        answer.mark(doubted)
    said = ConfidenceLegend(legend(doubted, len(tokens)), markup=False)
    await answer.mount(said, before=0 if answer.children else None)


async def hide(answer: Answer) -> None:
    """Show ``answer`` as it was."""
    answer.remove_class("-mapped")
    answer.mark(None)
    await answer.query("ConfidenceLegend, ConfidenceMap").remove()


def raw_map(tokens: Sequence[tuple[str, float]]) -> Content:
    """Return the text of ``tokens`` with the shaky ones underlined."""
    parts: list[Content] = []
    for token, logprob in tokens:
        probability = math.exp(min(logprob, 0.0))
        style = "" if probability >= SHAKY else STYLES[probability < VERY_SHAKY]
        parts.append(Content.styled(clean(token), style))
    return Content("").join(parts)


def _within(text: str, tokens: Sequence[tuple[str, float]]) -> Sequence[tuple[str, float]]:
    """Return the first ``tokens``, as many as ``text`` has room for: a draft set aside goes on unseen."""
    ends = list(accumulate(len(clean(token)) for token, _ in tokens))
    return tokens[: bisect_left(ends, len(text)) + 1]
