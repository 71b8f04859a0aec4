from __future__ import annotations

from dataclasses import replace

import pytest

from hybridchat.engine import Engine
from hybridchat.engine.connection_ahead import ConnectionAhead
from hybridchat.errors import Unreachable
from hybridchat.events import Finished
from hybridchat.messages import Confidence, DataPolicy, Place, TokenLogprob
from hybridchat.routing.policy import Decision, Question
from tests.engine.conftest import Bench
from tests.engine.policies import ScriptedPolicy, ScriptedWatch


class DoubtingPolicy(ScriptedPolicy):
    """Keeps every answer, but doubts it while it streams."""

    def watch(self, question: Question) -> ScriptedWatch:
        return _DoubtingWatch(None, Confidence(0.7))


class _DoubtingWatch(ScriptedWatch):
    def observe(self, text: str, logprobs: tuple[TokenLogprob, ...]) -> Decision | None:  # type: ignore[override]  # a tuple is what comes
        decision = super().observe(text, logprobs)
        return None if decision is None else replace(decision, doubtful=True)


async def connections(bench: Bench, **more: object) -> int:
    opened = 0

    async def connect() -> None:
        nonlocal opened
        opened += 1

    bench.policy = DoubtingPolicy()
    bench._engine = Engine(
        bench.settings, bench.store, bench.local, bench.policy, bench._open_remote, connect_ahead=connect
    )
    assert isinstance((await bench.run(**more))[-1], Finished)  # type: ignore[arg-type]  # each test names real fields
    return opened


async def test_doubt_opens_one_connection_where_the_policy_lets_things_leave(bench: Bench) -> None:
    bench.allow(DataPolicy.ALLOW)
    assert await connections(bench) == 1
    assert bench.opened == []


@pytest.mark.parametrize("policy", [DataPolicy.CONFIRM, DataPolicy.LOCAL_ONLY])
async def test_where_somebody_must_be_asked_or_nothing_may_leave_none_is_opened(
    bench: Bench, policy: DataPolicy
) -> None:
    bench.allow(policy)
    assert await connections(bench, can_ask=True) == 0
    assert await connections(bench, allow_remote=True) == 0


async def test_a_conversations_own_policy_counts(bench: Bench) -> None:
    bench.allow(DataPolicy.ALLOW)
    conversation = await bench.store.conversations.create("private", DataPolicy.CONFIRM)
    assert await connections(bench, conversation_id=conversation.id) == 0


async def test_offline_and_for_a_local_choice_none_is_opened(bench: Bench) -> None:
    bench.allow(DataPolicy.ALLOW, offline=True)
    assert await connections(bench) == 0
    bench.allow(DataPolicy.ALLOW)
    assert await connections(bench, choice=Place.LOCAL) == 0


async def test_a_server_that_cannot_be_reached_is_no_news_yet() -> None:
    async def connect() -> None:
        raise Unreachable("nobody there", endpoint="remote")

    ahead = ConnectionAhead(connect)
    ahead.open()
    await ahead.stop()
