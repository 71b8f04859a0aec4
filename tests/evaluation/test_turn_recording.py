from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hybridchat.backends.protocol import Backend, Piece
from hybridchat.backends.scripted import ScriptedBackend, Step, script
from hybridchat.config.settings import Endpoint, Kind, PrivacySettings, Settings, StoreSettings
from hybridchat.engine import TurnRequest
from hybridchat.errors import CannotWrite, StreamBroken
from hybridchat.evaluation.evaluating import Subject, evaluate
from hybridchat.evaluation.replay import replay
from hybridchat.evaluation.traces import Trace, read_traces
from hybridchat.evaluation.turn_recording import LONG, RecordingEngine
from hybridchat.events import Event, Failed, Finished, Measured, SetAside
from hybridchat.messages import DataPolicy, Place, TokenLogprob
from hybridchat.routing.gain import GainPolicy
from hybridchat.store.database import Store

LOCAL = Endpoint("ollama", Kind.OLLAMA, "http://127.0.0.1:11434", "phi3.5", Place.LOCAL, num_ctx=4096)
REMOTE = Endpoint("huggingface", Kind.OPENAI, "https://remote.test/v1", "llama", Place.REMOTE)
SURE = [TokenLogprob(word, -0.01, (-0.01, -5.0)) for word in ("The", " capital", " is", " Paris", ".")]
UNSURE = [TokenLogprob(f" word{i}", -3.0, (-1.0, -1.1, -1.2, -3.0)) for i in range(40)]


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = Store.open(None)
    yield store
    await store.aclose()


def spoken(tokens: list[TokenLogprob]) -> list[Step]:
    begin, *_, end = script(["x"])
    return [begin, *(Piece(token.token, (token,)) for token in tokens), end]


class Recorded:
    def __init__(self, store: Store, path: Path) -> None:
        self.path = path
        self.store = store
        self.local = ScriptedBackend(LOCAL, spoken(SURE))
        self.remote = ScriptedBackend(REMOTE, script(["It is", " Paris"], None, model="llama"))

    async def run(self, text: str = "What is the capital of France?", **more: object) -> list[Event]:
        async def opened(model: str | None) -> Backend:
            return self.remote

        settings = Settings(privacy=PrivacySettings(data_policy=DataPolicy.ALLOW), store=StoreSettings(save=False))
        engine = RecordingEngine.into(self.path)(settings, self.store, self.local, GainPolicy(), opened)
        return [event async for event in engine.turn(TurnRequest(text, **more))]  # type: ignore[arg-type]

    @property
    def traces(self) -> list[Trace]:
        return read_traces(self.path)


@pytest.fixture
def recorded(store: Store, tmp_path: Path) -> Recorded:
    return Recorded(store, tmp_path / "new" / "turns.jsonl")


async def test_a_live_turn_becomes_a_trace_that_nobody_graded(recorded: Recorded) -> None:
    await recorded.run()
    await recorded.run("And of Spain?")
    first, second = recorded.traces
    assert (first.question, second.question) == ("What is the capital of France?", "And of Spain?")
    assert first.local.text == "The capital is Paris."
    assert [row[0] for row in first.local.tokens] == [token.token for token in SURE]
    assert first.local.tokens[0] == ("The", -0.01, (-0.01, -5.0))
    assert (first.local.right, first.remote, first.length, first.local.cut_short) == (None, None, "short", False)
    assert first.local.model == "scripted"
    assert first.local.top_k == 2
    assert first.id != second.id


async def test_replay_decides_as_the_live_turn_did(recorded: Recorded) -> None:
    events = await recorded.run()
    live = [event.confidence.value for event in events if isinstance(event, Measured)]
    (found,) = replay(recorded.traces, GainPolicy())
    replayed = [decision.confidence.value for decision in (*found.path, found.end) if decision.confidence]
    assert replayed == pytest.approx(live, abs=1e-3)


async def test_an_answer_that_was_set_aside_is_replayed_up_to_there(recorded: Recorded) -> None:
    recorded.local = ScriptedBackend(LOCAL, spoken(UNSURE))
    events = await recorded.run("Who wrote it?")
    (aside,) = [event for event in events if isinstance(event, SetAside)]
    (trace,) = recorded.traces
    assert trace.local.cut_short
    assert trace.remote is not None
    assert (trace.remote.text, trace.remote.right) == ("It is Paris", None)
    (found,) = replay([trace], GainPolicy())
    assert found.bails_out
    assert found.escalation is not None
    assert found.escalation.tokens == aside.tokens
    report = evaluate([trace], Subject(lambda _, price: GainPolicy(price=price), "the shipped prior"), resamples=2)
    assert report.decisions["balanced"]["bail_outs"].value == 1


async def test_an_answer_of_many_tokens_is_a_long_one(recorded: Recorded) -> None:
    recorded.local = ScriptedBackend(
        LOCAL, spoken([TokenLogprob(f" {i * i},", -0.01, (-0.01, -5.0)) for i in range(LONG + 1)])
    )
    await recorded.run()
    assert len(recorded.traces[0].local.tokens) > LONG
    assert recorded.traces[0].length == "long"


async def test_a_question_that_only_the_remote_model_was_asked_leaves_no_trace(recorded: Recorded) -> None:
    await recorded.run(choice=Place.REMOTE)
    assert recorded.path.read_bytes() == b""


async def test_a_turn_that_fails_on_its_way_is_kept_as_far_as_it_came(recorded: Recorded) -> None:
    recorded.local = ScriptedBackend(LOCAL, [*spoken(SURE)[:4], StreamBroken("broken", endpoint="x")])
    recorded.remote = ScriptedBackend(REMOTE, [StreamBroken("broken", endpoint="x")])
    events = await recorded.run()
    assert isinstance(events[-1], Failed)
    (trace,) = recorded.traces
    assert trace.local.cut_short
    assert trace.remote is None


async def test_only_the_user_may_read_the_recording(recorded: Recorded) -> None:
    await recorded.run()
    assert stat.S_IMODE(recorded.path.stat().st_mode) == 0o600


async def test_a_place_that_cannot_be_written_is_told_before_the_turn(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recorded.path = tmp_path / "file" / "turns.jsonl"
    with pytest.raises(CannotWrite, match="cannot be written"):
        await recorded.run()


async def test_a_recording_that_fails_costs_no_answer(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise CannotWrite("the recording x cannot be written: No space left on device")

    monkeypatch.setattr(asyncio, "to_thread", refuse)
    last = (await recorded.run())[-1]
    assert isinstance(last, Finished)
    assert last.text == "The capital is Paris."
    assert last.exit_code == 74
    assert "this turn is not recorded" in last.notes[-1]
