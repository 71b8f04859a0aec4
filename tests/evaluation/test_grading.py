from __future__ import annotations

import contextlib
import io

import pytest

from hybridchat.evaluation.grading import grade
from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.numerals import numbers, reached
from hybridchat.evaluation.questions import shipped
from hybridchat.messages import FinishReason

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def item(kind: Kind, *answers: str, question: str = "What is it?", rivals: tuple[str, ...] = ()) -> Item:
    return Item("x", question, Check(kind, answers, rivals))


@pytest.mark.parametrize(
    "answer",
    [
        "180",
        "180.",
        "**180**",
        "180 minutes",
        "There are 180 minutes in 3 hours.",
        "3 hours are 180 minutes, because one hour has 60.",
        "180 minutes, since one hour has 60 minutes.",
        "180\n\n1 hour = 60 minutes, so 3 hours = 3 x 60.",
        "3 * 60 = 180",
        "Each hour has 60 minutes. 60 * 3 = 180.\n\nAnswer: 180",
        "The answer is 180 minutes. You can check it: 180 / 60 = 3.",
        r"So we get \boxed{180}.",
        "The total is **180**.",
        "one hundred and eighty... in digits: 180",
        "1. Take 60.\n2. Multiply it by 3.\n3. The result: 180",
        "First I thought 170. Wait, no: it is 180.",
        "Answer:\n180",
        "180.0",
        "It is exactly $180$.",
        "\u2003180 min",
    ],
)
def test_a_number_said_in_any_way_is_right(answer: str) -> None:
    assert grade(item(Kind.NUMBER, "180", question="How many minutes are 3 hours?"), answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I do not know.",
        "18",
        "1800",
        "180.5",
        "-180",
        "It is not far from 180: it is 190.",
        "180? No, actually it is 170.",
        "60 * 3 = 180, plus 10 makes 190.",
        "Answer: 190, not far from 180",
        "Answer: 1180",
        "A180B",
        "3",
        "first 180, then 181",
    ],
)
def test_a_number_that_is_only_mentioned_is_wrong(answer: str) -> None:
    assert not grade(item(Kind.NUMBER, "180", question="How many minutes are 3 hours?"), answer)


def test_an_answer_that_the_question_names_too_can_be_reached() -> None:
    sum_ = item(Kind.NUMBER, "10", question="What is (10 - 6) + 6?")
    assert grade(sum_, "10 - 6 = 4, and 4 + 6 = 10.")
    assert not grade(sum_, "10 - 6 = 4")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5,000 and 12,345.6", [5000, 12345.6]),
        ("5 000 or 5\u202f000", [5000, 5000]),
        (r"5{,}000", [5000]),
        ("-5, \u22125, minus 5, a - 5", [-5, -5, -5, 5]),
        ("1, 2, 3", [1, 2, 3]),
        ("3.5 and 2e3", [3.5, 2000]),
        ("twenty-one and seven", [21, 7]),
        ("seventeen, not seven", [17, 7]),
        ("someone alone", []),
        ("$12 v1.2 x3", [12]),
        ("2023-07-21", []),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, found: list[float]) -> None:
    assert numbers(text) == found


def test_a_spelled_number_counts_where_there_are_no_digits() -> None:
    assert grade(item(Kind.NUMBER, "8"), "A spider has eight legs.")
    assert reached("It is 8, as everyone knows; no one doubts it.") == 8
    assert reached("nothing here") is None


@pytest.mark.parametrize(
    "answer",
    [
        "Canberra",
        "canberra!",
        "The capital is **Canberra**.",
        "Canberra, not Sydney.",
        "It is not Sydney but Canberra.",
        "It isn't Sydney. It's Canberra.",
        "Many think of Sydney, however the capital is Canberra.",
        "CANBERRA (Australian Capital Territory)",
    ],
)
def test_a_name_that_is_asserted_is_right(answer: str) -> None:
    assert grade(item(Kind.TEXT, "Canberra"), answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Sydney",
        "Sydney, not Canberra.",
        "It is Sydney rather than Canberra.",
        "It isn't Canberra.",
        "The capital is not the city of Canberra.",
        "Sydney or Canberra.",
        "Either Canberra or Sydney.",
        "Canberrans live there.",
    ],
)
def test_a_name_that_is_denied_or_one_of_several_is_wrong(answer: str) -> None:
    assert not grade(item(Kind.TEXT, "Canberra"), answer)


