"""Facts, from what everyone knows to what few do; half of them with an explanation."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.questions.facts import AUTHORS, CAPITALS, ELEMENTS, EVERYDAY, TRANSLATIONS, YEARS
from hybridchat.evaluation.questions.styles import FREE, PARAGRAPH, graded


def items(random: Random) -> Iterator[Item]:
    """Yield all questions of this module."""
    for item in _facts(random):
        if random.random() < 0.5 and item.check.kind is not Kind.EXACT:
            yield Item(item.id, item.question + PARAGRAPH, item.check, item.family, item.level, "long")
        else:
            yield Item(item.id, item.question + random.choice(FREE), item.check, item.family, item.level)


def _text(accepted: str) -> Check:
    return Check(Kind.TEXT, tuple(accepted.split("|")))


def _facts(random: Random) -> Iterator[Item]:
    for (i, level), (country, city) in zip(graded(len(CAPITALS)), CAPITALS, strict=True):
        yield Item(f"capital-{i}", f"What is the capital of {country}?", _text(city), "capital", level)
    for (i, level), (name, symbol, number) in zip(graded(len(ELEMENTS)), ELEMENTS, strict=True):
        if random.random() < 0.5:
            text, check = f"What is the chemical symbol of {name}?", Check(Kind.EXACT, (symbol,))
        else:
            text, check = (
                f"What is the atomic number of {name}?",
                Check(Kind.REGEX, (rf"(?<![\d.]){number}(?![\d.]*\d)",)),
            )
        yield Item(f"element-{i}", text, check, "element", level)
    for (i, level), (work, author) in zip(graded(len(AUTHORS)), AUTHORS, strict=True):
        yield Item(f"author-{i}", f"Who wrote {work}?", _text(author), "author", level)
    for (i, level), (event, year) in zip(graded(len(YEARS)), YEARS, strict=True):
        yield Item(f"year-{i}", f"In which year {event}?", _text(str(year)), "year", level)
    for (i, level), (question, answer) in zip(graded(len(EVERYDAY)), EVERYDAY, strict=True):
        yield Item(f"everyday-{i}", question, _text(answer), "everyday", level)
    for (i, level), (word, language, translation) in zip(graded(len(TRANSLATIONS)), TRANSLATIONS, strict=True):
        question = f"What is the {language} word for '{word}'?"
        yield Item(f"translation-{i}", question, _text(translation), "translation", level)
