"""Values that are split: one half at the end of a message, the other where the next one begins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hybridchat.privacy.spans import Kind, Span

if TYPE_CHECKING:
    from hybridchat.messages import Role
    from hybridchat.privacy.detectors import Detector

WINDOW = 400  # characters on each side of a seam
_GROWING = {Kind.KEY, Kind.SECRET, Kind.PASSWORD, Kind.PRIVATE_KEY}
_RANDOM = re.compile(r"(?=[^\s]*[0-9])(?=[^\s]*[A-Za-z])|[^\s]*[a-z][A-Z]|[0-9A-Z]{6}")
_TRAILING = re.compile(r"[\s\\\"'`.…+>|-]*\Z")
_LEADING = re.compile(r"[\s\"'`.…+>|]*")


def between(roles: Sequence[Role]) -> list[tuple[int, int]]:
    """Return the pairs of messages between which a value may be split: neighbours, and the next of the same role."""
    last: dict[Role, int] = {}
    pairs = []
    for second, role in enumerate(roles):
        firsts = {first for first in (second - 1, last.get(role, -1)) if first >= 0}
        pairs += [(first, second) for first in sorted(firsts)]
        last[role] = second
    return pairs


def across(
    first: str, found_first: Sequence[Span], second: str, found_second: Sequence[Span], using: Iterable[Detector]
) -> tuple[list[Span], list[Span]]:
    """Return the halves, in each text, of what the detectors find across the seam between two texts."""
    cuts = {(len(first), 0), (_TRAILING.search(first).start(), _LEADING.match(second).end())}  # type: ignore[union-attr]
    ends: list[Span] = []
    begins: list[Span] = []
    using = tuple(using)
    for end, begin in sorted(cuts):
        for span in crossing(first, end, found_first, second, begin, found_second, using):
            ends.append(Span(span.start, end, span.kind))
            begins.append(Span(begin, span.end, span.kind))
    return ends, begins


def crossing(
    first: str,
    end: int,
    found_first: Sequence[Span],
    second: str,
    begin: int,
    found_second: Sequence[Span],
    using: Iterable[Detector],
) -> list[Span]:
    """Return what crosses the seam, as spans from an offset in ``first`` to an offset in ``second``.

    Where a half is complete by itself, the rest counts only if it looks like more of a key.
    """
    head = max(0, end - WINDOW)
    left, right = first[head:end], second[begin : begin + WINDOW]
    if not left or not right:
        return []
    crossings = []
    for span in (span for detector in using for span in detector(left + right)):
        if not span.start < len(left) < span.end:
            continue
        start, finish = head + span.start, begin + span.end - len(left)
        left_whole = any(start < s.end and s.start < end and not _says_more(first[s.end : end]) for s in found_first)
        right_whole = any(
            s.start < finish and s.end > begin and not _says_more(second[begin : s.start]) for s in found_second
        )
        rest = second[begin:finish]
        if right_whole or (left_whole and not (span.kind in _GROWING and _RANDOM.match(rest))):
            continue
        crossings.append(Span(start, finish, span.kind))
    return crossings


def _says_more(rest: str) -> bool:
    return any(character.isalnum() for character in rest)
