from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.backends import demo, recording
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart, Waiting
from hybridchat.backends.scripted import Pause, ScriptedBackend
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import InputError
from hybridchat.messages import ChatMessage, FinishReason, Place, Role, TokenLogprob, Usage
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.policy import Action, Question

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
logprobs = st.floats(-30, 0).map(lambda value: round(value, 4))
tokens = st.builds(TokenLogprob, texts, logprobs, st.lists(logprobs, max_size=3).map(tuple))
pieces = st.builds(Piece, texts, st.lists(tokens, max_size=2).map(tuple), st.booleans())
ends = st.builds(Ended, st.sampled_from(FinishReason), st.builds(Usage, st.none() | st.integers(0, 99)))


@given(st.lists(pieces, max_size=8), ends)
def test_what_was_recorded_is_played_back(
    tmp_path_factory: pytest.TempPathFactory, said: list[Piece], end: Ended
) -> None:
    parts: list[StreamPart] = [Accepted("m", "digest", 4096), *said, end]
    path = tmp_path_factory.mktemp("recording") / "one.jsonl"
    path.write_bytes(b"".join(recording.lines((0.25, part) for part in parts)))
    steps = recording.load(path)
    assert [step for step in steps if not isinstance(step, Pause)] == parts
    assert sum(step.seconds for step in steps if isinstance(step, Pause)) == pytest.approx(0.25 * len(said))


async def test_a_recording_is_a_backend_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text('{"model":"m"}\n{"text":"hi","after":0.001}\n{"finish":"stop"}\n', encoding="utf-8")
    backend = ScriptedBackend(Endpoint("file", Kind.OPENAI, "", "m", Place.LOCAL), recording.load(path))
    parts = [part async for part in backend.stream(ChatRequest((ChatMessage(Role.USER, "hello"),)))]
    assert parts == [Accepted("m"), Piece("hi"), Ended(FinishReason.STOP)]


def test_waiting_is_no_part_of_a_recording_but_its_time_is() -> None:
    (line,) = recording.lines([(1.0, Waiting("loading")), (0.5, Piece("hi"))])
    assert line == b'{"text":"hi","after":1.5}\n'


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "no end"),
        ('{"model":"m"}\n{"text":"cut off"}\n', "no end"),
        ('{"model":"m"}\nnot json\n', "line 2"),
        ('{"model":"m"}\n{}\n', "line 2"),
        ('{"model":"m"}\n{"txt":"x"}\n', "line 2"),
        ('{"finish":"because"}\n', "line 1"),
        ("[]\n", "line 1"),
    ],
)
def test_a_broken_recording_names_its_line(tmp_path: Path, content: str, word: str) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=word):
        recording.load(path)


def test_a_recording_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        recording.load(tmp_path / "none.jsonl")


async def test_the_demonstration_escalates_in_mid_stream_with_the_shipped_prior() -> None:
    watch = GainPolicy().watch(Question(demo.QUESTION))
    steps = demo.local()._scripts[0]
    decisions = [watch.observe(step.text, step.logprobs) for step in steps if isinstance(step, Piece)]
    escalations = [decision for decision in decisions if decision and decision.action is Action.ESCALATE]
    assert len(escalations) == 1
    assert escalations[0].tokens < sum(isinstance(step, Piece) for step in steps)
    assert demo.remote().endpoint.place is Place.REMOTE
