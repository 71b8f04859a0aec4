"""Shows which words of an answer its model was unsure of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from hybridchat.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridchat.tui.answer import Answer

SHAKY = 0.5
"""A token whose probability is below this is underlined: the model would rather often have said something else."""
VERY_SHAKY = 0.2
"""Below this, in bold, too."""


class ConfidenceMap(Static):
    """An answer as it was written, token by token; stands in its place, inside it, while it is looked at."""

    DEFAULT_CSS = """
    ConfidenceMap { height: auto; margin: 0 0 1 0; border-left: dashed $accent; padding: 0 1; }
    Answer.-mapped > BlockView { display: none; }
    """

    @staticmethod
    async def toggle(answer: Answer, tokens: Iterable[tuple[str, float]]) -> None:
        """Show the map of ``answer``, or the answer again."""
        shown = answer.query(ConfidenceMap)
        answer.set_class(not shown, "-mapped")
        if shown:
            await shown.remove()
        else:
            await answer.mount(ConfidenceMap(confidence_map(tokens), markup=False))


def confidence_map(tokens: Iterable[tuple[str, float]]) -> Content:
    """Return the text of ``tokens`` with the shaky ones underlined."""
    parts: list[Content] = []
    shaky = 0
    for token, logprob in tokens:
        probability = math.exp(min(logprob, 0.0))
        style = "" if probability >= SHAKY else "underline dim" if probability >= VERY_SHAKY else "underline bold"
        shaky += bool(style)
        parts.append(Content.styled(clean(token), style))
    legend = (
        f"underlined: less than {SHAKY:.0%} likely, bold: less than {VERY_SHAKY:.0%} ({shaky} of {len(parts)} tokens)"
    )
    return Content("").join([Content.styled(f"{legend}\n", "$text-muted"), *parts])
