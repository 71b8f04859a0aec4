from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybridchat.errors import Blocked
from hybridchat.messages import ChatMessage, Role
from hybridchat.privacy import redaction
from hybridchat.privacy.detectors import Kind, Span
from hybridchat.privacy.placeholders import LONGEST
from hybridchat.privacy.redaction import Redactor, Restorer

PIECES = [
    "bob@example.com", "ann@example.org", "sk-proj-abcDEF1234567890abcdefgh", "password = hunter2", "hunter2", "Acme",
    "https://u:p4ss@h/", "HIDDEN_EMAIL_1", "hidden-email_1", "HIDDEN\\_EMAIL\\_1", "HIDDEN_KEY_", "1", "<", ">",
    "\\", "[", "]", "&lt;",
    "%3C", "\\u003c", "HIDDEN", "_", "90009", "900090300000142", " ", "\n", "a", '"', "&", "HIDDEN_PLACEHOLDER_1",
    "<PRIVATE\\_KEY_1>", "%", "é",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=40)
cuts = st.lists(st.integers(min_value=0), max_size=8)


def streamed(restorer: Restorer, text: str, at: list[int]) -> str:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in at), len(text)]
    pieces = [restorer.feed(text[a:b]) for a, b in itertools.pairwise(edges)]
    return "".join(pieces) + restorer.flush()


@given(st.lists(texts, min_size=1, max_size=3))
@example(["\\bob@example.com", "\\<EMAIL_1\\>"])
@example(["<bob@example.com>", "[bob@example.com]", "&lt;bob@example.com&gt;"])
def test_what_is_redacted_is_restored_exactly(conversation: list[str]) -> None:
    redactor = Redactor(["Acme"])
    redacted = [redactor.redact(text).text for text in conversation]
    assert [redactor.restore(text) for text in redacted] == conversation


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))
@example("password = hunter2password = hunter2 sk-proj-abcDEF1234567890abcdefgh")
def test_nothing_found_is_left_in_the_text(text: str) -> None:
    redacted = Redactor(["Acme"]).redact(text)
    assert "@example" not in redacted.text
    assert "sk-proj-abcDEF1234567890abcdefgh" not in redacted.text
    values = {text[s.start : s.end] for s in redacted.spans if s.kind in {Kind.KEY, Kind.PASSWORD}}
    assert not [value for value in values if len(value) > 5 and value in redacted.text]


@given(texts, st.lists(st.sampled_from([*PIECES, "HIDDEN_KEY_1", "<email_1>", "[WORD_1]", "%3CEMAIL_1%3E"])), cuts)
@example("bob@example.com", ["HIDDEN_EMAIL_1", "1", "HIDDEN_EMAIL_1x", "HIDDEN_EMAIL_12"], [1, 2, 9])
def test_any_cutting_of_a_stream_restores_what_the_whole_restores(text: str, answer: list[str], at: list[int]) -> None:
    redactor = Redactor(["Acme"])
    redacted = redactor.redact(text).text + "".join(answer)
    whole = redactor.restore(redacted)
    assert streamed(redactor.restorer(), redacted, at) == whole
    assert streamed(redactor.restorer(), redacted, list(range(len(redacted)))) == whole


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_more_than_a_placeholder_is_held_back(deltas: list[str]) -> None:
    restorer = Redactor().restorer()
    shown = 0
    for count, delta in enumerate(deltas):
        shown += len(restorer.feed(delta))
        assert sum(map(len, deltas[: count + 1])) - shown <= LONGEST


def test_plain_text_is_not_held_back() -> None:
    assert Redactor().restorer().feed("a < b and [x] or 5% &c. ") == "a < b and [x] or 5% &c. "


@pytest.mark.parametrize(
    "form",
    [
        "HIDDEN_EMAIL_1",
        "hidden_email_1",
        "Hidden_Email_1",
        "hiddenEmail1",
        "HIDDEN-EMAIL-1",
        "HIDDEN\\_EMAIL\\_1",
        "HIDDEN\\\\_EMAIL\\\\_1",
        "HIDDEN%5FEMAIL%5f1",
        "HIDDEN&#95;EMAIL&lowbar;1",
        "HIDDEN\\u005fEMAIL\\u005F1",
    ],
)
@pytest.mark.parametrize(
    "around",
    ["{}", "**{}**", "`{}`", '"{}"', "<{}>", "&lt;{}&gt;", "%3C{}%3E", "[{}](mailto:x)", "_{}_", "{}s", "看{}看"],
)
def test_placeholders_are_restored_in_all_forms_that_models_give_them(form: str, around: str) -> None:
    redactor = Redactor()
    redactor.redact("bob@example.com")
    text = around.format(form)
    assert redactor.restore(text) == around.format("bob@example.com")
    assert streamed(redactor.restorer(), text, list(range(len(text)))) == around.format("bob@example.com")


