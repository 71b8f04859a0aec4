"""Where in a text something private stands, and of what kind it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a span holds.

    The names stand in placeholders, so they are letters and single underscores, and the order in placeholders that are
    numbers, so new ones come last.
    """

    PRIVATE_KEY = "PRIVATE_KEY"
    KEY = "KEY"  # API keys, tokens, cookies, everything that opens a service
    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a kind
    EMAIL = "EMAIL"
    WORD = "WORD"  # the user's own words
    PLACEHOLDER = "PLACEHOLDER"  # text that looks like a placeholder of ours before anything was redacted
    SECRET = "SECRET"  # noqa: S105 - the name of a kind: strings that look drawn at random
    PHONE = "PHONE"
    IBAN = "IBAN"  # and account numbers that are called so
    CARD = "CARD"
    ID = "ID"  # what a state, an employer or an insurer calls a person
    IP = "IP"
    MAC = "MAC"
    LOCATION = "LOCATION"  # coordinates
    BIRTH_DATE = "BIRTH_DATE"
    ADDRESS = "ADDRESS"
    NAME = "NAME"  # the user's own name, and account names in paths
    HOME = "HOME"  # the user's home directory
    HOST = "HOST"  # this machine's name


@dataclass(frozen=True, slots=True)
class Span:
    """``text[start:end]`` is of ``kind``; offsets count characters."""

    start: int
    end: int
    kind: Kind


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return ``spans`` in order and without overlaps, covering every character that any of them covers.

    Overlapping spans become one, for cutting one at the other's edge would let the rest of it through. It has the kind
    of the longest, the earliest where they are equally long; what merely looks random yields to what has a name, and a
    private key absorbs whatever it touches.
    """
    disjoint: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if disjoint and span.start < disjoint[-1].end:
            disjoint[-1] = _union(disjoint[-1], span)
        else:
            disjoint.append(span)
    return disjoint


def _union(earlier: Span, later: Span) -> Span:
    if Kind.PRIVATE_KEY in {earlier.kind, later.kind}:
        kind = Kind.PRIVATE_KEY
    else:
        kind = max(earlier, later, key=lambda span: (span.kind is not Kind.SECRET, span.end - span.start)).kind
    return Span(earlier.start, max(earlier.end, later.end), kind)
