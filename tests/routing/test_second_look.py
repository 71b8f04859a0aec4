from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.messages import ChatMessage, Confidence, Role, TokenLogprob
from hybridchat.routing.agreement import agrees, comparable
from hybridchat.routing.second_look import SAMPLES, Look, Looks, briefly, is_it_right, p_true

PROMPT = (ChatMessage(Role.SYSTEM, "Be brief."), ChatMessage(Role.USER, "What is the capital of France?"))
LONG = "The matter has many sides, and it would take a while to lay all of them out here in full. " * 4


def looks(confidence: float = 0.7, threshold: float = 0.7, answer: str = "Paris") -> Looks:
    return Looks(answer, Confidence(confidence, calibrated=True), threshold)


def said(word: str, probability: float) -> tuple[str, list[TokenLogprob]]:
    return word, [TokenLogprob(word, log(probability))]


@pytest.mark.parametrize(
    ("answer", "sample", "same"),
    [
        ("The capital of France is Paris.", "Paris", True),
        ("The capital of France is Lyon.", "Paris", False),
        ("Paris", "It is Paris.", True),
        ("17 * 23 = 391", "391", True),
        ("17 * 23 = 391", "401", False),
        ("1,234 metres", "1234", True),
        (LONG + "So the result is 42.", "42", True),
        (LONG + "So 41 comes first, the result is 42.", "41", False),
        (LONG, "Paris", None),
        ("Paris", "", None),
        ("", "Paris", None),
        ("Paris", LONG, None),
        (LONG + "So the result is 42.", "forty-two", None),
    ],
)
def test_short_answers_and_numbers_can_be_held_against_each_other(answer: str, sample: str, same: bool | None) -> None:
    assert agrees(answer, sample) is same


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_cannot_be_compared_is_never_called_the_same(answer: str, sample: str) -> None:
    if not comparable(answer):
        assert agrees(answer, sample) is None


@pytest.mark.parametrize(
    ("word", "probability", "p"), [("Yes", 0.9, 0.9), (" **No", 0.8, 0.2), ("Ja", 0.6, 0.6), ("Well", 0.9, None)]
)
def test_p_true_is_the_probability_behind_yes(word: str, probability: float, p: float | None) -> None:
    assert p_true(*said(word, probability)) == (None if p is None else pytest.approx(p))


@pytest.mark.parametrize(("word", "p"), [("Yes", 0.7), ("no.", 0.3), ("", None)])
def test_without_logprobs_the_word_alone_counts_a_little(word: str, p: float | None) -> None:
    assert p_true(word, []) == p


def test_far_from_the_threshold_nothing_is_asked() -> None:
    assert looks(0.9).next is None
    assert looks(0.5).next is None


def test_it_asks_whether_the_answer_is_right_and_then_samples_while_it_is_not_settled() -> None:
    asked = looks().after_p_true("Well", [])
    assert asked.next is Look.SAMPLE
    for _ in range(SAMPLES):
        assert asked.next is Look.SAMPLE
        asked = asked.after_sample(LONG)
    assert asked.next is None
    assert "nothing came of it" in asked.reason


def test_a_settled_answer_is_looked_at_no_further() -> None:
    assert looks().after_p_true(*said("No", 0.9)).next is None
    assert looks().after_sample("Paris").next is None


def test_a_yes_is_said_to_nearly_everything_and_settles_nothing() -> None:
    asked = looks().after_p_true(*said("Yes", 0.99))
    assert asked.confidence == looks().confidence
    assert asked.next is Look.SAMPLE


def test_what_cannot_be_compared_is_not_sampled() -> None:
    assert looks(answer=LONG).after_p_true("Well", []).next is None


def test_each_look_moves_the_confidence_its_way_and_it_is_no_longer_called_calibrated() -> None:
    doubtful = looks().after_p_true(*said("No", 0.9))
    assert doubtful.confidence.value < 0.7
    assert not doubtful.confidence.calibrated
    agreed, disagreed = looks().after_sample("Paris"), looks().after_sample("Lyon")
    assert disagreed.confidence.value < 0.7 < agreed.confidence.value
    assert 0.7 - disagreed.confidence.value > agreed.confidence.value - 0.7


@given(st.floats(0.01, 0.99), st.sampled_from(["Yes", "No", "Hm"]), st.floats(1e-9, 1.0))
def test_no_answer_to_is_it_right_raises_the_odds_or_more_than_halves_them(
    confidence: float, word: str, probability: float
) -> None:
    after = looks(confidence, confidence).after_p_true(*said(word, probability)).confidence.value
    odds = (after / (1 - after)) / (confidence / (1 - confidence))
    assert 0.49 < odds < 1.001


def test_the_reason_says_what_was_seen_and_where_it_leads() -> None:
    seen = looks().after_p_true(*said("No", 0.6)).after_sample("Lyon")
    assert seen.advises
    assert seen.reason.startswith(
        "a second look: asked whether it is right, the local model says no (40%), 0 of 1 other"
    )
    assert seen.reason.endswith("the remote model may be worth asking")
    assert looks().after_sample("Paris").reason.endswith("the answer stands")
    assert "gives no probability" in looks().after_p_true("Yes", []).reason
    assert seen.signals == {"p_true": pytest.approx(0.4), "samples": 1.0, "agreed": 0.0}


def test_both_questions_begin_as_the_conversation_does() -> None:
    asked = is_it_right(PROMPT, "Paris")
    assert asked[:2] == PROMPT
    assert asked[2] == ChatMessage(Role.ASSISTANT, "Paris")
    brief = briefly(PROMPT)
    assert brief[0] == PROMPT[0]
    assert brief[1].content.startswith(PROMPT[1].content)
