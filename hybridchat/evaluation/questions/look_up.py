"""Look-ups in a document that is given along: harder in longer ones, for two steps, and where it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.questions.styles import BRIEF, graded

_SIZES = (6, 14, 30)
"""Lines of the documents; a line is about eighteen tokens."""

_FIRST = ("Alva", "Bruno", "Carla", "Dario", "Edda", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Luca")
_LAST = ("Adler", "Brook", "Castellan", "Dunmore", "Eriksen", "Falk", "Gruber", "Hollis", "Ivarsson", "Jansky")
_TOWNS = ("Ashford", "Brindley", "Corvale", "Dunholm", "Elmstead", "Farrow", "Glenmoor", "Hartwell")
_THINGS = ("bicycles", "lamps", "carpets", "kettles", "violins", "tents", "clocks", "umbrellas", "mirrors", "boots")


@dataclass(frozen=True, slots=True)
class _Order:
    number: int
    name: str
    town: str
    thing: str
    count: int
    price: int

    def __str__(self) -> str:
        return (
            f"Order {self.number}: {self.name} from {self.town} bought {self.count} {self.thing} "
            f"for {self.price} dollars each."
        )


def items(random: Random) -> Iterator[Item]:
    """Yield all questions of this module."""
    for i, level in graded(36):
        orders = _orders(random, _SIZES[i // 12])
        asked = random.choice(orders)
        match i % 6:
            case 0:
                question = f"What did {asked.name} buy?"
                others = tuple(thing for thing in _THINGS if thing != asked.thing)
                check = Check(Kind.TEXT, (asked.thing, asked.thing.removesuffix("s")), others)
            case 1:
                question = f"From which town is {asked.name}?"
                check = Check(Kind.TEXT, (asked.town,), tuple(town for town in _TOWNS if town != asked.town))
            case 2:
                question = f"What is the price of one piece in order {asked.number}, in dollars?"
                check = Check(Kind.NUMBER, (str(asked.price),))
            case 3:
                question = f"Who placed order {asked.number}?"
                check = Check(Kind.TEXT, (asked.name,))
            case 4:
                question = f"How many dollars did {asked.name} pay in total?"
                check = Check(Kind.NUMBER, (str(asked.count * asked.price),))
            case _:
                question = f"What is the telephone number of {asked.name}?"
                check = Check(Kind.ABSTAIN)
        text = "\n".join(map(str, orders))
        full = f"Here is a list of orders.\n\n{text}\n\nUse only this list. {question}{random.choice(BRIEF)}"
        yield Item(f"look-up-{i}", full, check, "look-up", level)


def _orders(random: Random, count: int) -> list[_Order]:
    names = [f"{first} {last}" for first in _FIRST for last in _LAST]
    return [
        _Order(
            1000 + 7 * line + random.randint(0, 6),
            name,
            random.choice(_TOWNS),
            random.choice(_THINGS),
            random.randint(2, 9),
            random.randint(11, 89),
        )
        for line, name in enumerate(random.sample(names, count))
    ]
