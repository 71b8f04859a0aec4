"""Units and dates: harder with less familiar units, larger amounts and longer spans."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from random import Random

from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.questions.styles import BRIEF, REASONED, graded

_SCALES = (
    ("kilometres", "metres", 1000),
    ("hours", "minutes", 60),
    ("kilograms", "grams", 1000),
    ("weeks", "days", 7),
    ("minutes", "seconds", 60),
    ("dozens", "pieces", 12),
    ("metres", "millimetres", 1000),
    ("feet", "inches", 12),
    ("days", "hours", 24),
    ("days", "minutes", 1440),
    ("hectares", "square metres", 10_000),
    ("bytes", "bits", 8),
    ("kibibytes", "bytes", 1024),
    ("yards", "inches", 36),
    ("gallons (US)", "pints", 8),
    ("square feet", "square inches", 144),
    ("nautical miles", "metres", 1852),
    ("stone", "pounds", 14),
    ("fathoms", "feet", 6),
    ("weeks", "seconds", 604_800),
)


def items(random: Random) -> Iterator[Item]:
    """Yield all questions of this module."""
    yield from _units(random)
    yield from _dates(random)


def _units(random: Random) -> Iterator[Item]:
    for i, level in graded(2 * len(_SCALES)):
        source, target, factor = _SCALES[i // 2]
        amount = random.randint(2, 6) if i % 2 == 0 else random.randint(13, 97)
        text = f"How many {target} are {amount} {source}?{random.choice((*BRIEF, REASONED))}"
        yield Item(f"unit-{i}", text, Check(Kind.NUMBER, (str(amount * factor),)), "unit", level)


def _dates(random: Random) -> Iterator[Item]:
    days = tuple(calendar.day_name)
    for i, level in graded(40):
        day = dt.date(2023, random.randint(1, 12), random.randint(1, 28))
        if i < 14:
            start, ahead = i % 7, random.randint(1, 4) if i < 7 else random.randint(8, 30)
            text = f"Today is {days[start]}. Which day of the week is it in {ahead} days?"
            right = days[(start + ahead) % 7]
            check = Check(Kind.TEXT, (right,), tuple(name for name in days if name != right))
        elif i < 24:
            month = random.randint(1, 12) if i < 22 else 2
            year = 2023 if i < 22 else 2000 - 100 * (i - 22)
            text = f"How many days does {calendar.month_name[month]} {year} have?"
            check = Check(Kind.NUMBER, (str(calendar.monthrange(year, month)[1]),))
        else:
            later = day + dt.timedelta(days=random.randint(3, 20) if i < 32 else random.randint(40, 200))
            text = f"How many days are there from {day.isoformat()} to {later.isoformat()}?"
            check = Check(Kind.NUMBER, (str((later - day).days),))
        yield Item(f"date-{i}", text + random.choice(BRIEF), check, "date", level)
