from __future__ import annotations

import ast
import json
import random
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks import canaries
from benchmarks.redaction import touched
from benchmarks.redaction_corpus import clean_texts
from hybridchat.messages import ChatMessage, Role
from hybridchat.privacy.detectors import Kind, detect, detectors
from hybridchat.privacy.identity import Identity
from hybridchat.privacy.redaction import Redactor

ALONE = {**canaries.SECRETS, **canaries.PERSONAL}
ADA = Identity(
    names=("Ada Lovelace",), accounts=("alovel",), homes=("/home/alovel", "C:\\Users\\alovel"),
        hosts=("analytical-engine.example",)
)  # fmt: skip


def hidden(text: str, value: str, redactor: Redactor | None = None) -> bool:
    redacted = (redactor or Redactor()).redact(text).text
    return value not in redacted and "HIDDEN_" in redacted


@pytest.mark.parametrize("kind", sorted(ALONE))
def test_every_kind_is_found_where_nothing_announces_it(kind: str) -> None:
    rng = random.Random(kind)
    values = [ALONE[kind](rng) for _ in range(30)]
    assert [value for value in values if not hidden(f"please look at {value} now", value)] == []


@pytest.mark.parametrize("kind", sorted(canaries.IN_CONTEXT))
def test_every_kind_is_found_by_what_announces_it(kind: str) -> None:
    make, frames = canaries.IN_CONTEXT[kind]
    rng = random.Random(kind)
    made = [(frame.replace("{}", value), value) for frame in frames for value in [make(rng) for _ in range(5)]]
    assert [text for text, value in made if not hidden(text, value)] == []


@pytest.mark.parametrize("form", canaries.FORMS)
@pytest.mark.parametrize("kind", ["email", "openai", "github", "iban", "card", "jwt", "phone", "aws_id"])
def test_values_are_found_in_every_spelling_that_people_paste(kind: str, form: str) -> None:
    rng = random.Random(f"{kind} {form}")
    values = [canaries.spelled(ALONE[kind](rng), form) for _ in range(10)]
    assert [value for value in values if not hidden(f"see {value} there", value)] == []


def test_ordinary_text_is_hardly_touched() -> None:
    shares = touched(clean_texts(1), detectors())
    assert shares["all"]["share"] <= 0.01
    assert max(row["share"] for row in shares.values()) <= 0.02


@pytest.mark.parametrize(
    "text",
    [
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 in v1.24.3, ISBN 978-3-16-148410-0",
        "127.0.0.1:8080 and 0.0.0.0, ::1, version 1.2.3.4, 12:30:45, 01.02.2024 10:30",
        "order 2024-000123 of 1700000000000, room 12-345, 02110-1301 Boston",
        "std::vector<int> a::b; x = y @ z.T; [0.1234, 0.5678, 12.3456]",
        "GET /users/list and /home/user/x and /Users/Shared and C:\\Users\\Public",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "SGVsbG8gd29ybGQsIGhvdyBhcmUgeW91Pw==",
        "look at example.com now; the pin 13 of the chip; since 1984",
    ],
)  # fmt: skip
def test_what_only_looks_personal_is_left_alone(text: str) -> None:
    assert detect(text) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/alovel/notes.txt", "HIDDEN_HOME_1/notes.txt"),
        ("C:\\Users\\alovel\\x", "HIDDEN_HOME_1\\x"),
        ("alovel@laptop runs ls", "HIDDEN_NAME_1@laptop runs ls"),
        ("on analytical-engine now", "on HIDDEN_HOST_1 now"),
        ("signed, Ada Lovelace", "signed, HIDDEN_NAME_1"),
        ("Lovelace, Ada wrote it", "HIDDEN_NAME_1 wrote it"),
        ("Mrs. LOVELACE", "Mrs. HIDDEN_NAME_1"),
        ("/home/grace/x and /Users/hopper/y", "/home/HIDDEN_NAME_1/x and /Users/HIDDEN_NAME_2/y"),
        ("the user at home on the host", "the user at home on the host"),
    ],
)
def test_who_the_user_is_does_not_leave(text: str, left: str) -> None:
    assert Redactor(identity=ADA).redact(text).text == left


