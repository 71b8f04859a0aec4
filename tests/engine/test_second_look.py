from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from hybridchat.backends.protocol import Accepted, Ended, Piece
from hybridchat.backends.scripted import ScriptedBackend, Step, script
from hybridchat.engine import Turn
from hybridchat.engine.second_look import LookedAgain
from hybridchat.errors import Unreachable
from hybridchat.events import Finished
from hybridchat.messages import Confidence, DataPolicy, FinishReason, TokenLogprob
from hybridchat.routing.policy import Decision, Question
from tests.engine.conftest import LOCAL, Bench
from tests.engine.policies import ScriptedPolicy, ScriptedWatch


class GreyPolicy(ScriptedPolicy):
    """Keeps every answer, at a confidence right at the threshold."""

    def watch(self, question: Question) -> ScriptedWatch:
        return _GreyWatch(None, Confidence(0.7))


class _GreyWatch(ScriptedWatch):
    def post(self, finish_reason: FinishReason) -> Decision:
        return replace(super().post(finish_reason), doubtful=True, look_again_at=0.7)


def word(text: str, logprob: float | None) -> list[Step]:
    tokens = () if logprob is None else (TokenLogprob(text, logprob),)
    return [Accepted("m"), Piece(text, tokens), Ended(FinishReason.LENGTH)]


async def answered(bench: Bench, *looks: Sequence[Step]) -> Turn:
    bench.policy = GreyPolicy()
    bench.allow(DataPolicy.ALLOW)
    bench.local = ScriptedBackend(LOCAL, script(["It is", " Paris"]), *looks)
    turn = bench.turn()
    assert isinstance([event async for event in turn][-1], Finished)
    return turn


async def seen(turn: Turn) -> list[LookedAgain]:
    assert turn.second_look is not None
    return [look async for look in turn.second_look]


async def test_a_grey_answer_is_looked_at_again_by_the_local_model_alone(bench: Bench) -> None:
    turn = await answered(bench, word("Hm", -0.1), word("Paris", None))
    looks = await seen(turn)
    assert [look.look for look in looks] == ["p_true", "sample"]
    assert looks[-1].confidence.value > 0.7
    assert not looks[-1].advises
    assert bench.opened == []
    p_true, sample = bench.local.requests[1:]
    assert (p_true.max_tokens, p_true.messages[1].content) == (1, "It is Paris")
    assert sample.max_tokens == 32
    assert await bench.store.ledger.list(10) == []


async def test_it_may_advise_to_ask_the_remote_model_and_is_kept_with_the_answer(bench: Bench) -> None:
    turn = await answered(bench, word("No", -0.1))
    (look,) = await seen(turn)
    assert look.advises
    message = await bench.store.conversations.message(look.message_id)
    assert message.provenance is not None
    assert message.provenance.confidence == look.confidence
    assert message.provenance.reading is not None
    assert message.provenance.reading.signals["p_true"] == pytest.approx(1 - 0.905, abs=0.001)


async def test_the_answer_is_finished_before_anything_is_looked_at(bench: Bench) -> None:
    await answered(bench, word("No", -0.1))
    assert len(bench.local.requests) == 1


async def test_without_logprobs_the_word_counts_and_that_is_said(bench: Bench) -> None:
    turn = await answered(bench, word("No", None))
    assert "no probability" in (await seen(turn))[0].reason


async def test_the_next_turn_stops_it_at_once(bench: Bench) -> None:
    turn = await answered(bench, [Accepted("m"), asyncio.Event()], script(["Rome"]))
    bench.local.asked.clear()
    looking = asyncio.create_task(seen(turn))
    await bench.local.asked.wait()
    assert isinstance((await bench.run("And of Italy?"))[-1], Finished)
    assert await looking == []
    assert bench.local.closed == 1


async def test_whoever_types_can_stop_it_and_it_stays_stopped(bench: Bench) -> None:
    turn = await answered(bench, word("No", -0.1))
    assert turn.second_look is not None
    turn.second_look.stop()
    assert await seen(turn) == []
    assert len(bench.local.requests) == 1


async def test_leaving_it_closes_the_servers_stream(bench: Bench) -> None:
    turn = await answered(bench, [Accepted("m"), asyncio.Event()])
    bench.local.asked.clear()
    looking = asyncio.create_task(seen(turn))
    await bench.local.asked.wait()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert bench.local.closed == 1


async def test_a_local_model_that_fails_ends_it_quietly(bench: Bench) -> None:
    turn = await answered(bench, [Unreachable("gone", endpoint="ollama")])
    assert await seen(turn) == []


async def test_an_answer_that_was_deleted_meanwhile_stops_nothing(bench: Bench) -> None:
    turn = await answered(bench, word("No", -0.1))
    (conversation,) = await bench.store.conversations.list()
    await bench.store.conversations.delete(conversation.id)
    assert len(await seen(turn)) == 1


async def test_where_it_is_switched_off_or_nothing_is_grey_there_is_none(bench: Bench) -> None:
    assert (await answered(bench)).second_look is not None
    bench.policy, bench._engine = ScriptedPolicy(), None
    turn = bench.turn()
    assert [event async for event in turn]
    assert turn.second_look is None
    bench._engine = None
    bench.settings = replace(bench.settings, routing=replace(bench.settings.routing, second_look=False))
    assert (await answered(bench)).second_look is None
