"""Grades the answers to questions whose right answer is known."""

from __future__ import annotations

import re
from dataclasses import dataclass

ABSTAINS = re.compile(
    r"not (?:a |an )?(?:real|known|recogni[sz]ed|aware|familiar|exist|valid|standard|official)|n't (?:exist|know|have)"
    r"|does not exist|fictional|no (?:such|known|record|information|official|element|planet|function)|unable to"
    r"|cannot (?:find|provide|confirm)|couldn't find|no world cup|was not held|not held|made[- ]up|cancel",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Item:
    """A question that can be graded.

    ``level`` is its difficulty by construction, 0 (easiest) to 1. ``kind`` says how ``gold`` is compared: ``number``
    (the last number in the answer, or the last that the question does not name), ``pattern`` (a regular expression
    found as whole words), ``exact`` (found letter for letter), ``abstain`` (a good answer says that there is no such
    thing).
    """

    id: str
    family: str
    level: float
    text: str
    kind: str
    gold: str


def grade(item: Item, answer: str) -> bool:
    """Return whether ``answer`` is right."""
    match item.kind:
        case "number":
            said, given = _numbers(answer), set(_numbers(item.text))
            new = [number for number in said if number not in given]
            return float(item.gold) in (said[-1:] + new[-1:])
        case "pattern":
            return re.search(rf"(?<!\w)(?:{item.gold})(?!\w)", answer, re.IGNORECASE) is not None
        case "exact":
            return re.search(rf"(?<!\w){re.escape(item.gold)}(?!\w)", answer) is not None
        case _:
            return ABSTAINS.search(answer) is not None


def _numbers(text: str) -> list[float]:
    return [float(match.replace(",", "")) for match in re.findall(r"(?<!\w)-?\d[\d,]*(?:\.\d+)?", text)]
