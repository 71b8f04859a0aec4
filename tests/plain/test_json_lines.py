import io
import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import jsonschema
import pytest

from hybridchat import events, messages
from hybridchat.errors import BadConfiguration, CannotWrite
from hybridchat.messages import (
    ChatMessage,
    Confidence,
    FinishReason,
    Place,
    Provenance,
    Role,
    Status,
    TokenLogprob,
    Usage,
)
from hybridchat.plain.json_lines import JsonLinesFace, as_object, event_name
from hybridchat.plain.streams import Narration, Output, OutputRefused

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "json-lines.schema.json").read_text("utf-8"))
KINDS: tuple[type[events.Event], ...] = get_args(events.Event)

SURE = Confidence(0.64)
OUTGOING = events.Outgoing(
    endpoint="huggingface", url="https://router.example/v1", model="Llama", reason="unsure", bytes=12, tokens=3,
    cost=None,
    original=(ChatMessage(Role.USER, "a@b.example"),), redacted=(ChatMessage(Role.USER, "HIDDEN_EMAIL_1"),),
    redactions={"email": 1}, replacements=((events.Replacement("EMAIL", 0, 11, 0, 9),),),
    form=events.HandOver.DISTIL, forms=tuple(events.HandOver), turns=2, turns_left_out=1,
    parts=(events.Part("m1#1", "attached: notes.txt", 12, left_out=True),), note="asked again",
)  # fmt: skip
PROVENANCE = Provenance(
    Place.LOCAL, "ollama", "phi3.5", "local first", digest="sha256:1", confidence=SURE, usage=Usage(3, 4), cost=0.0,
    load_seconds=1.0, first_token_seconds=0.5, seconds=2.0, finish_reason=FinishReason.STOP,
)  # fmt: skip
EXAMPLES: list[events.Event] = [
    events.Routed("c1", "u1", Place.LOCAL, "local first", can_escalate=True),
    events.Opened("a1", Place.LOCAL, "ollama", "phi3.5"),
    events.Loading(Place.LOCAL, "phi3.5", "the model is being loaded"),
    events.Delta("a1", Place.LOCAL, "fo", (TokenLogprob("fo", -0.1, (-0.1, -math.inf), b"\xf0\x9f"),)),
    events.Delta("a1", Place.LOCAL, "", (TokenLogprob("ur", -math.inf),), thinking=True),
    events.Measured("a1", 4, SURE, 0.5, {"min_logprob": -3.5}),
    events.Measured("a1", 4, SURE),
    events.SetAside("a1", 4, SURE, "unsure"),
    events.SetAside("a1", 4, None, "unsure"),
    events.ConsentRequested(OUTGOING),
    events.ModelChoiceRequested("huggingface", "Llama", ("Qwen",)),
    events.Escalated("a2", "a1", "huggingface", "Llama", "unsure", {"email": 1}),
    events.Escalated("a2", None, "huggingface", "Llama", "unsure"),
    events.KeptLocal("a1", "refused", "blocked", "Allow it."),
    events.KeptLocal(None, "refused", "blocked"),
    events.ContextTrimmed(Place.LOCAL, 1, 2, 4096),
    events.ContextCondensed(Place.LOCAL, 2, 4, 900, 120),
    events.FollowUp(1, "notes.txt", "Who signed it?"),
    events.FollowUp(1, "notes.txt", "Who signed it?", "Ada."),
    events.Finished("a1", "four", Status.COMPLETE, PROVENANCE, ("a note",), 10),
    events.Finished("a1", "four", Status.PARTIAL, Provenance(Place.REMOTE, "huggingface", "Llama", "asked")),
    events.Failed("unreachable", "nobody answers", "Start it.", 69, "a1", "fo"),
    events.Failed("unreachable", "nobody answers", "", 69),
]


def written(*shown: events.Event) -> list[dict[str, Any]]:
    stream = io.StringIO()
    face = JsonLinesFace(
        Output(stream),
        Narration(None),
        clock=lambda: datetime(2026, 11, 22, 9, 30, 0, 125_999, tzinfo=UTC),
    )
    for event in shown:
        face.show(event)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def validate(line: Mapping[str, Any]) -> None:
    jsonschema.validate(line, SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event_name(type(event)))
def test_every_event_fits_the_published_schema(event: events.Event) -> None:
    validate(written(event)[0])


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event in EXAMPLES} == set(KINDS)


def test_the_schema_refuses_what_is_no_event() -> None:
    line = written(EXAMPLES[0])[0]
    for wrong in ({**line, "event": "opened"}, {**line, "v": 2}, {**line, "ts": "today"}, {**line, "place": "moon"}):
        with pytest.raises(jsonschema.ValidationError):
            validate(wrong)


