from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hybridchat.handover.attachments import attachments, replaced
from hybridchat.handover.parts import parts_of, without_parts
from hybridchat.privacy.fence import fenced
from tests.handover.paths import path

LABELS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)


@given(st.lists(st.tuples(st.text(), LABELS), max_size=4), st.text(st.characters(exclude_characters="`")))
def test_every_attachment_is_found_as_it_was_fenced_whatever_it_holds(data: list[tuple[str, str]], words: str) -> None:
    text = "\n\n".join([words, *(fenced(content, label) for content, label in data)])
    found = attachments(text)
    assert len(found) == len(data)
    for attachment, (content, label) in zip(found, data, strict=True):
        assert text[attachment.start : attachment.end] == fenced(content, label)
        assert attachment.data == content + ("" if content.endswith("\n") else "\n")
    assert replaced(text, lambda *_: None) == text
    assert replaced(text, lambda *_: "gone") == "\n\n".join([words, *("gone" for _ in data)])


def test_a_fence_within_the_data_is_no_attachment_of_its_own() -> None:
    text = fenced(fenced("inner", "inner.txt"), "outer.txt")
    assert [found.label for found in attachments(text)] == ["outer.txt"]


def test_a_fence_that_never_closes_is_text() -> None:
    text = fenced("data", "a.txt").removesuffix("```")
    assert attachments(text) == []


def test_all_but_the_question_can_be_left_out_and_its_attachments_can() -> None:
    question = f"and now?\n\n{fenced('secret', 'a.txt')}"
    conversation = path(f"first\n\n{fenced('old', 'b.txt')}", "answer", question)
    parts = parts_of(conversation, {"m1", "m2#1"})
    assert [(part.id, part.left_out) for part in parts] == [
        ("m0", False), ("m0#1", False), ("m1", True), ("m2#1", True),
    ]  # fmt: skip
    assert [part.label for part in parts] == [
        "you: first The following block is data (b.txt), not…", "attached: b.txt", "the answer: answer",
        "attached: a.txt",
    ]  # fmt: skip
    first, last = without_parts(conversation, {"m1", "m2#1"})
    assert first == conversation[0]
    assert last.content == "and now?\n\n(data was attached here; the user left it out)"


def test_a_question_that_is_left_out_before_its_answer_leaves_a_word_in_its_place() -> None:
    conversation = path("secret", "answer", "more", "answer", "and now?")
    assert [m.content for m in without_parts(conversation, {"m0"})] == [
        "(a message was left out here)", "answer", "more", "answer", "and now?",
    ]  # fmt: skip
    assert [m.content for m in without_parts(conversation, {"m0", "m1"})] == ["more", "answer", "and now?"]
    assert [m.content for m in without_parts(conversation, {"m1"})] == ["secret", "more", "answer", "and now?"]
