from __future__ import annotations

import json
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.messages import FinishReason
from hybridchat.routing.loops import MEMORY, LoopDetector
from hybridchat.routing.phrases import PhraseFinder
from hybridchat.routing.text_signals import LONGEST_JSON, TextSignals

PHRASES = json.loads(resources.files("hybridchat.routing").joinpath("phrases.json").read_text(encoding="utf-8"))


def read(*pieces: str, reason: FinishReason = FinishReason.STOP) -> dict[str, float]:
    signals = TextSignals()
    for piece in pieces:
        signals.add(piece)
    return dict(signals.finished(reason))


TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            ["I can't", "wait", " ", "\n", "```", "```json\n", "{}", "ich glaube", "わかりません", "İß’ς", ", ", "abc "]
        ),
        max_size=40,
    ).map("".join),
)


@given(TEXTS, st.lists(st.integers(min_value=0, max_value=400), max_size=20))
def test_any_cutting_of_a_text_gives_the_same_signals(text: str, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in pairwise(edges)]
    assert read(*pieces) == read(text) == read(*text)


@pytest.mark.parametrize("language", PHRASES)
def test_each_language_has_all_kinds_of_phrases_and_finds_them(language: str) -> None:
    for kind, signal in (("refusal", "refusal"), ("hedge", "hedges"), ("repair", "repairs")):
        assert PHRASES[language][kind]
        for phrase in PHRASES[language][kind]:
            assert read(*f"{phrase.upper() if language == 'en' else phrase}, 1.")[signal] >= 1, phrase


def test_phrases_are_found_as_whole_words() -> None:
    assert read("The waiter awaits the waiting room.")["repairs"] == 0
    assert read("Wait.")["repairs"] == 1
    assert read("... wait")["repairs"] == 1


def test_a_typographic_apostrophe_is_an_apostrophe() -> None:
    assert read("I’m sorry, but I can’t do that.")["refusal"] == 1


def test_a_refusing_phrase_late_in_an_answer_merely_hedges() -> None:
    signals = read("It was a long and winding road. " * 6, "I cannot say more.")
    assert signals["refusal"] == 0
    assert signals["hedges"] == 1


def test_the_finder_says_where_a_phrase_ends() -> None:
    assert (5, "repair") in PhraseFinder().read("wait x")


def test_repeating_a_sentence_over_and_over_is_a_loop() -> None:
    assert read("The answer is that the answer is so. " * 8)["loop"] == 1
    assert read("ha" * 120)["loop"] == 1
    assert read("はい、そうです。" * 20)["loop"] == 1


def test_a_list_a_table_and_prose_are_no_loops() -> None:
    listing = "".join(f"{i}. Item number {i} of the list, which costs {i * 7} euros.\n" for i in range(40))
    table = "| a | b |\n|---|---|\n" + "".join(f"| {i} | {i * i} |\n" for i in range(60))
    prose = "To be or not to be, that is the question. Whether it is nobler to suffer or to take arms is another. " * 2
    assert [read(text)["loop"] for text in (listing, table, prose, "=" * 500, " " * 500)] == [0] * 5


def test_a_loop_is_found_while_it_streams() -> None:
    signals = TextSignals()
    for _ in range(10):
        signals.add("Let me compute it once more for you. ")
    assert signals.loops
    assert signals.snapshot()["repetition"] > 0.5


def test_the_loop_detector_forgets_what_is_long_past() -> None:
    detector = LoopDetector()
    for number in range(3 * MEMORY):
        detector.read(f"{number} ")
    assert not detector.found
    assert detector.repetition == 0
    assert len(detector._seen) <= MEMORY


def test_reaching_the_limit_is_truncation() -> None:
    assert read("x", reason=FinishReason.LENGTH)["truncated"] == 1
    assert read("x")["truncated"] == 0


@pytest.mark.parametrize(
    ("text", "open_fence"),
    [
        ("```py\nprint()\n```", 0),
        ("```py\nprint()\n", 1),
        ("Use ``` like so", 0),
        ("text\n  ```\ncode", 1),
        ("    ", 0),
        ("```a\n```\n```b\n", 1),
    ],
)
def test_code_fences_must_be_closed(text: str, open_fence: float) -> None:
    assert read(text)["open_fence"] == open_fence


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ('```json\n{"a": 1}\n```', 0),
        ('```json\n{"a": 1,}\n```\n', 1),
        ("```json\n" + "[" * 100_000 + "\n```", 1),
        ('Here it is:\n```json\n{"a": 1,}\n```', 0),
        ("```json\n{}\n```\nand\n```json\n{}\n```", 0),
        ('```json\n{"a": ', 0),
        ("```json\n[" + "1," * LONGEST_JSON + "\n```", 0),
    ],
)
def test_an_answer_that_is_one_json_fence_must_be_json(text: str, broken: float) -> None:
    assert read(text)["broken_json"] == broken


@pytest.mark.parametrize(("text", "empty"), [("", 1), (" \n", 1), ("...", 0), ("0", 0), ("```\n```", 0), ("🙂", 0)])
def test_an_answer_of_nothing_but_space_is_empty(text: str, empty: float) -> None:
    assert read(text)["empty"] == empty
