"""From items to matrices: what a router can know from the question and the two small models' texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.pairs_agreement import agree, agreement
from benchmarks.pairs_code import code_features
from benchmarks.pairs_data import Item
from benchmarks.pairs_solution import Solution, answer_form, arithmetic, form
from hybridchat.messages import FinishReason
from hybridchat.routing.question_features import question_features
from hybridchat.routing.text_signals import TextSignals

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Views:
    """The same items seen through several sets of features, each a matrix with a row an item.

    What an item does not have (a number as its answer, a second solution) is 0. ``columns`` names the columns.
    """

    length: Matrix
    baseline_text: Matrix
    baseline: Matrix
    text: Matrix
    agreement: Matrix
    columns: Mapping[str, tuple[str, ...]]

    def rows(self, indices: Sequence[int]) -> Views:
        """Return the views of some of the items."""
        chosen = np.asarray(indices, dtype=np.intp)
        return Views(
            self.length[chosen],
            self.baseline_text[chosen],
            self.baseline[chosen],
            self.text[chosen],
            self.agreement[chosen],
            self.columns,
        )


def views(items: Sequence[Item], *, static: bool = False) -> Views:
    """Compute the features of ``items``; each item's depend on that item alone.

    ``static`` leaves out what code in the question comes to.
    """
    named: dict[str, list[dict[str, float]]] = {"length": [], "baseline_text": [], "baseline": [], "text": []}
    named["agreement"] = []
    for item in items:
        first = Solution(item.question, item.local.text, item.local.answer)
        second = Solution(item.question, item.second.text, item.second.answer) if item.second else None
        plain = {**question_features(item.question), **_live_text(item.local.text)}
        text = {
            **question_features(item.question),
            **form(first),
            **answer_form(first),
            **arithmetic(first),
            **code_features(item.question, str(item.local.answer), static=static),
        }
        named["length"].append({"ln_characters": plain["ln_characters"]})
        named["baseline_text"].append(plain)
        named["baseline"].append({**plain, "agree": float(agree(first, second))} if second else plain)
        named["text"].append(text)
        named["agreement"].append({**text, **agreement(first, second)})
    columns = {name: tuple(sorted({column for row in rows for column in row})) for name, rows in named.items()}
    matrices = {name: _matrix(rows, columns[name]) for name, rows in named.items()}
    return Views(columns=columns, **matrices)


def together(*tasks: Sequence[Item], static: bool = False) -> list[Views]:
    """Compute the features of several lists of items over the same columns."""
    whole = views([item for items in tasks for item in items], static=static)
    parts: list[Views] = []
    start = 0
    for items in tasks:
        parts.append(whole.rows(range(start, start + len(items))))
        start += len(items)
    return parts


def _live_text(text: str) -> dict[str, float]:
    """Return the signals that the live policy reads off an answer's text."""
    signals = TextSignals()
    signals.add(text)
    return {name: value for name, value in signals.finished(FinishReason.STOP).items() if name != "truncated"}


def _matrix(rows: Sequence[Mapping[str, float]], columns: Sequence[str]) -> Matrix:
    return np.array([[row.get(name, 0.0) for name in columns] for row in rows], dtype=np.float64)
