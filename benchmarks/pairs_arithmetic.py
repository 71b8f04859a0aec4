"""Finds the calculations written out in a solution, and does them again.

A small model that writes ``17 * 12 = 194`` has told that it is wrong. Nothing of the text is executed: what is left
between a number and an equals sign after units and LaTeX are taken away is arithmetic on digits, read by a parser that
knows four operators and brackets.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

NUMBER = re.compile(r"(?<![\w.])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w]*\d)|(?<![\w.])\.\d+")
SLACK = 0.006
"""Relative error that still counts as rounding."""

LONGEST = 120
"""Characters of an expression that are read at most."""

_WORDS = (
    (re.compile(r"\\(?:times|cdot)|[×∗·]|\b(?:times|multiplied by)\b"), "*"),
    (re.compile(r"\\div|÷|\bdivided by\b"), "/"),
    (re.compile(r"\bplus\b"), "+"),
    (re.compile(r"[−–]|\bminus\b"), "-"),
    (re.compile(r"\\(?:d|t)?frac\{([^{}]*)\}\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"≈|\\approx|\b(?:equals|is equal to|gives us|which is)\b"), "="),
    (re.compile(r"\\[()\[\]]|\\text\{[^{}]*\}|[$€£\\]"), ""),
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
    (re.compile(r"(?<=\d)\s*%\s*of\b"), "/100*"),
    (re.compile(r"(?<=\d)\s*%"), "/100"),
    (re.compile(r"(?<=\d)\s+[xX]\s+(?=[\d.(])"), "*"),
)
_UNITS = re.compile(r"(?<=[\d)])(?:[ /-]+[A-Za-z'’]+){1,4}\s*(?=[-+*/=)])")
_NOTES = re.compile(r"\([^()\d]*\)")
_TOKENS = re.compile(r"\d+(?:\.\d*)?|\.\d+|[-+*/()]")


@dataclass(frozen=True, slots=True)
class Equation:
    """One calculation: the numbers that go in, what the text says comes out, and what does."""

    operands: tuple[float, ...]
    stated: float
    computed: float

    @property
    def holds(self) -> bool:
        """Whether the text is right, up to rounding and a percent sign."""
        return any(close(self.computed * factor, self.stated) for factor in (1.0, 100.0, 0.01))


def close(one: float, other: float) -> bool:
    """Return whether two numbers agree up to rounding."""
    return abs(one - other) <= max(SLACK * max(abs(one), abs(other)), 0.0051)


def numbers(text: str) -> list[float]:
    """Return the numbers in ``text`` in order."""
    return [float(found.group().replace(",", "")) for found in NUMBER.finditer(text)]


def plain(text: str) -> str:
    """Rewrite operators, units and LaTeX so that calculations stand as bare arithmetic."""
    for pattern, replacement in _WORDS:
        text = pattern.sub(replacement, text)
    return _NOTES.sub("", _UNITS.sub(" ", _UNITS.sub(" ", text)))


def equations(text: str) -> list[Equation]:
    """Return the calculations of ``text`` in order; a chain ``a + b = c = d`` counts once for each equals sign."""
    found: list[Equation] = []
    for line in plain(text).splitlines():
        parts = line.split("=")
        for left, right in itertools.pairwise(parts):
            equation = _equation(left, right)
            if equation is not None:
                found.append(equation)
    return found


_LEFT = re.compile(r"(?<![\w.^])[\d(.-][\d\s.+*/()-]*$")
_RIGHT = re.compile(r"^\s*-?\s*(?:\d+(?:\.\d+)?|\.\d+)")


def _equation(left: str, right: str) -> Equation | None:
    before, after = _LEFT.search(left[-LONGEST:]), _RIGHT.match(right)
    if before is None or after is None or re.match(r"\s*(?:[*/^(]|[-+]\s*[\d(])", right[after.end() :]):
        return None
    expression = before.group().strip()
    while expression.count(")") < expression.count("(") and expression.startswith("("):
        expression = expression[1:]
    value = evaluate(expression)
    operands = tuple(float(token) for token in _TOKENS.findall(expression) if token[-1].isdigit() or token[0].isdigit())
    if value is None or len(operands) < 2:
        return None
    return Equation(operands, float(after.group().replace(" ", "")), value)


def evaluate(expression: str) -> float | None:
    """Return the value of arithmetic with ``+ - * /`` and brackets; None for anything else or a division by zero."""
    if len(expression) > LONGEST or _TOKENS.sub("", expression).strip():
        return None
    tokens = _Tokens(_TOKENS.findall(expression))
    try:
        value = _sum(tokens)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if tokens.next is None else None


class _Tokens:
    def __init__(self, tokens: list[str]) -> None:
        self._rest: Iterator[str] = iter(tokens)
        self.next: str | None = next(self._rest, None)

    def take(self) -> str:
        if self.next is None:
            raise ValueError("the expression ends early")
        token, self.next = self.next, next(self._rest, None)
        return token


def _sum(tokens: _Tokens) -> float:
    value = _product(tokens)
    while tokens.next in {"+", "-"}:
        value += _product(tokens) if tokens.take() == "+" else -_product(tokens)
    return value


def _product(tokens: _Tokens) -> float:
    value = _factor(tokens)
    while tokens.next in {"*", "/"}:
        value = value * _factor(tokens) if tokens.take() == "*" else value / _factor(tokens)
    return value


def _factor(tokens: _Tokens) -> float:
    token = tokens.take()
    if token == "-":
        return -_factor(tokens)
    if token == "(":
        value = _sum(tokens)
        if tokens.take() != ")":
            raise ValueError("a bracket is not closed")
        return value
    return float(token)
