"""What a short Python program prints: harder with loops, functions and less usual operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import factorial
from random import Random

from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.questions.styles import BRIEF, graded

_WORDS = ("banana", "window", "coffee", "letters", "garden", "pepper")
_EXPLAINED = " Explain it in two or three sentences, and end with 'Answer:' and what it prints."


@dataclass(frozen=True, slots=True)
class Program:
    """A program with places for a word ``w`` and numbers ``a`` (7 to 19), ``b`` (2 to 30), ``c`` (3 to 6).

    ``printed`` computes what it prints.
    """

    code: str
    printed: Callable[[str, int, int, int], object]


def _fibonacci(n: int) -> int:
    one, other = 0, 1
    for _ in range(n):
        one, other = other, one + other
    return one


PROGRAMS = (
    Program("print(len('{w}'))", lambda w, _a, _b, _c: len(w)),
    Program("print({a} + {b})", lambda _w, a, b, _c: a + b),
    Program("print([{a}, {b}, {c}][1])", lambda _w, _a, b, _c: b),
    Program("print('{w}'.upper())", lambda w, _a, _b, _c: w.upper()),
    Program("print(max({a}, {b}, {c}))", lambda _w, a, b, c: max(a, b, c)),
    Program("print({a} % {c})", lambda _w, a, _b, c: a % c),
    Program("print('{w}'[0] + '{w}'[-1])", lambda w, _a, _b, _c: w[0] + w[-1]),
    Program("print({a} // {c}, {a} % {c})", lambda _w, a, _b, c: f"{a // c} {a % c}"),
    Program("print('{w}'[1:3])", lambda w, _a, _b, _c: w[1:3]),
    Program("print(sum(range({c})))", lambda _w, _a, _b, c: sum(range(c))),
    Program("print(sorted([{b}, {a}, {c}]))", lambda _w, a, b, c: sorted([b, a, c])),
    Program("print([x * {c} for x in range(4)])", lambda _w, _a, _b, c: [x * c for x in range(4)]),
    Program("x = {a}\nfor i in range({c}):\n    x += i\nprint(x)", lambda _w, a, _b, c: a + sum(range(c))),
    Program("print('-'.join('{w}'[::2]))", lambda w, _a, _b, _c: "-".join(w[::2])),
    Program(
        "n = {b}\nsteps = 0\nwhile n > 0:\n    n -= {c}\n    steps += 1\nprint(steps)",
        lambda _w, _a, b, c: -(-b // c),
    ),
    Program(
        "def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nprint(f({c}))",
        lambda _w, _a, _b, c: factorial(c),
    ),
    Program(
        "d = {{}}\nfor ch in '{w}':\n    d[ch] = d.get(ch, 0) + 1\nprint(max(d.values()))",
        lambda w, _a, _b, _c: max(w.count(letter) for letter in w),
    ),
    Program(
        "print(sum(x * x for x in range({a}) if x % {c} == 0))",
        lambda _w, a, _b, c: sum(x * x for x in range(a) if x % c == 0),
    ),
    Program("a, b = 0, 1\nfor _ in range({a}):\n    a, b = b, a + b\nprint(a)", lambda _w, a, _b, _c: _fibonacci(a)),
)


def items(random: Random) -> Iterator[Item]:
    """Yield all questions of this module."""
    for i, level in graded(3 * len(PROGRAMS)):
        program = PROGRAMS[i // 3]
        word, a, b, c = random.choice(_WORDS), random.randint(7, 19), random.randint(2, 30), random.randint(3, 6)
        code = program.code.format(w=word, a=a, b=b, c=c)
        text = f"What does this Python code print?\n\n```python\n{code}\n```\n"
        check = Check(Kind.EXACT, (str(program.printed(word, a, b, c)),))
        if i % 3 == 2:
            yield Item(f"code-{i}", text + _EXPLAINED, check, "code", level, "long")
        else:
            yield Item(f"code-{i}", text + random.choice(BRIEF), check, "code", level)