def test_accents_and_other_accepted_forms_make_no_difference() -> None:
    assert grade(item(Kind.TEXT, "Chișinău", "Chisinau"), "The capital is Chisinau.")
    assert grade(item(Kind.TEXT, "écureuil"), "Ecureuil")
    assert grade(item(Kind.TEXT, "Ulaanbaatar", "Ulan Bator"), "Ulaanbaatar, or Ulan Bator in older books")
    assert grade(item(Kind.TEXT, "H2O"), "H₂O")


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("Thursday", True),
        ("If today is Monday, in three days it is Thursday.", True),
        ("Tuesday, Wednesday, Thursday: it will be Thursday.", True),
        ("It will be Thursday, not Friday.", True),
        ("Thursday or Friday", False),
        ("Monday", False),
        ("It is Thursday in two days, so it is Friday.", False),
        ("some day", False),
    ],
)
def test_of_a_closed_set_the_last_one_asserted_counts(answer: str, right: bool) -> None:
    question = "Today is Monday. Which day of the week is it in 3 days?"
    rivals = tuple(day for day in DAYS if day != "Thursday")
    assert grade(item(Kind.TEXT, "Thursday", question=question, rivals=rivals), answer) is right


CODE = "What does this Python code print?\n\n```python\nprint([4, 9, 3][1])\n```\n Reply with the answer only."


@pytest.mark.parametrize(
    "answer",
    [
        "9",
        "`9`",
        "```\n9\n```",
        "The code prints 9.",
        "The code will print `9` because lists begin at 0.",
        "Output: 9",
        "The list has three items, and the second one is 9.",
        "It is 9, since index 1 is the second element.",
        "Step by step, we find it.\n\nAnswer: 9",
        "```python\nprint([4, 9, 3][1])\n```\nThis prints **9**.",
    ],
)
def test_an_output_that_is_stated_is_right(answer: str) -> None:
    assert grade(item(Kind.EXACT, "9", question=CODE), answer)


@pytest.mark.parametrize(
    "answer",
    [
        "[4, 9, 3]",
        "4",
        "The code prints [4, 9, 3].",
        "The list is 4, 9, 3, so the code prints 4.",
        "9, 3",
        "19",
        "The code prints 4 of 9.",
        "```python\nprint([4, 9, 3][1])\n```",
    ],
)
def test_an_output_that_only_occurs_is_wrong(answer: str) -> None:
    assert not grade(item(Kind.EXACT, "9", question=CODE), answer)


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        ("[7, 12, 30]", "The code prints `[7, 12, 30]`.", True),
        ("[7, 12, 30]", "The output is [7, 12, 30]", True),
        ("[7, 12, 30]", "[7, 30, 12]", False),
        ("2 1", "It prints `2 1`, the quotient and the rest.", True),
        ("WINDOW", "The word in capital letters is WINDOW.", True),
        ("WINDOW", "window", False),
        ("Au", "The chemical symbol of gold is Au.", True),
        ("Au", "The chemical symbol for gold is Au, from the Latin aurum.", True),
        ("Au", "AU", False),
        ("C", "The symbol is Ca.", False),
        ("Ti", "Titanium is represented by Ti.", True),
        ("Ga", "Gallium is represented by the symbol Ga.", True),
        ("Rh", "Rhodium has the chemical symbol Rh.", True),
        ("Hf", "Hafnium is represented by H.", False),
        ("He", "Helium is represented by the symbol H.", False),
        ("b-n-n", "The output will be 'b-n-n'.", True),
        ("in", "It prints the letters 'in'.", True),
        ("in", "It prints letters in a row.", False),
    ],
)
def test_what_is_stated_counts_letter_for_letter(gold: str, answer: str, right: bool) -> None:
    assert grade(item(Kind.EXACT, gold), answer) is right


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know of any such country.",
        "There is no country called Velmoria.",
        "The Republic of Velmoria does not exist.",
        "Velmoria is a fictional place.",
        "I\u2019m sorry, but I don\u2019t have information on that.",
        "As of my last update, that year has yet to come.",
        "I cannot predict who will win.",
        "The list does not mention a telephone number.",
        "No telephone number is given.",
        "The World Cup of 1943 was not held.",
        "It is not possible to say: 2042 is in the future.",
        "Zelphium is not a recognized element.",
        "There isn't a known element of that name.",
        "I apologize, but I cannot provide answers on political matters.",
        "I am committed to not discussing specific individuals or historical events.",
        "The winner has not yet been announced.",
    ],
)
def test_to_say_that_one_does_not_know_is_to_abstain(answer: str) -> None:
    assert grade(item(Kind.ABSTAIN), answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "The capital of Velmoria is Velm.",
        "Velm, which is not far from the sea.",
        "It was won by Brazil, who had not won for years.",
        "He wrote it in 1902, and it was not his last novel.",
        "The element has 117 protons and no neutrons.",
        "Her telephone number is 555-0132.",
        "A marinated commit is one that has not yet been pushed to the remote repository.",
    ],
)
def test_to_make_something_up_is_no_abstention(answer: str) -> None:
    assert not grade(item(Kind.ABSTAIN), answer)