def test_names_in_code_and_unknown_placeholders_are_not_restored() -> None:
    redactor = Redactor()
    redactor.redact("bob@example.com")
    for text in [
        "EMAIL_1",
        "os.environ['EMAIL_1']",
        "HIDDEN_EMAIL_2",
        "HIDDEN_EMAIL_01",
        "HIDDEN_NAME_1",
        "HIDDEN_EMAIL_12",
    ]:
        assert redactor.restore(text) == text


def test_a_value_keeps_its_placeholder_all_through_a_conversation() -> None:
    redactor = Redactor()
    assert redactor.redact("bob@example.com, ann@example.com").text == "HIDDEN_EMAIL_1, HIDDEN_EMAIL_2"
    assert redactor.redact("ann@example.com, eve@example.com").text == "HIDDEN_EMAIL_2, HIDDEN_EMAIL_3"


def test_the_mapping_goes_on_after_it_was_stored() -> None:
    first = Redactor()
    first.redact("bob@example.com")
    stored = json.loads(json.dumps(first.mapping))
    again = Redactor(mapping=stored)
    assert again.redact("eve@example.com bob@example.com").text == "HIDDEN_EMAIL_2 HIDDEN_EMAIL_1"
    assert again.restore("HIDDEN_EMAIL_1") == "bob@example.com"
    assert stored == {"HIDDEN_EMAIL_1": "bob@example.com"}


@pytest.mark.parametrize(
    "mapping", [{"EMAIL_1": "x"}, {"hidden_email_1": "x"}, {"HIDDEN_COLOUR_1": "x"}, {"HIDDEN_EMAIL_1": ""}]
)
def test_a_damaged_mapping_blocks(mapping: dict[str, str]) -> None:
    with pytest.raises(Blocked) as caught:
        Redactor(mapping=mapping)
    assert caught.value.hint


def test_counts_tell_different_values_by_kind() -> None:
    redacted = Redactor(["Acme"]).redact("bob@example.com Acme bob@example.com ann@example.com HIDDEN_EMAIL_1")
    assert redacted.text == "HIDDEN_EMAIL_1 HIDDEN_WORD_1 HIDDEN_EMAIL_1 HIDDEN_EMAIL_2 HIDDEN_PLACEHOLDER_1"
    assert redacted.counts == {"EMAIL": 2, "WORD": 1}
    assert [span.kind for span in redacted.spans] == ["EMAIL", "WORD", "EMAIL", "EMAIL", "PLACEHOLDER"]


def test_messages_are_redacted_together() -> None:
    messages = [
        ChatMessage(Role.SYSTEM, "Be brief."),
        ChatMessage(Role.USER, "hunter2 does not work for bob@example.com"),
        ChatMessage(Role.ASSISTANT, "Ask bob@example.com."),
        ChatMessage(Role.USER, "it says password = hunter2"),
    ]
    redacted = Redactor().redact_messages(messages)
    assert [m.content for m in redacted.messages] == [
        "Be brief.",
        "HIDDEN_PASSWORD_1 does not work for HIDDEN_EMAIL_1",
        "Ask HIDDEN_EMAIL_1.",
        "it says password = HIDDEN_PASSWORD_1",
    ]
    assert [m.role for m in redacted.messages] == [m.role for m in messages]
    assert redacted.counts == {"EMAIL": 1, "PASSWORD": 1}


def test_no_messages_are_no_messages() -> None:
    assert Redactor().redact_messages([]).messages == ()


@pytest.mark.parametrize("word", ["blue", "monkey", "b1ue"])
def test_a_secret_that_may_be_an_ordinary_word_is_not_sought_elsewhere(word: str) -> None:
    redacted = Redactor().redact(f'password = "{word}"; I see a {word} one')
    assert redacted.text == f'password = "HIDDEN_PASSWORD_1"; I see a {word} one'


def test_a_failing_detector_blocks_and_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(text: str) -> Iterator[Span]:
        yield Span(0, 3, Kind.WORD)
        raise RecursionError(text)

    monkeypatch.setattr(redaction, "detectors", lambda words, identity: (failing,))
    redactor = Redactor()
    for redact in (
        lambda: redactor.redact("the secret text"),
        lambda: redactor.redact_messages([ChatMessage(Role.USER, "the secret text")]),
    ):
        with pytest.raises(Blocked) as caught:
            redact()
        assert "secret text" not in caught.value.message
        assert caught.value.hint
        assert caught.value.exit_code == 79


def test_a_restorer_starts_afresh_after_its_flush() -> None:
    redactor = Redactor()
    redactor.redact("bob@example.com")
    restorer = redactor.restorer()
    assert restorer.feed("x HIDDEN_EMAIL") == "x "
    assert restorer.flush() == "HIDDEN_EMAIL"
    assert restorer.feed("_1.") == "_1."
    assert restorer.flush() == ""
