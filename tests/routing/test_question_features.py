from __future__ import annotations

import pytest

from hybridchat.routing.question_features import SCANNED, question_features


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("What is 3 + 4?", "q_operators"),
        ("What is 12 - 4?", "q_operators"),
        ("What is 3 plus 4?", "q_numbers"),
        ("Why does ```x``` fail?", "q_code"),
        ("What does def f(x): return x do?", "q_code"),
        ("Who won the latest election?", "q_recent"),
        ("Wie ist das Wetter heute?", "q_recent"),
        ("今天天气怎么样?", "q_recent"),
        ("日本の首都は?", "q_foreign_script"),
        ("How many legs has a spider?", "q_asks_number"),
        ("Warum ist der Himmel blau?", "q_asks_why"),
        ("Où est la tour Eiffel?", "q_asks_fact"),
        ("Write a poem about the sea.", "q_asks_to_write"),
    ],
)
def test_a_feature_shows_where_it_should(text: str, feature: str) -> None:
    assert question_features(text)[feature] > 0


def test_a_plain_statement_shows_nothing_but_its_length() -> None:
    features = question_features("Hello there, my well-known friend")
    assert [name for name, value in features.items() if value] == ["q_characters"]


def test_accented_latin_letters_are_no_foreign_script() -> None:
    assert question_features("Über Öl und Ärger, déjà vu")["q_foreign_script"] == 0


def test_an_empty_question_has_features() -> None:
    assert set(question_features("").values()) == {0.0}


def test_a_pasted_document_is_looked_at_only_at_its_beginning() -> None:
    assert question_features("a" * SCANNED + "7 + 7")["q_numbers"] == 0
