from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from benchmarks.pairs_code import code_features
from benchmarks.pairs_interpreter import run
from benchmarks.pairs_operations import Unknown

FUNCTIONS = [
    ("def f(n):\n t = 0\n for i in range(n):\n  if i == 3: continue\n  if i == 6: break\n  t += i\n return t", "f(9)"),
    ("def f(n):\n for i in range(n):\n  pass\n else:\n  return -1", "f(3)"),
    ("def f(n):\n while n > 2:\n  n //= 2\n  if n == 5: break\n  if n == 4: continue\n return n", "f(33)"),
    ("def f(n):\n while n: n -= 1\n else: n = 7\n return n", "f(3)"),
    ("def f(s):\n d = {}\n for c in s: d[c] = d.get(c, 0) + 1\n return sorted(d, key=lambda x: d[x])", "f('aba')"),
    ("def f(s, k=2, *rest):\n return s[::-1].upper().replace('A', 'x' * k), rest", "f('bana', 3, 2)"),
    ("def f(a):\n a += [1]\n b = a\n b.append(2)\n del b[0]\n x, (y, z) = 1, [2, 3]\n return a, x, y, z", "f([5, 6])"),
    ("def f(a):\n return [x * y for x in a for y in a if x != y], {x: -x for x in a}, sum(x for x in a)", "f([1, 2])"),
    ("def f(a):\n return f'{a} {a!r} {len(a)}', not a, a and 3, a or 4, 1 < 2 < 3, 3 if a else 4", "f('q')"),
    ("def f(n):\n return 1 if n < 2 else n * f(n - 1)", "f(6)"),
    ("def f(d):\n return list(d.keys()), {**d, 'b': 2}, [*d, 1], d is None, d is not None, (d is d)", "f({'a': 1})"),
    ("def f(a):\n return isinstance(a, (int, list)), type(a) == list, a.pop(), a.count(1), 7 % 4, ~3 ** 2", "f([1])"),
    ("def f(s):\n return list(zip(s, range(3))), list(enumerate(s)), list(map(int, ['1'])), {1, 2} & {2}", "f('ab')"),
    ("def f(s):\n return s.translate(str.maketrans('a', 'b')), dict.fromkeys([1]), round(2.567, 1)", "f('aa')"),
    ("def f(s):\n del s['a']\n x = 1\n del x\n return s, {'a'}, str([1, 'a']), int('ff', 16)", "f({'a': 1})"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "call"), FUNCTIONS)
def test_it_works_out_what_python_does(source: str, call: str) -> None:
    scope: dict[str, Any] = {}
    exec(source, scope)  # the test's own code, not a foreign one
    assert run(source, call) == eval(call, scope)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x): return open('/etc/passwd')",
        "def f(x): return __import__('os')",
        "def f(x): return x.__class__",
        "def f(x): return ''.__class__.__mro__",
        "def f(x): return '{0.__class__}'.format(x)",
        "def f(x): return f'{x:>9}'",
        "def f(x): return '%9s' % x",
        "def f(x): return eval('1')",
        "def f(x): return getattr(x, 'upper')",
        "import os\ndef f(x): return 1",
        "class A: pass\ndef f(x): return 1",
        "@f\ndef f(x): return 1",
        "def f(x, **y): return 1",
        "def f(x):\n global y\n return 1",
        "def f(x):\n x.y = 1",
        "def f(x):\n del x.y",
        "def f(x):\n a, *b = [1, 2]",
        "def f(x): return g(**x)",
        "def f(x): return 1 / 0",
        "def f(x): return f(x)",
        "def f(x):\n while True: pass",
        "def f(x): return [0] * 10 ** 9",
        "def f(x): return 'a'.ljust(10 ** 9)",
        "def f(x): return ('a' * 1500).replace('a', 'b' * 1500)",
        "def f(x): return ','.join(['a' * 1500] * 2)",
        "def f(x): return 10 ** 10 ** 10",
        "def f(x): return 2 ** 900 * 2 ** 900 * 2 ** 900",
        "def f(x): return int('9' * 400)",
        "def f(x): return range(10 ** 12)",
        "def f(x): return round(5, -(10 ** 9))",
        "def f(x): return 1 << 999",
        "def f(x):\n a = [1, 1]\n for i in range(60): a = [a, a]\n return str(a)",
        "def f(x):\n a = []\n a.append(a)\n return a",
        "def f(x): return ''.join({'a', 'b'})",
        "def f(x): return list({'a', 'b'})",
        "def f(x): return {'a', 'b'}.pop()",
        "def f(x):\n for c in {'a', 'b'}: return c",
        "def f(x): return str({'a', 'b'})",
        "def f(x): return str(f)",
        "def f(x): return (lambda: 1)(2)",
        "return 1",
        "def f(x:",
        "def f(x): " + "(" * 5000,
    ],
)
def test_what_it_does_not_know_it_says(source: str) -> None:
    with pytest.raises(Unknown):
        run(source, "f('x')")


def test_an_answer_is_checked_against_what_the_code_comes_to() -> None:
    question = "[PYTHON]\ndef f(s):\n    return s.upper()\nassert f('ab') == ??\n[/PYTHON]"
    for right in ("AB", "'AB'", '"AB"'):
        found = code_features(question, right)
        assert (found["code_confirms"], found["code_refutes"]) == (1, 0)
    assert code_features(question, "'Ab'")["code_refutes"] == 1
    assert code_features(question, "BA")["code_refutes"] == 1
    assert "code_confirms" not in code_features(question, "AB", static=True)
    assert code_features(question.replace("upper", "encode"), "AB")["code_worked_out"] == 0


def test_nothing_hangs_on_the_order_of_hashes() -> None:
    program = (
        "from benchmarks.pairs_interpreter import run\n"
        "print(run('def f(s):\\n d = dict.fromkeys(s)\\n return sorted(set(s)), d, len(set(s))', \"f('hello')\"))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