def test_a_generic_account_is_nobody() -> None:
    redactor = Redactor(
        identity=Identity(names=("root",), accounts=("root",), homes=("/home/root",), hosts=("localhost",))
    )
    assert redactor.redact("root at localhost has /home/root/x").text == "root at localhost has /home/root/x"


private = st.builds(
    lambda kind, seed: ALONE[kind](random.Random(seed)), st.sampled_from(sorted(ALONE)), st.integers(0, 10**6)
)
numbers = st.builds(
    lambda seed: int(canaries.with_luhn("4" + canaries.digits(random.Random(seed), 14))), st.integers(0, 10**6)
)
keys = private | st.text(string.printable, max_size=12)
values = st.recursive(
    private | numbers | st.floats(-180, 180) | st.booleans() | st.none() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 2]), st.booleans())
@example(
    {"text": "a\nbob@example.com", "n": [4111111111111111, -122.41941], "bob@example.com": "\u00e9bob@example.com"},
    None,
    True,
)
def test_redacted_json_is_json_and_comes_back(value: object, indent: int | None, escaped: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=escaped)
    redactor = Redactor()
    redacted = redactor.redact(text).text
    json.loads(redacted)
    assert redactor.restore(redacted) == text


@given(private, numbers, st.sampled_from(["{s!r}", "x = {s!r}", "f({n}, {s!r})", "d = {{{s!r}: {n}}}",
    "acme_client = [{n}, {n}]",
                                         "class Acme: key = {s!r}", "if x == {n}: pass",
                                         "import acme.api"]))  # fmt: skip
def test_redacted_code_still_parses_and_comes_back(secret: str, number: int, form: str) -> None:
    code = form.format(s=secret, n=number)
    redactor = Redactor(["Acme"])
    redacted = redactor.redact(code).text
    ast.parse(redacted)
    assert redactor.restore(redacted) == code


def test_a_bare_number_becomes_a_number_and_comes_back_in_a_stream() -> None:
    redactor = Redactor()
    redacted = redactor.redact('{"card": 4111111111111111}').text
    assert isinstance(json.loads(redacted)["card"], int)
    assert "4111" not in redacted
    restorer = redactor.restorer()
    assert "".join(map(restorer.feed, redacted)) + restorer.flush() == '{"card": 4111111111111111}'


@given(st.sampled_from(sorted(canaries.SECRETS)), st.integers(0, 10**6), st.floats(0.3, 0.7), st.booleans())
def test_both_halves_of_a_split_secret_are_taken_out(kind: str, seed: int, share: float, other_between: bool) -> None:
    value = canaries.SECRETS[kind](random.Random(seed))
    cut = int(len(value) * share)
    between = [ChatMessage(Role.ASSISTANT, "Go on.")] if other_between else []
    messages = [
        ChatMessage(Role.USER, f"it is {value[:cut]}"),
        *between,
        ChatMessage(Role.USER, f"{value[cut:]} and that is all"),
    ]
    redacted = Redactor().redact_messages(messages).messages
    assert value[cut:] not in redacted[-1].content
    assert value[:cut] not in redacted[0].content


@given(st.text(max_size=300) | st.lists(private | st.text(max_size=8), max_size=8).map("".join))
def test_any_text_is_searched_and_comes_back(text: str) -> None:
    redactor = Redactor(["Acme"], identity=ADA)
    redacted = redactor.redact(text)
    assert redactor.restore(redacted.text) == text
    assert all(0 <= span.start < span.end <= len(text) for span in redacted.spans)
    assert {span.kind for span in redacted.spans} <= set(Kind)
