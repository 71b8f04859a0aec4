from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hybridchat.backends.protocol import Accepted, Ended, Piece
from hybridchat.backends.scripted import ScriptedBackend, Step
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import Blocked, CannotWrite, InputError, StreamIncomplete, Unreachable
from hybridchat.evaluation import recording as recording_module
from hybridchat.evaluation.items import Check, Item
from hybridchat.evaluation.items import Kind as Grade
from hybridchat.evaluation.recording import Direct, Progress, Recording, regraded
from hybridchat.evaluation.traces import RemoteTrace, encoded, read_traces
from hybridchat.messages import FinishReason, Place, Role, TokenLogprob, Usage

FULL = Path("/dev/full")
CAPS = {"short": 8, "long": 20}
ENDPOINT = Endpoint("scripted", Kind.OLLAMA, "http://127.0.0.1:1", "small", Place.LOCAL)
ITEMS = [
    Item(f"q{i}", f"What is {i} + {i}?", Check(Grade.NUMBER, (str(2 * i),)), "sum", i / 9, "long" if i % 2 else "short")
    for i in range(1, 7)
]


def says(text: str, finish: FinishReason = FinishReason.STOP) -> list[Step]:
    token = TokenLogprob(text, -0.25, (-0.25, -2.0))
    return [
        Accepted("small:1b", "sha256:1"),
        Piece("hm", thinking=True),
        Piece(text, (token,)),
        Ended(finish, Usage(12, 1)),
    ]


def direct(*scripts: list[Step]) -> Direct:
    return Direct(ScriptedBackend(ENDPOINT, *scripts), CAPS, system="Be brief.", temperature=0.0, seed=1, top_k=2)


def requests(asked: Direct) -> list[str]:
    assert isinstance(asked.backend, ScriptedBackend)
    return [request.messages[-1].content for request in asked.backend.requests]


