from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridchat.errors import InputError, InputMissing
from hybridchat.evaluation.grading import grade
from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.question_files import read_questions


def one(tmp_path: Path, **fields: object) -> Item:
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps({"question": "What is it?", **fields}) + "\n", encoding="utf-8")
    (item,) = read_questions(path)
    return item


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        (42, Check(Kind.NUMBER, ("42",))),
        (-2.5, Check(Kind.NUMBER, ("-2.5",))),
        ("1,000", Check(Kind.NUMBER, ("1,000",))),
        ("$5", Check(Kind.NUMBER, ("$5",))),
        ("Paris", Check(Kind.TEXT, ("Paris",))),
        ("4 pm", Check(Kind.TEXT, ("4 pm",))),
        (["Paris", "Lutetia"], Check(Kind.TEXT, ("Paris", "Lutetia"))),
        (None, Check(Kind.ABSTAIN)),
    ],
)
def test_how_an_answer_is_compared_follows_from_what_it_is(tmp_path: Path, answer: object, check: Check) -> None:
    assert one(tmp_path, answer=answer).check == check


def test_a_way_of_comparing_that_is_named_is_taken(tmp_path: Path) -> None:
    assert one(tmp_path, answer="ba", grade="exact").check == Check(Kind.EXACT, ("ba",))
    assert one(tmp_path, answer=5, grade="text").check == Check(Kind.TEXT, ("5",))
    pattern = one(tmp_path, answer="colou?r", grade="regex")
    assert grade(pattern, "the Color")
    number = one(tmp_path, answer="1,000", grade="number")
    assert grade(number, "It is 1000.")


def test_names_and_families_are_kept_and_others_are_made_up(tmp_path: Path) -> None:
    item = one(tmp_path, answer=1, id="mine", family="f", level=0.5, length="long", source="elsewhere")
    assert (item.id, item.family, item.level, item.length) == ("mine", "f", 0.5, "long")
    assert one(tmp_path, answer=1).id == one(tmp_path, answer=2).id != "mine"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not a question"),
        ("[]", "is not a question"),
        ('{"question": "", "answer": 1}', "question"),
        ('{"question": "Why?"}', "missing required field `answer`"),
        ('{"question": "Why?", "answer": []}', "answer"),
        ('{"question": "Why?", "answer": null, "grade": "text"}', "the answer is missing, and text needs one"),
        ('{"question": "Why?", "answer": "so", "grade": "number"}', "'so' is no number"),
        ('{"question": "Why?", "answer": "(", "grade": "regex"}', "is not a question"),
        ('{"question": "Why?", "answer": "so", "grade": "vibes"}', "vibes"),
        ('{"question": "First", "answer": 2}', "as another one has"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "First", "answer": 1}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 3 of") as caught:
        read_questions(path)
    assert said in caught.value.message


def test_bytes_that_are_no_text_are_named_too(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b'{"question": "\xff", "answer": 1}\n')
    with pytest.raises(InputError, match="line 1 of"):
        read_questions(path)


def test_a_file_that_is_missing_or_empty_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="cannot read"):
        read_questions(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(InputError, match="holds no questions"):
        read_questions(tmp_path / "empty.jsonl")
