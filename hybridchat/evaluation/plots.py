"""Curves drawn with plain characters: readable in any terminal, in a pipe and in a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from hybridchat.evaluation.report import Bin, Point

COLUMNS = 80
WIDTH = 64
HEIGHT = 16
MARKS = {
    "oracle": "o",
    "random": ".",
    "answer-length-only": "l",
    "question-only": "q",
    "confidence": "c",
    "policy": "#",
}
"""The character of each curve, those that are drawn over others last."""


def cost_quality(curves: Mapping[str, Sequence[Point]], calls: Mapping[str, Point]) -> list[str]:
    """Draw quality (upwards) against the share of remote calls, and the settings in ``calls`` as capital letters."""
    drawn = {name: curves[name] for name in MARKS if name in curves}
    heights = [quality for points in drawn.values() for _, quality in points]
    low, high = min(heights), max(heights)
    canvas = _Canvas((0.0, 1.0), (low, high))
    for name, points in drawn.items():
        for column in range(WIDTH):
            share = column / (WIDTH - 1)
            canvas.put(share, _between(points, share), MARKS[name])
    for name, (share, quality) in calls.items():
        canvas.put(share, quality, name[0].upper())
    legend = ", ".join(f"{mark} {name}" for name, mark in reversed(MARKS.items()) if name in drawn)
    places = "; --bias " + ", ".join(f"{name[0].upper()} {name}" for name in calls) if calls else ""
    return [
        "quality (share of right answers)",
        *canvas.lines(),
        *_axis("share of turns that ask the remote model"),
        *wrap(legend + places, COLUMNS),
    ]


def reliability_diagram(bins: Sequence[Bin]) -> list[str]:
    """Draw the share of right answers (upwards) against the confidence; on the dotted line, both are the same."""
    canvas = _Canvas((0.0, 1.0), (0.0, 1.0))
    for column in range(WIDTH):
        canvas.put(column / (WIDTH - 1), column / (WIDTH - 1), ".")
    for one in bins:
        canvas.put(one.confidence, one.accuracy, "#")
    return [
        "share of right answers",
        *canvas.lines(),
        *_axis("confidence"),
        "  # answers of like confidence; . what an honest confidence shows",
    ]


class _Canvas:
    """A grid of characters over a rectangle of numbers; the later mark is drawn over the earlier."""

    def __init__(self, across: Point, upwards: Point) -> None:
        self._across = across
        self._upwards = upwards
        self._rows = [[" "] * WIDTH for _ in range(HEIGHT)]

    def put(self, x: float, y: float, mark: str) -> None:
        column = _place(x, self._across, WIDTH)
        row = HEIGHT - 1 - _place(y, self._upwards, HEIGHT)
        self._rows[row][column] = mark

    def lines(self) -> list[str]:
        low, high = self._upwards
        labels = {0: f"{high:.0%}", HEIGHT // 2: f"{(low + high) / 2:.0%}", HEIGHT - 1: f"{low:.0%}"}
        return [f"{labels.get(i, ''):>5} |" + "".join(row).rstrip() for i, row in enumerate(self._rows)]


def _place(value: float, bounds: Point, cells: int) -> int:
    low, high = bounds
    share = (value - low) / (high - low) if high > low else 0.5
    return max(0, min(cells - 1, round(share * (cells - 1))))


def _axis(name: str) -> list[str]:
    return ["      +" + "-" * WIDTH, "       0%" + name.center(WIDTH - 7) + "100%"]


def _between(points: Sequence[Point], x: float) -> float:
    """Return the height of a curve of evenly spaced points at ``x``, 0 to 1."""
    position = x * (len(points) - 1)
    left = min(int(position), len(points) - 2)
    (_, y1), (_, y2) = points[left], points[left + 1]
    return y1 + (y2 - y1) * (position - left)
