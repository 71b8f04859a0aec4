"""Grades the answers to questions whose right answer is known.

A grader is fooled by an answer that mentions the right thing without asserting it ("not Sydney", "Sydney or Canberra")
and by one that asserts it in other clothes ("forty-two", "5,000 m", "`nab`"). So each kind of question has rules of its
own, and what can be said in several ways is brought into one form first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.numerals import concluded, numbers, reached
from hybridchat.evaluation.stated import statements
from hybridchat.messages import FinishReason

_NOT = r"(?:(?:do(?:es)?|did|is|are|was|were|has|have|had|could|can|would)(?:n't| not)|never|cannot)"
_FILLER = r"(?:actually |currently |yet |to be |been |seem to |appear to |be |an? |any |the )*"
_DENIED = (
    r"(?:recogni[sz]ed?|know|aware|familiar|exist\w*|valid|real|standard|official|actual|able|part of|built.in"
    r"|have (?:any |the )?(?:access|information|specific|enough|data|up)|find|found|provide\w*|predict\w*|determine\w*"
    r"|confirm\w*|verify|answer|mention\w*|given|list\w*|includ\w*|contain\w*|stat\w*|specif\w*|available|occur\w*"
    r"|happen\w*|held|taken? place|access)"
)
_ABSENT = (
    r"\bno (?:known |official |real |recorded |public |reliable |specific )*(?:record|information|data|evidence|mention"
    r"|element|planet|city|country|function|command|keyword|novel|drug|dish|world cup|telephone|phone|such)\b"
)
_UNREAL = (
    r"\b(?:fictional|fictitious|non-?existent|imaginary|hypothetical|made[- ]up|unknown|unable to|has yet to"
    r"|not (?:available|known|mentioned|provided|given|listed|specified|stated|included|in the list|possible to"
    r"|yet (?:been |be )?(?:announced|decided|released|played|known|determined|available|held|come)))\b"
)
_LATER = (
    r"\bin the future\b|\bfuture (?:event|date|year)|\bknowledge cut-?off\b|\bmy (?:last|latest) (?:update|training)\b"
)
_SORRY = (
    r"\bi(?:'m| am) sorry\b|\bi apologi[sz]e\b|\b(?:cannot|can't|not to|to not) discuss|\bto not discussing\b"
    r"|\bcancel\w* because of"
)
ABSTAINS = re.compile(rf"\b{_NOT} {_FILLER}{_DENIED}|{_ABSENT}|{_UNREAL}|{_LATER}|{_SORRY}", re.IGNORECASE)
"""Words of not knowing, or of denying that there is such a thing."""

_NEGATED = re.compile(
    r"(?:\b(?:not|never|neither|nor|rather than|instead of|unlike|other than|except)|n't)(?: (?!but\b)\w+){0,3}\s*$"
)
_CLAUSE = re.compile(r"[.;:!?\n]|,(?=\s)|\bbut\b")
_ALTERNATIVE = re.compile(r"^\s*or (?:the |an? |in )?(\w+)")
_ALTERNATIVE_BEFORE = re.compile(r"(\w+),? or (?:the |an? |in )?$")


def grade(item: Item, answer: str, finish: FinishReason = FinishReason.STOP) -> bool | None:
    """Return whether ``answer`` is right; None where it was cut off before it said anything right."""
    cut_off = finish is FinishReason.LENGTH
    if cut_off and item.check.kind is Kind.NUMBER:  # what it has come to by now may be an intermediate result
        answer = concluded(answer)
    right = _GRADERS[item.check.kind](item, answer)
    return None if not right and cut_off else right


def _number(item: Item, answer: str) -> bool:
    wanted = {number for text in item.check.answers for number in numbers(text)}
    return reached(answer, given=set(numbers(item.question)) - wanted) in wanted


def _text(item: Item, answer: str) -> bool:
    check, seen = item.check, normalised(answer)
    accepted = [normalised(form) for form in check.answers]
    if check.rivals:
        return _last_of_set(check, item.question, seen) in accepted
    return any(_asserted(seen, start, end, accepted) for form in accepted for start, end in _found(form, seen))


def _last_of_set(check: Check, question: str, seen: str) -> str | None:
    """Return the member of a closed set that the answer asserts last; what the question names counts only alone."""
    asked = normalised(question)
    members = [normalised(form) for form in (*check.answers, *check.rivals)]
    named = [
        (start, member)
        for member in members
        for start, end in _found(member, seen)
        if _asserted(seen, start, end, [member])
    ]
    new = [(start, member) for start, member in named if not any(True for _ in _found(member, asked))]
    return max(new or named, default=(0, None))[1]


def _asserted(seen: str, start: int, end: int, accepted: list[str]) -> bool:
    """Return whether what stands from ``start`` to ``end`` is neither negated nor one of several possibilities."""
    before = _CLAUSE.split(seen[max(0, start - 60) : start])[-1]
    if _NEGATED.search(before):
        return False
    words = {word for form in accepted for word in form.split()}
    other = _ALTERNATIVE.match(seen[end : end + 40])
    other_before = _ALTERNATIVE_BEFORE.search(seen[max(0, start - 40) : start])
    return all(match is None or match.group(1) in words for match in (other, other_before))


def _found(form: str, seen: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in re.finditer(rf"(?<!\w){re.escape(form)}(?!\w)", seen))


def _exact(item: Item, answer: str) -> bool:
    return any(statement in item.check.answers for statement in statements(answer, item.question))


def _regex(item: Item, answer: str) -> bool:
    return any(re.search(pattern, answer, re.IGNORECASE) for pattern in item.check.answers)


def _abstain(_: Item, answer: str) -> bool:
    return ABSTAINS.search(answer.replace("\u2019", "'")) is not None


_GRADERS = {Kind.NUMBER: _number, Kind.TEXT: _text, Kind.EXACT: _exact, Kind.REGEX: _regex, Kind.ABSTAIN: _abstain}


def normalised(text: str) -> str:
    """Return ``text`` in lower case, without accents, emphasis marks and doubled spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return re.sub(r"[^\S\n]+", " ", re.sub(r"[*_`\"\u201c\u201d\u00ab\u00bb]", "", plain))
