from __future__ import annotations

import pytest

from benchmarks.pairs_agreement import agree, agreement, overlap
from benchmarks.pairs_arithmetic import Equation, equations, evaluate, numbers
from benchmarks.pairs_code import code_features
from benchmarks.pairs_solution import Answer, Solution, answer_form, arithmetic, form

CODE = """Complete the assertion.

[PYTHON]
def f(text, n):
    for c in text.split():
        n += len(c)
    return n
assert f('ab cd', 3) == ??
[/PYTHON]"""


def solution(text: str, answer: Answer = None, question: str = "") -> Solution:
    return Solution(question, text, answer)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("so 3 * 4 = 12 in all", [((3, 4), 12)]),
        ("$80,000 + $50,000 (repairs) = $130,000", [((80000, 50000), 130000)]),
        ("5 boxes × 4 pens per box = 20 pens", [((5, 4), 20)]),
        (r"\( \frac{6}{3} \times 2 = 4 \)", [((6, 3, 2), 4)]),
        ("2 x 3 = 6 and 6 - 1 = 5", [((2, 3), 6), ((6, 1), 5)]),
        ("20% of 50 = 10", [((20, 100, 50), 10)]),
        ("12 divided by 4 equals 3", [((12, 4), 3)]),
        ("(2 + 3) * 4 = 20", [((2, 3, 4), 20)]),
        ("x + 3 = 7", []),
        ("3 + 4 = 2x", []),
        ("4 = 4", []),
        ("7 / 0 = 1", []),
    ],
)
def test_calculations_are_found(text: str, found: list[tuple[tuple[float, ...], float]]) -> None:
    assert [(e.operands, e.stated) for e in equations(text) if e.stated != 2 or "x" not in text] == found


def test_a_wrong_calculation_is_told_from_rounding() -> None:
    assert not Equation((17, 12), 194, 204).holds
    assert Equation((2, 3), 0.67, 2 / 3).holds
    assert Equation((1, 4), 25, 0.25).holds
    assert [e.holds for e in equations("17 * 12 = 194, 8 / 3 = 2.67")] == [False, True]


@pytest.mark.parametrize("text", ["", "2 +", "(2", "2 ** 3", "a + 1", "1 + 1)" * 3, "1+" * 200 + "1", "__import__"])
def test_what_is_no_arithmetic_has_no_value(text: str) -> None:
    assert evaluate(text) is None


def test_arithmetic_follows_the_usual_order() -> None:
    assert evaluate("2 + 3 * -(4 - 6) / 2") == 5


def test_numbers_are_read_with_their_commas() -> None:
    assert numbers("1,234.5 and .5 but not x2 or v1.2") == [1234.5, 0.5]


def test_a_leap_to_the_answer_shows() -> None:
    question = "There are 4 boxes of 5 pens. How many pens?"
    leap = solution('{"reasoning": "Multiply 4 by 5.", "answer": "25"}', 25.0, question)
    derived = solution('{"reasoning": "4 * 5 = 20", "answer": "20"}', 20.0, question)
    assert answer_form(leap)["value_reached"] == 0
    assert answer_form(derived)["value_last"] == 1
    assert arithmetic(derived)["ends_in_equation"] == 1
    assert arithmetic(leap)["given_unused"] == 0
    assert arithmetic(solution("4", None, question))["given_unused"] > 0


def test_the_form_of_a_text_is_read() -> None:
    text = 'Let x be it. However, 2x = 3.\n{"answer": "x = 1.5"}\nSo it is roughly 1.5'
    found = {**form(solution(text)), **answer_form(solution(text, "x = 1.5"))}
    assert found["tail"] > 0
    assert found["algebra"] > 0
    assert found["rounds"] > 0
    assert found["answer_operators"] == 1
    assert answer_form(solution("nothing"))["answer_none"] == 1
    assert "value_size" not in answer_form(solution("", "inf"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (3.0, 3.001, True),
        (3.0, 4.0, False),
        ("[1, 2]", "[1,2]", True),
        ("'ab'", "ab", True),
        ("{1: 2}", "{1: 3}", False),
        ("1" * 5000, "x", False),
        (None, None, False),
    ],
)
def test_agreement_is_about_meaning(one: Answer, other: Answer, same: bool) -> None:
    assert agree(solution("", one), solution("", other)) is same


def test_two_solutions_are_compared_on_their_way_too() -> None:
    one = solution("4 * 5 = 20, 20 + 2 = 22", 22.0, "4 boxes of 5, 2 more")
    other = solution("so 4 * 5 = 20", 20.0, "4 boxes of 5, 2 more")
    assert agreement(one, other) == {"second": 1, "agree": 0, "results_overlap": 0.5, "words_overlap": 0}
    assert agreement(one, None) == {"second": 0}
    assert overlap([], []) == 1


def test_code_is_described_without_running_it() -> None:
    found = code_features(CODE, "7")
    assert found["code_loops"] > 0
    assert found["code_cuts"] == 1
    assert found["input_count"] == 2
    assert found["output_number"] == 1
    assert code_features("no code here", "7") == {}
    assert code_features("[PYTHON]def f(:[/PYTHON]", "7") == {"code_unreadable": 1.0}
    assert code_features("```python\nprint(1)\n```", "[")["input_count"] == 0


def test_an_answer_is_held_against_the_code() -> None:
    assert code_features(CODE, "'ab cd'")["output_unchanged"] == 1
    assert code_features(CODE, "'xyz!'")["output_new_characters"] == 1
    assert code_features(CODE.replace("f('ab cd', 3)", "3 +"), "''")["output_empty"] == 1
