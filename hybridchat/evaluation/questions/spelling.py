"""Words taken apart letter by letter: harder for longer words and less usual tasks."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.questions.styles import BRIEF, graded

_WORDS = (
    "sun",
    "tree",
    "apple",
    "river",
    "planet",
    "kitchen",
    "elephant",
    "porcupine",
    "laboratory",
    "constellation",
)


def items(random: Random) -> Iterator[Item]:
    """Yield all questions of this module."""
    for i, level in graded(5 * len(_WORDS)):
        word = _WORDS[i // 5]
        match i % 5:
            case 0:
                text, check = f"Spell the word '{word}' backwards.", Check(Kind.TEXT, _spelled(word[::-1]))
            case 1:
                text, check = f"How many letters does the word '{word}' have?", Check(Kind.NUMBER, (str(len(word)),))
            case 2:
                text, check = f"Write the word '{word}' in capital letters.", Check(Kind.EXACT, (word.upper(),))
            case 3:
                place = random.randint(2, len(word))
                text, check = f"What is letter number {place} of the word '{word}'?", _letter(word[place - 1])
            case _:
                letter = random.choice(word)
                text = f"How often does the letter '{letter}' occur in the word '{word}'?"
                check = Check(Kind.NUMBER, (str(word.count(letter)),))
        yield Item(f"spelling-{i}", text + random.choice(BRIEF), check, "spelling", level)


def _spelled(word: str) -> tuple[str, ...]:
    return (word, "-".join(word), " ".join(word), ", ".join(word))


def _letter(letter: str) -> Check:
    return Check(Kind.EXACT, (letter, letter.upper()))
