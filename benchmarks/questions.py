"""Questions of known difficulty that grade themselves: what the shipped prior is measured on.

``python -m benchmarks.questions [--seed N] [--limit N]`` prints them as JSON Lines, in a seeded random order, so that
any first part of the list is a fair sample of the whole.
"""

from __future__ import annotations

import argparse
import calendar
import datetime as dt
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import zip_longest

from benchmarks.facts import AUTHORS, CAPITALS, ELEMENTS, EVERYDAY, NONSENSE, WORDS, YEARS
from benchmarks.grading import Item

BRIEF = (" Answer in one sentence.", " Reply with the answer only.")
STYLES = ("", *BRIEF, " Name it, then explain in two or three sentences.")
REASONED = " Think in at most two short sentences, then give the answer."
PARAGRAPH = " Answer in a short paragraph of about fifty words."


def questions(seed: int = 1) -> list[Item]:
    """Return all items in a seeded random order: each twice as it comes, and once asked for a long answer.

    Numbers are not asked for at length: where a calculation ends is not known when the answer is cut off.
    """
    rng = random.Random(seed)
    families = (_facts, _arithmetic, _stories, _units, _dates, _strings, _code, _series)
    short, long = (
        {
            item.text: item
            for variant in variants
            for family in families
            for item in map(partial(_variant, variant), family(rng))
            if variant != "c" or item.kind != "number"
        }
        for variants in ("ab", "c")
    )
    ordered = [list(short.values()), list(long.values())]
    for items in ordered:
        rng.shuffle(items)
    return [item for pair in zip_longest(*ordered) for item in pair if item is not None]


def _variant(variant: str, item: Item) -> Item:
    text = item.text
    if variant == "c":
        for style in (*STYLES[1:], REASONED):
            text = text.removesuffix(style)
        text += PARAGRAPH
    return replace(item, id=item.id + variant, text=text)


def _graded(count: int) -> Iterator[tuple[int, float]]:
    return ((i, round(i / (count - 1), 2)) for i in range(count))


def _facts(rng: random.Random) -> Iterator[Item]:
    for (i, level), (country, city) in zip(_graded(len(CAPITALS)), CAPITALS, strict=True):
        yield Item(
            f"capital-{i}", "capital", level, f"What is the capital of {country}?" + rng.choice(STYLES), "pattern", city
        )
    for (i, level), (name, symbol, number) in zip(_graded(len(ELEMENTS)), ELEMENTS, strict=True):
        if rng.random() < 0.5:
            text, kind, gold = f"What is the chemical symbol of {name}?", "exact", symbol
        else:
            text, kind, gold = f"What is the atomic number of {name}?", "number", str(number)
        yield Item(f"element-{i}", "element", level, text + rng.choice(STYLES), kind, gold)
    for (i, level), (work, author) in zip(_graded(len(AUTHORS)), AUTHORS, strict=True):
        yield Item(
            f"author-{i}", "author", level, f"Who wrote {work}?" + rng.choice(STYLES), "pattern", rf"[\w. ]*{author}"
        )
    for (i, level), (event, year) in zip(_graded(len(YEARS)), YEARS, strict=True):
        yield Item(f"year-{i}", "year", level, f"In which year {event}?" + rng.choice(STYLES), "pattern", str(year))
    for (i, level), (text, answer) in zip(_graded(len(EVERYDAY)), EVERYDAY, strict=True):
        yield Item(f"everyday-{i}", "everyday", level, text + rng.choice(STYLES), "pattern", rf"(?:{answer})s?")
    for (i, level), (word, language, translation) in zip(_graded(len(WORDS)), WORDS, strict=True):
        text = f"What is the {language} word for '{word}'?" + rng.choice(STYLES)
        yield Item(f"word-{i}", "word", level, text, "pattern", translation)
    for i, text in enumerate(NONSENSE):
        yield Item(f"nonsense-{i}", "nonsense", 1.0, text + rng.choice(STYLES), "abstain", "")


