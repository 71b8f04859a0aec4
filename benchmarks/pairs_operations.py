"""The operators, functions and methods that ``pairs_interpreter`` knows, each on bounded values only."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

LARGEST = 2_000
"""Characters and elements of a value at most, all that it contains counted."""

BITS = 2_000
"""Of a whole number at most."""


class Unknown(Exception):
    """The value is not known: the code does what this interpreter does not."""


def bounded(value: Any) -> Any:
    """Return ``value``; raises ``Unknown`` where it is too large."""
    size, waiting = 0, [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str | bytes):
            size += len(part)
        elif isinstance(part, list | tuple | set | frozenset):
            size += len(part)
            waiting.extend(part)
        elif isinstance(part, dict):
            size += len(part)
            waiting.extend(part.keys())
            waiting.extend(part.values())
        elif isinstance(part, int) and part.bit_length() > BITS:
            raise Unknown("too large")
        if size > LARGEST:
            raise Unknown("too large")
    return value


def ordered(value: Any) -> Any:
    """Return ``value``; raises ``Unknown`` for a set whose order differs from run to run."""
    if isinstance(value, set | frozenset) and len(value) > 1:
        raise Unknown("the order of a set")
    return value


_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}


def binary(sign: ast.operator, left: Any, right: Any) -> Any:
    """Apply an operator, refusing those that could make a value much larger than its operands."""
    if isinstance(sign, ast.Mult):
        sizes = [len(side) for side in (left, right) if hasattr(side, "__len__")]
        counts = [side for side in (left, right) if isinstance(side, int)]
        if sizes and counts and sizes[0] * max(0, counts[0]) > LARGEST:
            raise Unknown("too large")
        return left * right
    if isinstance(sign, ast.Pow):
        if not all(isinstance(side, int | float) and abs(side) <= 1000 for side in (left, right)):
            raise Unknown("too large")
        return left**right
    if isinstance(sign, ast.Mod):
        if isinstance(left, str):
            raise Unknown("a format")
        return left % right
    if type(sign) not in _BINARY:
        raise Unknown(type(sign).__name__)
    return _BINARY[type(sign)](left, right)


def _range(*ends: int) -> list[int]:
    span = range(*ends)
    if len(span) > LARGEST:
        raise Unknown("too large")
    return list(span)


def _integer(value: Any = 0, base: int | None = None) -> int:
    if isinstance(value, str) and len(value) > 300:
        raise Unknown("too large")
    return int(value) if base is None else int(value, base)


def _listed(function: Callable[..., Any]) -> Callable[..., list[Any]]:
    return lambda *arguments, **named: list(function(*map(ordered, arguments), **named))


def _in_order(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: function(*map(ordered, arguments))


def _text(function: Callable[[Any], str]) -> Callable[..., str]:
    def written(value: Any = "") -> str:
        if callable(value) or (isinstance(value, list | tuple | dict | set) and "0x" in function(bounded(value))):
            raise Unknown("a text of a function")
        return function(ordered(value))

    return written


def _rounded(value: Any, digits: int | None = None) -> Any:
    if digits is not None and abs(digits) > 20:
        raise Unknown("too large")
    return round(value, digits)


FUNCTIONS: Mapping[str, Any] = {
    "len": len, "str": _text(str), "int": _integer, "float": float, "bool": bool, "abs": abs, "sum": sum, "min": min,
    "max": max, "any": any, "all": all, "sorted": sorted, "list": _in_order(list), "tuple": _in_order(tuple),
    "set": set, "dict": dict,
    "range": _range, "enumerate": _listed(enumerate), "zip": _listed(zip), "reversed": _listed(reversed),
    "map": _listed(map), "filter": _listed(filter), "ord": ord, "chr": chr, "round": _rounded, "repr": _text(repr),
    "frozenset": frozenset, "divmod": divmod,
    "isinstance": lambda value, kind: isinstance(value, _kinds(kind)), "type": lambda value: _TYPES[type(value)],
}  # fmt: skip
"""What the functions of these names do here; iterators are lists."""

_TYPES: Mapping[type, Any] = {
    python: FUNCTIONS[python.__name__] for python in (str, int, float, bool, list, tuple, set, dict)
}


def _kinds(kind: Any) -> tuple[type, ...]:
    given = kind if isinstance(kind, tuple) else (kind,)
    return tuple(python for python, ours in _TYPES.items() if any(ours is one for one in given)) or (Unknown,)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_METHODS: Mapping[type, frozenset[str]] = {
    str: _names(
        "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower "
        "isnumeric isprintable isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace "
        "rfind rindex rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper "
        "maketrans center ljust rjust zfill expandtabs"
    ),
    list: _names("append clear copy count extend index insert pop remove reverse sort"),
    tuple: _names("count index"),
    dict: _names("clear copy fromkeys get items keys pop popitem setdefault update values"),
    set: _names(
        "add clear copy difference discard intersection issubset issuperset pop remove symmetric_difference union "
        "update isdisjoint"
    ),
}
_PADS = _names("center ljust rjust zfill expandtabs")


def method(owner: Any, name: str, arguments: list[Any], named: Mapping[str, Any]) -> Any:
    """Call a known method of a known type; what a dictionary shows of itself comes as a list."""
    kind = owner if owner in (str, dict) else type(owner)
    if name not in _METHODS.get(kind, ()):
        raise Unknown(name)
    if name in _PADS and any(isinstance(width, int) and width > LARGEST for width in arguments):
        raise Unknown("too large")
    if name == "replace" and len(owner) * max(1, len(arguments[1])) > LARGEST:
        raise Unknown("too large")
    if name == "join":
        ordered(arguments[0])
    if name == "pop" and kind is set:
        ordered(owner)
    if name == "join" and sum(len(part) + len(owner) for part in arguments[0]) > LARGEST:
        raise Unknown("too large")
    found = getattr(owner, name)(*arguments, **named)
    bounded(owner if kind is type(owner) else None)
    return list(found) if kind is dict and name in {"items", "keys", "values"} else found
