"""What code in a question says about how hard it is to run in one's head, and what it comes to.

Python never executes it: it is parsed, and where it is small and pure, ``pairs_interpreter`` works it out.
"""

from __future__ import annotations

import ast
import re
import warnings
from math import log1p

from benchmarks.pairs_interpreter import run
from benchmarks.pairs_operations import Unknown

Features = dict[str, float]

_SPACES = re.compile(r"\s+")
_ASSERTION = re.compile(r"assert\s+(.*?)==\s*\?\?", re.DOTALL)
_FENCED = re.compile(r"\[PYTHON\](.*?)\[/PYTHON\]|```(?:python)?\n(.*?)```", re.DOTALL)
_HARD = {
    "index": {"index", "find", "rfind", "rindex", "count", "len"},
    "cuts": {"split", "rsplit", "splitlines", "partition", "rpartition", "join"},
    "strips": {"strip", "lstrip", "rstrip", "removeprefix", "removesuffix"},
    "pads": {"ljust", "rjust", "center", "zfill", "expandtabs", "format"},
    "replaces": {"replace", "translate", "maketrans", "sub"},
    "cases": {"upper", "lower", "title", "swapcase", "capitalize", "casefold"},
    "asks": {"isalpha", "isdigit", "isnumeric", "isalnum", "isupper", "islower", "istitle", "isspace", "isascii",
             "startswith", "endswith", "isdecimal", "isidentifier"},
    "orders": {"sort", "sorted", "reverse", "reversed", "min", "max"},
    "changes": {"append", "insert", "pop", "remove", "extend", "clear", "update", "popitem", "setdefault"},
    "dictionary": {"items", "keys", "values", "get", "fromkeys", "dict"},
    "ranges": {"range", "enumerate", "zip"},
}  # fmt: skip


def code_features(question: str, answer: str, *, static: bool = False) -> Features:
    """Return the features of the code in ``question`` and of ``answer`` as its result; empty where there is none.

    ``static`` leaves out what the code comes to.
    """
    fenced = _FENCED.search(question)
    if fenced is None:
        return {}
    body = fenced.group(1) or fenced.group(2) or ""
    call = _ASSERTION.search(body)
    tree = parsed(_ASSERTION.sub("", body))
    if tree is None:
        return {"code_unreadable": 1.0}
    return {
        "code_unreadable": 0.0,
        **({} if static else _checked(_ASSERTION.sub("", body), call.group(1) if call else "", answer)),
        **_structure(tree),
        **_calls(tree),
        **_result(tree, call.group(1) if call else "", answer),
    }


def same_value(one: object, other: object) -> bool:
    """Return whether two answers mean the same: equal values, or the same text but for spaces and quotes."""
    return one == other or _squeezed(one) == _squeezed(other)


def _squeezed(value: object) -> str:
    return _SPACES.sub("", str(value)).strip("'\"`").casefold()


def _checked(source: str, call: str, answer: str) -> Features:
    try:
        result = run(source, call)
    except Unknown:
        return {"code_worked_out": 0.0}
    right = result == literal(answer) or str(result) in {answer, answer.strip("'\"")}
    return {"code_worked_out": 1.0, "code_confirms": float(right), "code_refutes": float(not right)}


def parsed(source: str) -> ast.Module | None:
    """Return the syntax tree of ``source``; None where it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def literal(text: str) -> object:
    """Return the value of a Python literal; the text itself where it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value: object = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return text
    return value


def _structure(tree: ast.Module) -> Features:
    nodes = list(ast.walk(tree))
    loops = [node for node in nodes if isinstance(node, ast.For | ast.While | ast.comprehension)]
    nested = sum(
        isinstance(inner, ast.For | ast.While) for loop in loops for inner in ast.walk(loop) if inner is not loop
    )
    return {
        "code_nodes": log1p(len(nodes)),
        "code_loops": log1p(len(loops)),
        "code_while": float(any(isinstance(node, ast.While) for node in nodes)),
        "code_nested": float(nested > 0),
        "code_branches": log1p(sum(isinstance(node, ast.If | ast.IfExp) for node in nodes)),
        "code_slices": log1p(sum(isinstance(node, ast.Slice) for node in nodes)),
        "code_subscripts": log1p(sum(isinstance(node, ast.Subscript) for node in nodes)),
        "code_assigns": log1p(sum(isinstance(node, ast.Assign | ast.AugAssign) for node in nodes)),
        "code_returns": log1p(sum(isinstance(node, ast.Return) for node in nodes)),
        "code_arithmetic": log1p(sum(isinstance(node, ast.BinOp) for node in nodes)),
    }


def _calls(tree: ast.Module) -> Features:
    names = [
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]
    return {f"code_{kind}": float(any(name in members for name in names)) for kind, members in _HARD.items()}


def _result(tree: ast.Module, call: str, answer: str) -> Features:
    arguments = _arguments(call)
    value = literal(answer)
    longest = max((len(str(argument)) for argument in arguments), default=0)
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    constants = {str(node.value) for node in returned if isinstance(node, ast.Constant)}
    inputs = set("".join(map(str, arguments))) | set(ast.unparse(tree))
    return {
        "input_length": log1p(longest),
        "input_count": float(len(arguments)),
        "output_length": log1p(len(str(value))),
        "output_ratio": log1p(len(str(value))) - log1p(longest),
        "output_text": float(isinstance(value, str)),
        "output_number": float(isinstance(value, int | float) and not isinstance(value, bool)),
        "output_flag": float(isinstance(value, bool)),
        "output_collection": float(isinstance(value, list | tuple | set)),
        "output_mapping": float(isinstance(value, dict)),
        "output_empty": float(value in ("", [], {}, ())),
        "output_unchanged": float(any(value == argument for argument in arguments)),
        "output_constant": float(str(value) in constants),
        "output_new_characters": float(bool(set(str(value)) - inputs - set("[](){},:' "))),
        "output_digits": float(isinstance(value, str) and any(c.isdigit() for c in value)),
        "output_spaces": float(isinstance(value, str) and value != value.strip()),
    }


def _arguments(call: str) -> list[object]:
    tree = parsed(call.strip())
    if tree is None or not tree.body or not isinstance(tree.body[0], ast.Expr):
        return []
    expression = tree.body[0].value
    if not isinstance(expression, ast.Call):
        return []
    return [literal(ast.unparse(argument)) for argument in expression.args]