async def test_every_question_becomes_a_line_with_its_grade_tokens_and_identity(tmp_path: Path) -> None:
    local = direct(says("2"), says("5\x1b[31m"), says("6"))
    path, told = tmp_path / "new" / "t.jsonl", list[Progress]()
    traces = await Recording(path, ITEMS[:3], local.local).run(told.append)
    assert traces == read_traces(path)
    assert [trace.local.right for trace in traces] == [True, False, True]
    first = traces[0]
    assert (first.id, first.question, first.family, first.length) == ("q1", "What is 1 + 1?", "sum", "long")
    assert (first.local.model, first.local.digest, first.local.top_k) == ("small:1b", "sha256:1", 2)
    assert first.local.tokens == (("2", -0.25, (-0.25, -2.0)),)
    assert first.local.prompt_tokens == 12
    assert traces[1].local.text == "5"
    assert [(one.done, one.total) for one in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert told[0].seconds_left is None
    assert told[-1].seconds_left == 0
    assert path.stat().st_mode & 0o077 == 0
    assert isinstance(local.backend, ScriptedBackend)
    request = local.backend.requests[0]
    assert [message.role for message in request.messages] == [Role.SYSTEM, Role.USER]
    assert (request.max_tokens, request.temperature, request.seed, request.top_logprobs) == (20, 0.0, 1, 2)
    assert local.backend.requests[1].max_tokens == 8


async def test_what_is_there_is_not_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    await Recording(path, ITEMS[:2], direct(says("2")).local).run()
    with path.open("ab") as file:
        file.write(b'{"id": "q3", "quest')
    local = direct(says("6"))
    traces = await Recording(path, ITEMS[:4], local.local).run()
    assert requests(local) == ["What is 3 + 3?", "What is 4 + 4?"]
    assert [trace.id for trace in traces] == ["q1", "q2", "q3", "q4"] == [trace.id for trace in read_traces(path)]
    again = direct(says("0"))
    assert await Recording(path, ITEMS[:4], again.local).run() == traces
    assert requests(again) == []


async def test_a_question_that_reads_otherwise_now_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    await Recording(path, ITEMS[:1], direct(says("2")).local).run()
    other = Item("q1", "What is one and one?", Check(Grade.NUMBER, ("2",)))
    local = direct(says("3"))
    (trace,) = await Recording(path, [other], local.local).run()
    assert trace.local.text == "3"


async def test_the_remote_model_is_asked_the_sample_and_a_refusal_keeps_the_local_answers(tmp_path: Path) -> None:
    asked: list[str] = []

    async def remote(item: Item) -> RemoteTrace:
        asked.append(item.id)
        if len(asked) == 2:
            raise Blocked("data policy says no")
        return RemoteTrace("large", "2", FinishReason.STOP, 0.1, True, 0.001)

    recording = Recording(tmp_path / "t.jsonl", ITEMS[:4], direct(says("2")).local, remote, {"q1", "q3", "q4"})
    traces = await recording.run()
    assert asked == ["q1", "q3"]
    assert [trace.remote is not None for trace in traces] == [True, False, False, False]
    assert isinstance(recording.remote_problem, Blocked)


async def test_a_sample_that_is_asked_for_later_asks_the_remote_model_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    before = await Recording(path, ITEMS[:3], direct(says("2")).local).run()

    async def remote(item: Item) -> RemoteTrace:
        return RemoteTrace("large", "4", FinishReason.STOP, 0.1)

    local = direct(says("2"))
    traces = await Recording(path, ITEMS[:3], local.local, remote, {"q2"}).run()
    assert requests(local) == []
    assert [trace.local for trace in traces] == [trace.local for trace in before]
    assert [trace.remote and trace.remote.model for trace in traces] == [None, "large", None]
    again = await Recording(path, ITEMS[:3], local.local).run()
    assert [trace.id for trace in again] == ["q1", "q2", "q3"]
    assert again[1].remote is not None


async def test_a_remote_model_that_fails_now_and_then_is_asked_on(tmp_path: Path) -> None:
    failing = {"q1", "q2", "q4", "q5", "q6"}
    asked: list[str] = []

    async def remote(item: Item) -> RemoteTrace:
        asked.append(item.id)
        if item.id in failing:
            raise Unreachable("gone", endpoint="remote")
        return RemoteTrace("large", "2", FinishReason.STOP, 0.1)

    recording = Recording(tmp_path / "t.jsonl", ITEMS, direct(says("2")).local, remote, {item.id for item in ITEMS})
    await recording.run()
    assert asked == [item.id for item in ITEMS]
    assert isinstance(recording.remote_problem, Unreachable)


async def test_a_failing_question_is_left_out_and_asked_next_time_but_three_in_a_row_stop_it(tmp_path: Path) -> None:
    gone: list[Step] = [Unreachable("gone", endpoint="scripted")]
    path = tmp_path / "t.jsonl"
    traces = await Recording(path, ITEMS[:3], direct(says("2"), gone, says("6")).local).run()
    assert [trace.id for trace in traces] == ["q1", "q3"]
    local = direct(gone)
    with pytest.raises(Unreachable):
        await Recording(path, ITEMS, local.local).run()
    assert requests(local) == ["What is 2 + 2?", "What is 4 + 4?", "What is 5 + 5?"]
    assert len(read_traces(path)) == 2


async def test_a_stream_without_an_end_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(StreamIncomplete):
        await Recording(tmp_path / "t.jsonl", ITEMS[:1], direct([Accepted("small"), Piece("2")]).local).run()


async def test_what_was_answered_before_an_interruption_is_kept(tmp_path: Path) -> None:
    second = asyncio.Event()
    local = direct(says("2"), [Accepted("small"), Piece("4"), second, *says("4")[-1:]])
    path = tmp_path / "t.jsonl"
    answered = asyncio.Event()

    def tell(progress: Progress) -> None:
        if progress.done == 1:
            answered.set()

    task = asyncio.create_task(Recording(path, ITEMS[:2], local.local).run(tell))
    await answered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [trace.id for trace in read_traces(path)] == ["q1"]
    assert isinstance(local.backend, ScriptedBackend)
    assert local.backend.closed == len(local.backend.requests) - 1


async def test_a_broken_file_is_named_and_a_folder_that_cannot_be_made_too(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"{}\n")
    with pytest.raises(InputError, match="line 1 of"):
        await Recording(path, ITEMS, direct(says("2")).local).run()
    with pytest.raises(CannotWrite, match="cannot write"):
        await Recording(path / "below", ITEMS, direct(says("2")).local).run()


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full device")
async def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "_opened", lambda _: FULL.open("ab", buffering=0))
    with pytest.raises(CannotWrite, match="No space left"):
        await Recording(tmp_path / "t.jsonl", ITEMS[:1], direct(says("2")).local).run()


async def test_a_model_that_plays_the_remote_is_asked_without_logprobs() -> None:
    remote = direct(says("2"))
    trace = await remote.remote(ITEMS[0])
    assert (trace.model, trace.right, trace.cost) == ("small:1b", True, None)
    assert isinstance(remote.backend, ScriptedBackend)
    assert remote.backend.requests[0].top_logprobs == 0


async def test_old_answers_are_graded_by_the_grader_of_today(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    (trace,) = await Recording(path, ITEMS[:1], direct(says("3")).local).run()
    assert trace.local.right is False
    accepting = Item("q1", ITEMS[0].question, Check(Grade.NUMBER, ("3",)))
    assert regraded([trace], [accepting])[0].local.right is True
    assert regraded([trace], ITEMS[1:]) == []
    assert encoded(regraded([trace], ITEMS)[0]) == encoded(trace)
