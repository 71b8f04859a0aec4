# ruff: noqa: N802, N815, ARG002 - the methods are named after the nodes that they handle, and all called alike
"""Works out expressions over plain values; ``pairs_interpreter`` adds the statements."""

from __future__ import annotations

import ast
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from benchmarks.pairs_operations import FUNCTIONS, Unknown, binary, bounded, method, ordered

STEPS = 20_000
DEPTH = 40


def _same(a: Any, b: Any) -> bool:
    """Return whether two values are one; of equal numbers and texts nobody should rely on it either way."""
    return a == b and type(a) is type(b) if isinstance(a, int | float | str | tuple) else a is b


_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: _same,
    ast.IsNot: lambda a, b: not _same(a, b),
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}


class Returned(Exception):
    """A function returns ``value``."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Expressions(ABC):
    """Computes the value of a node in a scope; every step counts."""

    def __init__(self) -> None:
        self._steps = 0
        self._depth = 0

    def count(self) -> None:
        """Count a step; raises ``Unknown`` after too many."""
        self._steps += 1
        if self._steps > STEPS:
            raise Unknown("too many steps")

    @abstractmethod
    def block(self, body: Iterable[ast.stmt], scope: dict[str, Any]) -> None:
        """Execute statements one after the other."""

    def value(self, node: ast.expr, scope: Mapping[str, Any]) -> Any:
        """Return the value of an expression, of bounded size."""
        self.count()
        handler = getattr(self, f"_see_{type(node).__name__}", None)
        if handler is None:
            raise Unknown(type(node).__name__)
        return bounded(handler(node, scope))

    def assign(self, target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
        """Bind a value to a name, to several names, or to a place in a container."""
        if isinstance(target, ast.Name):
            scope[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            values = list(ordered(value))
            if len(values) != len(target.elts) or any(isinstance(part, ast.Starred) for part in target.elts):
                raise Unknown("unpacking")
            for part, item in zip(target.elts, values, strict=True):
                self.assign(part, item, scope)
        elif isinstance(target, ast.Subscript):
            container = self.value(target.value, scope)
            container[self.value(target.slice, scope)] = value
            bounded(container)
        else:
            raise Unknown("assignment")

    def _see_Constant(self, node: ast.Constant, scope: Mapping[str, Any]) -> Any:
        return node.value

    def _see_Name(self, node: ast.Name, scope: Mapping[str, Any]) -> Any:
        if node.id in scope:
            return scope[node.id]
        if node.id in FUNCTIONS:
            return FUNCTIONS[node.id]
        raise Unknown(node.id)

    def _see_List(self, node: ast.List, scope: Mapping[str, Any]) -> Any:
        return list(self._elements(node.elts, scope))

    def _see_Tuple(self, node: ast.Tuple, scope: Mapping[str, Any]) -> Any:
        return tuple(self._elements(node.elts, scope))

    def _see_Set(self, node: ast.Set, scope: Mapping[str, Any]) -> Any:
        return set(self._elements(node.elts, scope))

    def _elements(self, nodes: Iterable[ast.expr], scope: Mapping[str, Any]) -> Iterable[Any]:
        for node in nodes:
            if isinstance(node, ast.Starred):
                yield from ordered(self.value(node.value, scope))
            else:
                yield self.value(node, scope)

    def _see_Dict(self, node: ast.Dict, scope: Mapping[str, Any]) -> Any:
        found: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                found.update(self.value(value, scope))
            else:
                found[self.value(key, scope)] = self.value(value, scope)
        return found

    def _see_BinOp(self, node: ast.BinOp, scope: Mapping[str, Any]) -> Any:
        return binary(node.op, self.value(node.left, scope), self.value(node.right, scope))

    def _see_UnaryOp(self, node: ast.UnaryOp, scope: Mapping[str, Any]) -> Any:
        return _UNARY[type(node.op)](self.value(node.operand, scope))

    def _see_BoolOp(self, node: ast.BoolOp, scope: Mapping[str, Any]) -> Any:
        stop_at = isinstance(node.op, ast.Or)
        value: Any = None
        for part in node.values:
            value = self.value(part, scope)
            if bool(value) is stop_at:
                break
        return value

    def _see_Compare(self, node: ast.Compare, scope: Mapping[str, Any]) -> Any:
        left = self.value(node.left, scope)
        for sign, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.value(comparator, scope)
            if not _COMPARE[type(sign)](left, right):
                return False
            left = right
        return True

    def _see_IfExp(self, node: ast.IfExp, scope: Mapping[str, Any]) -> Any:
        return self.value(node.body if self.value(node.test, scope) else node.orelse, scope)

    def _see_Subscript(self, node: ast.Subscript, scope: Mapping[str, Any]) -> Any:
        return self.value(node.value, scope)[self.value(node.slice, scope)]

    def _see_Slice(self, node: ast.Slice, scope: Mapping[str, Any]) -> Any:
        ends = (node.lower, node.upper, node.step)
        return slice(*(None if end is None else self.value(end, scope) for end in ends))

    def _see_JoinedStr(self, node: ast.JoinedStr, scope: Mapping[str, Any]) -> Any:
        return "".join(str(self.value(part, scope)) for part in node.values)

    def _see_FormattedValue(self, node: ast.FormattedValue, scope: Mapping[str, Any]) -> Any:
        if node.format_spec is not None or node.conversion not in {-1, 115, 114}:
            raise Unknown("a format")
        value = self.value(node.value, scope)
        return repr(value) if node.conversion == 114 else str(value)

    def _see_Lambda(self, node: ast.Lambda, scope: Mapping[str, Any]) -> Any:
        return self._function(node.args, node.body, scope)

    def _see_ListComp(self, node: ast.ListComp, scope: Mapping[str, Any]) -> Any:
        return [self.value(node.elt, inner) for inner in self._loops(node.generators, dict(scope))]

    _see_GeneratorExp = _see_ListComp

    def _see_SetComp(self, node: ast.SetComp, scope: Mapping[str, Any]) -> Any:
        return {self.value(node.elt, inner) for inner in self._loops(node.generators, dict(scope))}

    def _see_DictComp(self, node: ast.DictComp, scope: Mapping[str, Any]) -> Any:
        inside = self._loops(node.generators, dict(scope))
        return {self.value(node.key, inner): self.value(node.value, inner) for inner in inside}

    def _loops(self, generators: list[ast.comprehension], scope: dict[str, Any]) -> Iterable[dict[str, Any]]:
        if not generators:
            yield scope
            return
        first, *rest = generators
        for item in ordered(self.value(first.iter, scope)):
            self.count()
            self.assign(first.target, item, scope)
            if all(self.value(test, scope) for test in first.ifs):
                yield from self._loops(rest, scope)

    def _see_Call(self, node: ast.Call, scope: Mapping[str, Any]) -> Any:
        if any(keyword.arg is None for keyword in node.keywords):
            raise Unknown("**")
        arguments = list(self._elements(node.args, scope))
        named = {str(keyword.arg): self.value(keyword.value, scope) for keyword in node.keywords}
        if isinstance(node.func, ast.Attribute):
            return method(self._owner(node.func.value, scope), node.func.attr, arguments, named)
        return self.value(node.func, scope)(*arguments, **named)

    def _owner(self, node: ast.expr, scope: Mapping[str, Any]) -> Any:
        if isinstance(node, ast.Name) and node.id not in scope and node.id in {"str", "dict"}:
            return {"str": str, "dict": dict}[node.id]
        return self.value(node, scope)

    def _function(
        self, arguments: ast.arguments, body: list[ast.stmt] | ast.expr, scope: Mapping[str, Any]
    ) -> Callable[..., Any]:
        if arguments.kwonlyargs or arguments.kwarg or arguments.posonlyargs:
            raise Unknown("arguments")
        names = [argument.arg for argument in arguments.args]
        defaults = [self.value(default, scope) for default in arguments.defaults]
        preset = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))

        def call(*given: Any, **named: Any) -> Any:
            inner = {**scope, **preset, **dict(zip(names, given, strict=False)), **named}
            if len(given) > len(names) and not arguments.vararg:
                raise Unknown("too many arguments")
            if arguments.vararg:
                inner[arguments.vararg.arg] = given[len(names) :]
            self._depth += 1
            try:
                if self._depth > DEPTH:
                    raise Unknown("too deep")
                if isinstance(body, ast.expr):
                    return self.value(body, inner)
                self.block(body, inner)
            except Returned as returned:
                return returned.value
            finally:
                self._depth -= 1
            return None

        return call
