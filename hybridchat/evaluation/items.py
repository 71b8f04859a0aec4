"""Questions whose answers can be graded."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hybridchat.evaluation.traces import Length


class Kind(StrEnum):
    """How an answer is compared with the right one."""

    NUMBER = "number"  # the number that the answer arrives at
    TEXT = "text"  # words or a phrase, whatever their case and accents
    EXACT = "exact"  # what it states, letter for letter: code output, symbols
    REGEX = "regex"  # a regular expression, found anywhere, whatever the case
    ABSTAIN = "abstain"  # right is to say that one does not know, or that there is no such thing


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """What makes an answer right: any one of ``answers``.

    ``rivals`` are the other members of a closed set, such as the days of the week: then the last member that the
    answer asserts counts.
    """

    kind: Kind
    answers: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question, how it is graded, and what is known of it.

    ``level`` is its difficulty by construction, 0 (easiest) to 1; ``length`` the kind of answer that it asks for.
    """

    id: str
    question: str
    check: Check
    family: str = ""
    level: float | None = None
    length: Length = "short"
