"""Whether two answers to one question say the same, as far as that can be told without understanding them.

It can where the answer is a number, or short. Of prose nothing is said: two good explanations share few words.
"""

from __future__ import annotations

import re
import unicodedata

SHORT = 30
"""Words up to which an answer counts as short."""

_NUMBER = re.compile(r"[-−]?\d+(?:[.,]\d+)*")
_WORD = re.compile(r"\w+")
_FILLERS = frozenset({"the", "a", "an", "is", "it", "of", "was", "are", "in", "by", "answer", "final", "and", "to"})


def comparable(answer: str) -> bool:
    """Return whether another answer could be held against ``answer``."""
    return bool(_content(answer)) and (_is_short(answer) or _last_number(answer) is not None)


def agrees(answer: str, sample: str) -> bool | None:
    """Return whether ``sample``, a short answer to the same question, says what ``answer`` says; None if unclear."""
    if not comparable(answer) or not _content(sample):
        return None
    number = _last_number(sample)
    if number is not None:
        return number in _numbers(answer) if _is_short(answer) else number == _last_number(answer)
    if not _is_short(answer) or not _is_short(sample):
        return None
    one, two = _content(answer), _content(sample)
    return two <= one or one <= two


def _is_short(text: str) -> bool:
    return len(_WORD.findall(text)) <= SHORT


def _content(text: str) -> set[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return set(_WORD.findall(folded)) - _FILLERS


def _numbers(text: str) -> list[float]:
    found = []
    for match in _NUMBER.finditer(text):
        digits = match.group().replace("−", "-").replace(",", "")
        if digits.count(".") <= 1:
            found.append(float(digits))
    return found


def _last_number(text: str) -> float | None:
    numbers = _numbers(text)
    return numbers[-1] if numbers else None
