"""Values that are split: one half at the end of a message, the other where the next one begins."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridchat.privacy.assignments import assigned_secrets
from hybridchat.privacy.contexts import in_context
from hybridchat.privacy.spans import Kind, Span
from hybridchat.privacy.views import folded

if TYPE_CHECKING:
    from hybridchat.messages import Role
    from hybridchat.privacy.detectors import Detector

WINDOW = 400  # characters on each side of a seam
_GROWING = {Kind.KEY, Kind.SECRET, Kind.PASSWORD, Kind.PRIVATE_KEY, Kind.IBAN}
_ANNOUNCING = 120  # characters at the end of a message that may say what the next one is
_RANDOM = re.compile(r"(?=[^\s]*[0-9])(?=[^\s]*[A-Za-z])|[^\s]*[a-z][A-Z]|[0-9A-Z]{6}")
_PUNCTUATION_AT_MOST = 4
_PUNCTUATION = "\"'`.…>|\\"  # what people put where they cut
_APART = "\n\x01\n"  # no detector reaches across


def between(roles: Sequence[Role]) -> list[tuple[int, int]]:
    """Return the pairs of messages between which a value may be split: neighbours, and the next of the same role."""
    last: dict[Role, int] = {}
    pairs = []
    for second, role in enumerate(roles):
        firsts = {first for first in (second - 1, last.get(role, -1)) if first >= 0}
        pairs += [(first, second) for first in sorted(firsts)]
        last[role] = second
    return pairs


@dataclass(frozen=True, slots=True)
class Seam:
    """``first`` up to ``end`` goes on in ``second`` from ``begin``; with what was found in each of them.

    ``before`` and ``after`` are how many characters on either side are searched.
    """

    first: str
    end: int
    found_first: Sequence[Span]
    second: str
    begin: int
    found_second: Sequence[Span]
    before: int = WINDOW
    after: int = WINDOW


def across(
    first: str, found_first: Sequence[Span], second: str, found_second: Sequence[Span], using: Iterable[Detector]
) -> tuple[list[Span], list[Span]]:
    """Return the halves, in each text, of what the detectors find across the seam between two texts."""
    cuts = {(len(first), 0), (_trailing(first), _leading(second))}
    seams = [Seam(first, end, found_first, second, begin, found_second) for end, begin in sorted(cuts)]
    halves = list(crossing(seams, using))
    return [left for left, _ in halves], [*(right for _, right in halves), *_announced(first, second)]


def _announced(first: str, second: str) -> Iterator[Span]:
    """Find what the end of ``first`` says that ``second`` begins with: "my password is", "your date of birth?"."""
    said = first[-_ANNOUNCING:].rstrip()
    begin = len(second) - len(second.lstrip())
    text = folded(f"{said} {second[begin : begin + WINDOW]}")
    value = len(said) + 1
    for detector in (assigned_secrets, in_context):
        for span in detector(text):
            if value <= span.start <= value + _PUNCTUATION_AT_MOST:
                yield Span(span.start - value + begin, span.end - value + begin, span.kind)


def crossing(seams: Sequence[Seam], using: Iterable[Detector]) -> Iterator[tuple[Span, Span]]:
    """Yield both halves of what crosses a seam: the left one in its ``first``, the right one in its ``second``.

    All seams are searched in one text. Where a half is complete by itself, the rest counts only if it looks like more
    of a key.
    """
    windows = [(s.first[max(0, s.end - s.before) : s.end], s.second[s.begin : s.begin + s.after]) for s in seams]
    text = _APART.join(left + right for left, right in windows)
    places: list[int] = []
    position = 0
    for left, right in windows:
        places.append(position + len(left))
        position += len(left) + len(right) + len(_APART)
    for span in (span for detector in using for span in detector(text)):
        index = bisect_right(places, span.start)
        if index < len(places) and span.start < places[index] < span.end:
            seam, place = seams[index], places[index]
            first_half = Span(seam.end - (place - span.start), seam.end, span.kind)
            second_half = Span(seam.begin, seam.begin + span.end - place, span.kind)
            if _belong_together(seam, first_half, second_half):
                yield first_half, second_half


def _belong_together(seam: Seam, left: Span, right: Span) -> bool:
    named = [span for span in seam.found_second if span.kind is not Kind.SECRET]
    if _is_whole(seam.second, named, right):
        return False
    rest = seam.second[right.start : right.end]
    return not _is_whole(seam.first, seam.found_first, left) or (left.kind in _GROWING and bool(_RANDOM.match(rest)))


def _is_whole(text: str, found: Sequence[Span], half: Span) -> bool:
    """Whether something was found that reaches, but for punctuation, from inside of the half to its outer end."""
    for span in found:
        if span.start < half.end and half.start < span.end:
            rest = text[half.start : span.start] + text[span.end : half.end]
            if not any(character.isalnum() for character in rest) or span.start < half.start or span.end > half.end:
                return True
    return False


def _trailing(text: str) -> int:
    end = len(text)
    while end > 0 and (text[end - 1].isspace() or text[end - 1] in _PUNCTUATION):
        end -= 1
    return end


def _leading(text: str) -> int:
    begin = 0
    while begin < len(text) and (text[begin].isspace() or text[begin] in _PUNCTUATION):
        begin += 1
    return begin
