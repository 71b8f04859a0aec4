"""Sums, stories and series: harder with more terms, larger numbers and less familiar rules."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from random import Random

from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.questions.styles import BRIEF, REASONED, STEPS, graded

_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def items(random: Random) -> Iterator[Item]:
    """Yield all questions of this module."""
    yield from _sums(random)
    yield from _stories(random)
    yield from _series(random)


def _number(value: int) -> Check:
    return Check(Kind.NUMBER, (str(value),))


def _sums(random: Random) -> Iterator[Item]:
    for i, level in graded(72):
        terms = 2 + i // 24
        top = (9, 30, 100, 300)[i % 24 // 6]
        text, value = _expression(random, terms, top)
        if i % 4 == 3 and terms > 2:
            yield Item(f"steps-{i}", f"What is {text}?{STEPS}", _number(value), "arithmetic", level, "long")
        else:
            style = REASONED if terms > 3 else random.choice((*BRIEF, REASONED))
            yield Item(f"sum-{i}", f"What is {text}?{style}", _number(value), "arithmetic", level)


def _expression(random: Random, terms: int, top: int) -> tuple[str, int]:
    """Return a sum of so many terms, read from left to right by its brackets, and its value."""
    value = random.randint(2, top)
    text, compound = str(value), False
    for _ in range(terms - 1):
        sign, term = random.choice("+-*"), random.randint(2, top)
        if compound and (sign == "*" or random.random() < 0.3):
            text = f"({text})"
        text = f"{text} {sign} {term}"
        value = _OPERATIONS[sign](value, term)
        compound = True
    return text, value


def _stories(random: Random) -> Iterator[Item]:
    for i, level in graded(48):
        a, b, c = random.randint(3, 9 + 2 * i), random.randint(2, 4 + i // 2), random.randint(2, 6)
        match i // 12:
            case 0:
                text = f"Tom has {a + b} apples and gives {b} to Ann. How many apples has Tom left?"
                value = a
            case 1:
                lost = min(a, b)
                text = f"A box holds {b} pens. Mia buys {c} boxes and loses {lost} pens. How many pens has she left?"
                value = b * c - lost
            case 2:
                text = (
                    f"A bus starts with {a + b} people. At each of the next {c} stops {b} people get on and 1 gets "
                    "off. How many people are on the bus then?"
                )
                value = a + b + c * (b - 1)
            case _:
                text = (
                    f"A shop sells {a} cakes a day at {c} dollars each and pays {b} dollars rent a day. "
                    f"How many dollars are left after {c + 3} days?"
                )
                value = (a * c - b) * (c + 3)
        long = i % 2 == 1
        yield Item(
            f"story-{i}",
            text + (STEPS if long else REASONED),
            _number(value),
            "story",
            level,
            "long" if long else "short",
        )


def _series(random: Random) -> Iterator[Item]:
    for i, level in graded(30):
        start, step = random.randint(1, 9), random.randint(2, 9)
        match i // 6:
            case 0:
                terms = [start + step * k for k in range(6)]
            case 1:
                terms = [start * 2**k for k in range(6)]
            case 2:
                terms = [start + k * k for k in range(6)]
            case 3:
                terms = [start, start + step]
                while len(terms) < 6:
                    terms.append(terms[-1] + terms[-2])
            case _:
                terms = [start]
                while len(terms) < 6:
                    terms.append(2 * terms[-1] + (step if len(terms) % 2 else -1))
        shown = ", ".join(map(str, terms[:5]))
        text = f"What is the next number in the series {shown}?{random.choice(BRIEF)}"
        yield Item(f"series-{i}", text, _number(terms[5]), "series", level)
