from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.handover.must_keep import LONGEST_CODE, Sort, completed, is_kept, items_of, items_of_all, lost
from hybridchat.privacy.fence import fenced
from tests.handover.paths import path

SORTS = {
    "We meet 14 people on 2026-11-22 at 14:30 and pay $5,000, 7.5% more than 3kg of it.": {
        Sort.NUMBER: ["14", "2026-11-22", "14:30", "$5,000", "7.5%", "3kg"],
    },
    "I wrote to Ada Lovelace and she likes Paris.": {Sort.NAME: ["Ada Lovelace", "Paris"]},
    "Look at https://example.org/a?b=1, mail bob@example.org or open src/main.py.": {
        Sort.NAME: ["https://example.org/a?b=1", "bob@example.org", "src/main.py"],
    },
    "Then set MAX_RETRIES in fooBar of v2 and call `rm -rf /tmp/x` first.": {
        Sort.NAME: ["MAX_RETRIES", "fooBar", "v2"],
        Sort.CODE: ["rm -rf /tmp/x"],
    },
    "Run this:\n```python\ndef f(x):\n    return x + 1\n```\nplease": {Sort.CODE: ["def f(x):\n    return x + 1"]},
    "It must not be longer. I like it.": {Sort.CONSTRAINT: ["It must not be longer."]},
    "Es darf höchstens kurz sein.": {Sort.CONSTRAINT: ["Es darf höchstens kurz sein."]},
    "Le texte doit rester court.": {Sort.CONSTRAINT: ["Le texte doit rester court."]},
    "1. first\n2. second": {},
    "Wir fahren am Montag mit der Bahn nach Süden und nehmen den Hund und die Katze und das Pferd von Frau Meier mit,"
    " dazu noch Futter und Wasser und Heu in Mengen": {},
}


@pytest.mark.parametrize(("text", "expected"), SORTS.items(), ids=lambda value: str(value)[:30])
def test_numbers_names_code_and_demands_are_found(text: str, expected: dict[Sort, list[str]]) -> None:
    found = items_of(text)
    for sort in Sort:
        assert [item.text for item in found if item.sort is sort] == expected.get(sort, [])


def test_documents_are_no_part_of_what_was_said() -> None:
    assert items_of(fenced("Ada must pay 5,000", "bill.txt")) == []


def test_demands_are_only_taken_from_the_user() -> None:
    found = items_of_all(path("It must be short.", "You must be joking."))
    assert [item.text for _, item in found] == ["It must be short."]


@pytest.mark.parametrize(
    ("text", "summary", "kept"),
    [
        ("It has 42 chairs.", "forty-two or 42.", True),
        ("It has 42 chairs.", "142 chairs", False),
        ("It has 42 chairs.", "42.5 chairs", False),
        ("I saw Ada there.", "ADA was seen", True),
        ("Use `a  b` now.", "use a b", True),
        ("Use `a  b` now.", "use A b", False),
    ],
)
def test_what_is_kept_is_told_from_what_only_looks_like_it(text: str, summary: str, kept: bool) -> None:
    (item,) = items_of(text)
    assert is_kept(item, summary) is kept
    assert (lost([item], summary) == []) is kept


def test_what_a_summary_lost_is_appended_in_its_sentence_the_users_demands_first() -> None:
    conversation = path("We are 14. The budget must not exceed $5,000.", "Then go to Lisbon, said Bob.")
    assert completed("They plan a trip for 14.", conversation).splitlines() == [
        "They plan a trip for 14.",
        "",
        "Word for word from the conversation:",
        "- the user: The budget must not exceed $5,000.",
        "- the answer: Then go to Lisbon, said Bob.",
    ]


def test_a_summary_that_lost_nothing_stays_as_it_is() -> None:
    assert completed(" All 14 of them. ", path("We are 14.")) == "All 14 of them."


def test_lost_code_comes_back_as_a_block_and_code_too_long_for_a_summary_does_not() -> None:
    short, long = "x = 1\ny = 2", "z = 3\n" * LONGEST_CODE
    text = completed("Code.", path(f"```\n{short}\n```\n\n```\n{long}\n```"))
    assert f"```\n{short}\n```" in text
    assert "z = 3" not in text


def test_where_there_is_no_room_for_sentences_things_stand_alone_and_then_are_counted() -> None:
    conversation = path("\n".join(f"{'word ' * 20}{number}" for number in range(1000, 1600)))
    text = completed("A list.", conversation)
    assert "- also: " in text
    assert "more numbers, names, pieces of code or demands are not in this summary" in text
    assert len(text) < 8_000


@given(st.text(st.characters(max_codepoint=0x2FF)), st.text(st.characters(max_codepoint=0x2FF), max_size=200))
def test_nothing_is_lost_from_what_is_not_too_much(text: str, summary: str) -> None:
    conversation = path(text[:800])
    whole = completed(summary, conversation)
    assert lost([item for _, item in items_of_all(conversation)], whole) == [] or "more numbers" in whole
