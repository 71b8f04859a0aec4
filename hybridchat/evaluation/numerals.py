"""Finds the numbers in a text, and the one that it arrives at."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TIMES = {"once": 1, "twice": 2, "thrice": 3}
_WORDS = (
    _TIMES | {word: value for value, word in enumerate(_ONES)} | {word: 10 * (i + 2) for i, word in enumerate(_TENS)}
)

_GROUP = r"(?:,|\{,\}|\\,|\\ |[\u00a0\u2009\u202f' ])"
_DIGITS = rf"\d{{1,3}}(?:{_GROUP}\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_SPELLED = (
    rf"(?:{'|'.join(_TIMES)})(?=\s*(?:[.!;)]|$|\n)|\s+in\b)"
    rf"|(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_ONES[1:10])}))?"
    rf"|{'|'.join(sorted(_ONES, key=len, reverse=True))}"
)
_SIGN = r"(?P<minus>[-\u2212\u2013](?=[\d$])|minus |negative )?"
_NUMBER = re.compile(
    rf"(?<![\w.])(?:{_SIGN}\$?(?P<digits>{_DIGITS})|(?P<spelled>{_SPELLED})(?!\w))",
    re.IGNORECASE,
)
_MARKER = re.compile(
    r"\\boxed\s*\{|\b(?:answer|result|total|solution)\b(?: to [^.\n]{0,60}?)?"
    r"(?:\s+(?:is|would be|equals|comes to))?\s*[:=]?",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r",?\s+\(?(?:because|since|as (?:one|each|an?|the|there))\b[^.\n]*|\bnot (?:far from|more than|less than)\s+\S+",
    re.IGNORECASE,
)


def numbers(text: str) -> list[float]:
    """Return all numbers of a text in order: in digits, with signs and grouped thousands, or spelled up to 99."""
    return [_value(match) for match in _NUMBER.finditer(_plain(text))]


def reached(answer: str, given: AbstractSet[float] = frozenset()) -> float | None:
    r"""Return the number that ``answer`` arrives at; ``given`` are those that the question states.

    It is the one behind the last "answer:", "result is" or ``\boxed``; else the one that stands alone in the first
    line; else the last one that the question does not state; else the last one. What an answer says in passing
    ("because one hour has 60") is passed over. None without any number.
    """
    text = _without_asides(_plain(answer))
    for marker in reversed(list(_MARKER.finditer(text))):
        behind = _statement(text[marker.end() :])
        if found := _in_digits_first(behind):
            return _last([_value(match) for match in found], given)
    found = _in_digits_first(text)
    if not found:
        return None
    if _stands_alone(found[0], text):
        return _value(found[0])
    return _last([_value(match) for match in found], given)


def concluded(answer: str) -> str:
    """Return of an answer that was cut off what states its result: from the last marker on, else its first sentence."""
    text = _plain(answer)
    markers = [marker for marker in _MARKER.finditer(text) if _NUMBER.search(_statement(text[marker.end() :]))]
    if markers:
        return text[markers[-1].start() :]
    first, end, _ = text.partition("\n")
    sentences = re.split(r"(?<=[^\d\s])\.\s|\.\s+(?=[A-Z])", first)
    return sentences[0] if end or len(sentences) > 1 else ""


def _in_digits_first(text: str) -> list[re.Match[str]]:
    """Return the numbers in digits; spelled ones only where there are no others, since "one" is mostly no number."""
    found = list(_NUMBER.finditer(text))
    return [match for match in found if match["digits"]] or found


def _without_asides(text: str) -> str:
    stripped = _ASIDE.sub("", text)
    return stripped if _NUMBER.search(stripped) else text


def _stands_alone(number: re.Match[str], text: str) -> bool:
    """Return whether ``number`` is all that the first line says."""
    first = text.partition("\n")[0]
    return number.end() <= len(first) and not re.search(r"\w", first[: number.start()] + first[number.end() :])


def _statement(behind: str) -> str:
    """Return the sentence that follows, or the next line where this one says nothing."""
    lines = [line for line in behind.splitlines() if re.search(r"\w", line)]
    return re.split(r"(?<=[^\d\s])\.\s|\.\s+(?=[A-Z])", lines[0])[0] if lines else ""


def _last(found: list[float], given: AbstractSet[float]) -> float:
    new = [number for number in found if number not in given]
    return (new or found)[-1]


def _plain(text: str) -> str:
    """Return ``text`` without emphasis and with its dates and list marks out of the way."""
    text = re.sub(r"\b\d{4}-\d{2}-\d{2}\b", " ", text.replace("**", "").replace("\\text", " ")).strip()
    return re.sub(r"^\s*(?:\d+[.)]|step \d+:?)\s+(?=\S)", " ", text, flags=re.MULTILINE | re.IGNORECASE)


def _value(match: re.Match[str]) -> float:
    if match["spelled"]:
        return float(sum(_WORDS[word] for word in re.split(r"[- ]", match["spelled"].lower())))
    value = float(re.sub(_GROUP, "", match["digits"]))
    return -value if match["minus"] else value