def test_an_answer_cut_off_before_it_said_anything_right_has_no_grade() -> None:
    wanted = item(Kind.TEXT, "Paris")
    assert grade(wanted, "The capital of France", FinishReason.LENGTH) is None
    assert grade(wanted, "Paris is the", FinishReason.LENGTH) is True
    assert grade(wanted, "Lyon", FinishReason.STOP) is False


@pytest.mark.parametrize(
    ("answer", "grade_"),
    [
        ("We go on as follows:\n\n1. Mia has 11 pens at first. She buys 2", None),
        ("To solve it, we go on step by step.\n\n10 - 43 = -33, and 22 - 11 = 11.\n\nNext,", None),
        ("11", None),
        ("Mia has 11 pens left. This is because one box", True),
        ("We subtract 11 from 22.\n\nAnswer: 11\n\nTo check", True),
        ("Answer: 12 pens. To check, 22 - 11 = 11", None),
    ],
)
def test_an_intermediate_result_of_an_answer_cut_off_is_no_answer(answer: str, grade_: bool | None) -> None:
    question = "A box holds 11 pens. Mia buys 2 boxes and loses 11 pens. How many pens has she left?"
    assert grade(item(Kind.NUMBER, "11", question=question), answer, FinishReason.LENGTH) is grade_


@pytest.mark.parametrize(
    ("answer", "right"), [("Once", True), ("It occurs once.", True), ("Once in the word.", True), ("Twice", False)]
)
def test_how_often_is_a_number_too(answer: str, right: bool) -> None:
    assert grade(item(Kind.NUMBER, "1", question="How often does the letter 'n' occur in 'planet'?"), answer) is right


def test_a_regular_expression_is_found_anywhere() -> None:
    wanted = item(Kind.REGEX, r"(?<![\d.])8(?![\d.]*\d)")
    assert grade(wanted, "Oxygen has atomic number 8.")
    assert not grade(wanted, "It is 18 or 81 or 8.5")


def test_the_shipped_questions_are_many_unlike_and_the_same_everywhere() -> None:
    items = shipped()
    assert len(items) >= 600
    assert len({i.id for i in items}) == len({i.question for i in items}) == len(items)
    assert all(0 <= (i.level or 0) <= 1 for i in items)
    assert sum(i.length == "long" for i in items) > 100
    assert items == shipped.__wrapped__()
    assert shipped(1) != items


def test_every_shipped_question_accepts_its_own_answer_and_no_empty_one() -> None:
    for question in shipped():
        if question.check.kind in {Kind.NUMBER, Kind.TEXT, Kind.EXACT}:
            for form in question.check.answers:
                assert grade(question, form), (question, form)
                if question.check.kind is not Kind.EXACT:
                    assert grade(question, f"It is {form}."), (question, form)
        assert not grade(question, "")


def test_every_shipped_program_prints_what_is_taken_to_be_right() -> None:
    for question in shipped():
        if question.family == "code":
            code = question.question.split("```python\n")[1].split("```")[0]
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(code, {})
            assert printed.getvalue().strip() == question.check.answers[0]


def test_every_shipped_sum_is_what_python_says() -> None:
    for question in shipped():
        if question.id.startswith(("sum-", "steps-")):
            expression = question.question.removeprefix("What is ").split("?")[0]
            assert float(eval(expression, {"__builtins__": {}})) == float(question.check.answers[0])
