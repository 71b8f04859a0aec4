# ruff: noqa: N802, ARG002 - the methods are named after the nodes that they handle, and all called alike
"""Works out what a small pure function returns, to check an answer that claims to know it.

An interpreter of its own over the syntax tree: no ``eval``, ``exec``, import, attribute, class or name of Python can be
reached, only numbers, strings, lists, tuples, sets and dictionaries, the operators on them, and the methods and
functions listed in ``pairs_operations``. The number of steps and the size of every value are bounded. Whatever it does
not know ends in ``Unknown``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from benchmarks.pairs_expressions import Expressions, Returned
from benchmarks.pairs_operations import Unknown, binary, bounded, ordered


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


def run(source: str, call: str) -> Any:
    """Return the value of the expression ``call`` after the function definitions of ``source``.

    Raises ``Unknown`` for whatever is not pure, not known, too long or an error.
    """
    machine = _Machine()
    try:
        scope: dict[str, Any] = {}
        for statement in ast.parse(source).body:
            machine.execute(statement, scope)
        return machine.value(ast.parse(call.strip(), mode="eval").body, scope)
    except (Returned, _Break, _Continue) as stray:
        raise Unknown("a statement outside its block") from stray
    except Exception as error:
        raise Unknown(str(error)) from error


class _Machine(Expressions):
    def execute(self, node: ast.stmt, scope: dict[str, Any]) -> None:
        self.count()
        handler = getattr(self, f"_do_{type(node).__name__}", None)
        if handler is None:
            raise Unknown(type(node).__name__)
        handler(node, scope)

    def block(self, body: Iterable[ast.stmt], scope: dict[str, Any]) -> None:
        for statement in body:
            self.execute(statement, scope)

    def _do_FunctionDef(self, node: ast.FunctionDef, scope: dict[str, Any]) -> None:
        if node.decorator_list:
            raise Unknown("a decorator")
        scope[node.name] = self._function(node.args, node.body, scope)

    def _do_Return(self, node: ast.Return, scope: dict[str, Any]) -> None:
        raise Returned(None if node.value is None else self.value(node.value, scope))

    def _do_Expr(self, node: ast.Expr, scope: dict[str, Any]) -> None:
        self.value(node.value, scope)

    def _do_Pass(self, node: ast.Pass, scope: dict[str, Any]) -> None:
        pass

    def _do_Break(self, node: ast.Break, scope: dict[str, Any]) -> None:
        raise _Break

    def _do_Continue(self, node: ast.Continue, scope: dict[str, Any]) -> None:
        raise _Continue

    def _do_Assign(self, node: ast.Assign, scope: dict[str, Any]) -> None:
        value = self.value(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)

    def _do_AugAssign(self, node: ast.AugAssign, scope: dict[str, Any]) -> None:
        current = self.value(node.target, scope)
        operand = self.value(node.value, scope)
        if isinstance(current, list) and isinstance(node.op, ast.Add):
            current.extend(operand)
            bounded(current)
        else:
            self.assign(node.target, bounded(binary(node.op, current, operand)), scope)

    def _do_If(self, node: ast.If, scope: dict[str, Any]) -> None:
        self.block(node.body if self.value(node.test, scope) else node.orelse, scope)

    def _do_While(self, node: ast.While, scope: dict[str, Any]) -> None:
        while self.value(node.test, scope):
            try:
                self.block(node.body, scope)
            except _Break:
                return
            except _Continue:
                continue
        self.block(node.orelse, scope)

    def _do_For(self, node: ast.For, scope: dict[str, Any]) -> None:
        for item in ordered(self.value(node.iter, scope)):
            self.count()
            self.assign(node.target, item, scope)
            try:
                self.block(node.body, scope)
            except _Break:
                return
            except _Continue:
                continue
        self.block(node.orelse, scope)

    def _do_Delete(self, node: ast.Delete, scope: dict[str, Any]) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                del self.value(target.value, scope)[self.value(target.slice, scope)]
            elif isinstance(target, ast.Name):
                del scope[target.id]
            else:
                raise Unknown("del")