def _arithmetic(rng: random.Random) -> Iterator[Item]:
    for i, level in _graded(48):
        depth = 1 + i // 16
        top = 10 ** (1 + (i % 16) // 6)
        expression = str(rng.randint(2, top))
        for _ in range(depth):
            expression = f"({expression})" if rng.random() < 0.4 and " " in expression else expression
            expression += f" {rng.choice('+-*')} {rng.randint(2, top)}"
        gold = str(eval(expression, {"__builtins__": {}}))  # built above from digits and operators alone
        style = rng.choice((*BRIEF, REASONED)) if depth < 3 else REASONED
        yield Item(f"arithmetic-{i}", "arithmetic", level, f"What is {expression}?" + style, "number", gold)


def _stories(rng: random.Random) -> Iterator[Item]:
    for i, level in _graded(30):
        a, b, c = rng.randint(3, 9 + 3 * i), rng.randint(2, 4 + i), rng.randint(2, 6)
        match i * 3 // 30:
            case 0:
                text, gold = f"Tom has {a + b} apples and gives {b} to Ann. How many apples has Tom left?", a
            case 1:
                text = (
                    f"A box holds {b} pens. Mia buys {c} boxes and loses {min(a, b)} pens. How many pens has she left?"
                )
                gold = b * c - min(a, b)
            case _:
                text = (
                    f"A shop sells {a} cakes a day at {c} dollars each and pays {b} dollars rent a day. "
                    f"How many dollars are left after {c + 3} days?"
                )
                gold = (a * c - b) * (c + 3)
        yield Item(f"story-{i}", "story", level, text + REASONED, "number", str(gold))


def _units(rng: random.Random) -> Iterator[Item]:
    scales = (
        ("kilometres", "metres", 1000.0),
        ("hours", "minutes", 60.0),
        ("kilograms", "grams", 1000.0),
        ("weeks", "days", 7.0),
        ("minutes", "seconds", 60.0),
        ("dozens", "pieces", 12.0),
        ("metres", "millimetres", 1000.0),
        ("feet", "inches", 12.0),
        ("days", "minutes", 1440.0),
        ("hectares", "square metres", 10000.0),
        ("kibibytes", "bytes", 1024.0),
        ("gallons (US)", "pints", 8.0),
        ("square feet", "square inches", 144.0),
        ("nautical miles", "metres", 1852.0),
        ("weeks", "seconds", 604800.0),
    )
    for i, level in _graded(30):
        source, target, factor = scales[i // 2]
        amount = rng.randint(2, 5) if i % 2 == 0 else rng.randint(13, 97)
        text = f"How many {target} are {amount} {source}?" + rng.choice((*BRIEF, REASONED))
        yield Item(
            f"unit-{i}",
            "unit",
            level,
            text,
            "number",
            f"{amount * factor:g}" if factor < 1e4 else str(int(amount * factor)),
        )


def _dates(rng: random.Random) -> Iterator[Item]:
    for i, level in _graded(28):
        day = dt.date(2023, rng.randint(1, 12), rng.randint(1, 28))
        if i < 10:
            start, ahead = rng.randint(0, 6), rng.randint(1, 3) if i < 5 else rng.randint(8, 30)
            text = f"Today is {calendar.day_name[start]}. Which day of the week is it in {ahead} days?"
            kind, gold = "pattern", calendar.day_name[(start + ahead) % 7]
        elif i < 18:
            month = rng.randint(1, 12)
            text, kind = f"How many days does {calendar.month_name[month]} 2023 have?", "pattern"
            gold = str(calendar.monthrange(2023, month)[1])
        else:
            later = day + dt.timedelta(days=rng.randint(3, 20) if i < 23 else rng.randint(40, 200))
            text, kind = f"How many days are there from {day.isoformat()} to {later.isoformat()}?", "number"
            gold = str((later - day).days)
        yield Item(f"date-{i}", "date", level, text + rng.choice(BRIEF), kind, gold)


def _strings(rng: random.Random) -> Iterator[Item]:
    words = (
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
    for i, level in _graded(40):
        word = words[i // 4]
        match i % 4:
            case 0:
                text, kind, gold = f"Spell the word '{word}' backwards.", "pattern", word[::-1]
            case 1:
                text, kind, gold = f"How many letters does the word '{word}' have?", "pattern", str(len(word))
            case 2:
                text, kind, gold = f"Write the word '{word}' in capital letters.", "exact", word.upper()
            case _:
                place = rng.choice([n for n in range(2, len(word) + 1) if word[n - 1] != "a"])
                text = f"What is letter number {place} of the word '{word}'?"
                kind, gold = "pattern", rf"['\"*`(]*{word[place - 1]}['\"*`)]*"
        yield Item(f"string-{i}", "string", level, text + rng.choice(BRIEF), kind, gold)


def _code(rng: random.Random) -> Iterator[Item]:
    templates = (
        "print(len('{w}'))",
        "print({a} + {b})",
        "print([{a}, {b}, {c}][1])",
        "print('{w}'.upper())",
        "print(max({a}, {b}, {c}))",
        "print({a} // {c}, {a} % {c})",
        "print('{w}'[1:3])",
        "print(sum(range({c})))",
        "print(sorted([{b}, {a}, {c}]))",
        "print([x * {c} for x in range(4)])",
        "x = {a}\nfor i in range({c}):\n    x += i\nprint(x)",
        "print('-'.join('{w}'[::2]))",
        "def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nprint(f({c}))",
        "d = {{}}\nfor ch in '{w}':\n    d[ch] = d.get(ch, 0) + 1\nprint(max(d.values()))",
        "print(sum(x * x for x in range({a}) if x % {c} == 0))",
        "a, b = 0, 1\nfor _ in range({a}):\n    a, b = b, a + b\nprint(a)",
    )
    for i, level in _graded(32):
        word = rng.choice(("banana", "window", "coffee", "letters", "garden"))
        code = templates[i // 2].format(w=word, a=rng.randint(7, 19), b=rng.randint(2, 30), c=rng.randint(3, 6))
        text = f"What does this Python code print?\n\n```python\n{code}\n```\n" + rng.choice(BRIEF)
        yield Item(f"code-{i}", "code", level, text, "exact", _printed(code))


def _printed(code: str) -> str:
    lines: list[str] = []
    exec(code, {"print": lambda *values: lines.append(" ".join(map(str, values)))})  # one of the templates above
    return "\n".join(lines)


def _series(rng: random.Random) -> Iterator[Item]:
    for i, level in _graded(24):
        start, step = rng.randint(1, 9), rng.randint(2, 9)
        match i * 4 // 24:
            case 0:
                terms = [start + step * k for k in range(6)]
            case 1:
                terms = [start * 2**k for k in range(6)]
            case 2:
                terms = [start + k * k for k in range(6)]
            case _:
                terms = [start, start + step]
                while len(terms) < 6:
                    terms.append(terms[-1] + terms[-2])
        text = f"What is the next number in the series {', '.join(map(str, terms[:5]))}?" + rng.choice(BRIEF)
        yield Item(f"series-{i}", "series", level, text, "number", str(terms[5]))


def main() -> None:
    """Print the questions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    for item in questions(options.seed)[: options.limit]:
        print(json.dumps(asdict(item), ensure_ascii=False))


if __name__ == "__main__":
    main()