@pytest.mark.parametrize("kind", KINDS, ids=event_name)
def test_the_schema_names_exactly_the_fields_of_the_event(kind: type[events.Event]) -> None:
    described = SCHEMA["$defs"][event_name(kind)]
    expected = {"event", *(field.name for field in fields(kind))}
    assert set(described["properties"]) == expected
    assert set(described["required"]) == expected


@pytest.mark.parametrize(
    "kind",
    [
        events.Outgoing,
        events.Part,
        events.Replacement,
        *(
            getattr(messages, n)
            for n in ("ChatMessage", "Confidence", "Provenance", "Reading", "TokenLogprob", "Usage", "Withdrawal")
        ),
    ],
)
def test_the_schema_names_exactly_the_fields_of_what_events_hold(kind: Any) -> None:
    described = SCHEMA["$defs"][kind.__name__]
    expected = {field.name for field in fields(kind)}
    assert set(described["properties"]) == expected
    assert set(described["required"]) == expected


@pytest.mark.parametrize("kind", [Place, Role, Status, FinishReason, events.HandOver])
def test_the_schema_names_exactly_the_values_of_enumerations(kind: Any) -> None:
    assert set(SCHEMA["$defs"][kind.__name__]["enum"]) == set(kind)


def test_the_documentation_describes_exactly_the_events_and_their_fields() -> None:
    text = (DOCS / "json-lines.md").read_text("utf-8")
    sections = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL))
    assert set(sections) == {event_name(kind) for kind in KINDS}
    for kind in KINDS:
        documented = re.findall(r"^\| `(\w+)` \|", sections[event_name(kind)], re.MULTILINE)
        assert documented == [field.name for field in fields(kind)]


def test_lines_are_counted_and_carry_the_time_in_utc() -> None:
    first, second = written(EXAMPLES[0], EXAMPLES[1])
    assert (first["seq"], second["seq"]) == (0, 1)
    assert first["ts"] == "2026-11-22T09:30:00.125Z"
    assert list(first)[:4] == ["v", "seq", "ts", "event"]


def test_minus_infinity_and_bytes_survive_as_json() -> None:
    (line,) = written(EXAMPLES[3])
    assert line["logprobs"] == [{"token": "fo", "logprob": -0.1, "top": [-0.1, None], "raw": "8J8="}]


def test_half_a_character_becomes_a_question_mark_and_the_line_stays_valid() -> None:
    half = events.Finished("a\ud800", "x\udfff", Status.COMPLETE, PROVENANCE, ("n\ud800",))
    (line,) = written(half)
    assert (line["message_id"], line["text"], line["notes"]) == ("a?", "x?", ["n?"])
    validate(line)


def test_line_ends_inside_text_do_not_end_the_line() -> None:
    stream = io.StringIO()
    JsonLinesFace(Output(stream), Narration(None)).show(events.Delta("a1", Place.LOCAL, "a\nb\r\u2028\u0085"))
    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue())["text"] == "a\nb\r\u2028\u0085"


def test_an_error_outside_a_turn_is_a_failed_line() -> None:
    stream = io.StringIO()
    face = JsonLinesFace(Output(stream), Narration(None))
    face.fail(BadConfiguration("unreadable", hint="Correct it."))
    line = json.loads(stream.getvalue())
    validate(line)
    assert (line["event"], line["code"], line["exit_code"]) == ("failed", "bad_configuration", 78)
    face.fail(BadConfiguration("once more"))
    assert len(stream.getvalue().splitlines()) == 1, "a stream ends once"


def test_an_error_of_standard_output_goes_to_standard_error() -> None:
    out, err = io.StringIO(), io.StringIO()
    JsonLinesFace(Output(out), Narration(err)).fail(OutputRefused("full", hint="Free some space."))
    assert (out.getvalue(), err.getvalue()) == ("", "hybridchat: full\n  Free some space.\n")


def test_a_store_that_cannot_be_written_is_a_failed_line_like_any_error() -> None:
    out, err = io.StringIO(), io.StringIO()
    JsonLinesFace(Output(out), Narration(err)).fail(CannotWrite("the conversations cannot be kept"))
    line = json.loads(out.getvalue())
    validate(line)
    assert (line["event"], line["code"], line["exit_code"], err.getvalue()) == ("failed", "cannot_write", 74, "")


def test_mappings_other_than_dictionaries_are_written_too() -> None:
    escalated = events.Escalated("a2", None, "h", "m", "r", MappingProxyType({"email": 1}))
    assert as_object(escalated)["redactions"] == {"email": 1}


def test_what_has_no_form_in_json_is_a_fault_of_ours() -> None:
    escalated = events.Escalated("a2", None, "h", "m", "r", iter([]))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no form in JSON"):
        as_object(escalated)
