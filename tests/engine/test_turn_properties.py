from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybridchat.backends.protocol import Accepted, Backend, ChatRequest, Ended, Piece, StreamPart
from hybridchat.backends.scripted import ScriptedBackend, Step
from hybridchat.config.settings import PrivacySettings, Settings
from hybridchat.engine import Engine, Turn, TurnRequest
from hybridchat.errors import (
    CannotWrite,
    ContextOverflow,
    HybridChatError,
    KeyMissing,
    ModelMissing,
    StreamBroken,
    Unreachable,
)
from hybridchat.events import (
    Consent,
    ConsentRequested,
    Delta,
    Escalated,
    Event,
    Failed,
    Finished,
    KeptLocal,
    ModelChoiceRequested,
    Opened,
    Routed,
    SetAside,
)
from hybridchat.messages import DataPolicy, FinishReason, Message, Place, Status, TokenLogprob, Usage
from hybridchat.store.database import Store
from hybridchat.store.records import LedgerEntry
from tests.engine.conftest import LOCAL, REMOTE
from tests.engine.policies import ScriptedPolicy

Ending = HybridChatError | Literal["end", "stall"]

KEPT = ("create", "get", "path", "add_user_message", "begin_answer", "finish_answer", "agree_to_remote")
LEDGER = ("sent", "outcome")


@dataclass(frozen=True)
class Scenario:
    """One turn; ``stop_at`` is the moment at which the user stops it, ``full_from`` the write from which the disk is
    full, ``reply`` None a question that nobody answers until the user stops the turn.
    """

    local: tuple[Piece, ...]
    local_ending: Ending
    remote: tuple[Piece, ...]
    remote_ending: Ending
    doubt_after: int | None
    choice: Place | None
    policy: DataPolicy
    can_ask: bool
    reply: Consent | None
    model: str | None
    has_key: bool
    stop_at: int | None
    full_from: int | None


class Moments:
    """Counts what happens in a turn, and stops it at a given moment."""

    def __init__(self, stop_at: int | None, full_from: int | None) -> None:
        self._stop_at = stop_at
        self._full_from = full_from
        self._passed = 0
        self._writes = 0
        self.turn: Turn | None = None

    def begin(self, turn: Turn) -> None:
        self.turn = turn
        self.tick()

    def tick(self) -> None:
        if self._passed == self._stop_at:
            self.stop()
        self._passed += 1

    def stop(self) -> None:
        assert self.turn is not None
        self.turn.cancel()

    def around(self, write: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def with_moments(*args: Any) -> Any:
            self.tick()
            self._writes += 1
            if self._full_from is not None and self._writes > self._full_from:
                raise CannotWrite("the disk is full")
            result = await write(*args)
            self.tick()
            return result

        return with_moments


class Impatience(asyncio.Event):
    """A wait that ends only because the user stops the turn."""

    def __init__(self, moments: Moments) -> None:
        super().__init__()
        self._moments = moments

    async def wait(self) -> Literal[True]:
        self._moments.stop()
        return await super().wait()


class ObservedBackend(ScriptedBackend):
    def __init__(self, moments: Moments, *args: Any) -> None:
        super().__init__(*args)
        self._moments = moments
        self.running = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        self.running += 1
        try:
            async with aclosing(super().stream(request)) as parts:
                async for part in parts:
                    self._moments.tick()
                    yield part
        finally:
            self.running -= 1


@dataclass(frozen=True)
class Outcome:
    events: list[Event]
    messages: dict[str, Message]
    head: str | None
    ledger: list[LedgerEntry]
    requests: int


def script(pieces: tuple[Piece, ...], ending: Ending, moments: Moments) -> list[Step]:
    last: Step
    match ending:
        case "end":
            last = Ended(FinishReason.STOP, Usage(10, len(pieces)))
        case "stall":
            last = Impatience(moments)
        case _:
            last = ending
    return [Accepted("scripted"), *pieces, last]


async def play(scenario: Scenario) -> Outcome:
    moments = Moments(scenario.stop_at, scenario.full_from)
    local = ObservedBackend(moments, LOCAL, script(scenario.local, scenario.local_ending, moments))
    remote = ObservedBackend(moments, REMOTE, script(scenario.remote, scenario.remote_ending, moments))

    async def open_remote(model: str | None) -> Backend:
        moments.tick()
        if not scenario.has_key:
            raise KeyMissing("no key")
        return remote

    async with Store.open(None) as store:
        conversation = await store.conversations.create("a conversation")
        for part, names in ((store.conversations, KEPT), (store.ledger, LEDGER)):
            for name in names:
                setattr(part, name, moments.around(getattr(part, name)))
        privacy = PrivacySettings(data_policy=scenario.policy)
        policy = ScriptedPolicy(scenario.doubt_after)
        engine = Engine(replace(Settings(), privacy=privacy), store, local, policy, open_remote)
        request = TurnRequest("why?", conversation.id, choice=scenario.choice, can_ask=scenario.can_ask)
        turn = engine.turn(request)
        moments.begin(turn)
        events: list[Event] = []
        async for event in turn:
            events.append(event)
            moments.tick()
            match event:
                case ConsentRequested():
                    moments.stop() if scenario.reply is None else turn.answer(scenario.reply)
                case ModelChoiceRequested():
                    turn.answer(scenario.model)
        await turn.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}, "a task outlived its turn"
        assert (local.running, remote.running) == (0, 0), "a stream was left open"
        assert (await store.ledger.verify()).problem == ""
        messages = {message.id: message for message in await store.conversations.tree(conversation.id)}
        head = (await store.conversations.list())[0].head_id
        return Outcome(events, messages, head, await store.ledger.list(10), len(remote.requests))


def check_order(events: list[Event]) -> None:
    assert [isinstance(event, Finished | Failed) for event in events] == [False] * (len(events) - 1) + [True]
    if len(events) > 1:
        assert isinstance(events[0], Routed)
    opened: dict[str, Place] = {}
    void = set[str]()
    for event in events:
        match event:
            case Opened(message_id=message_id, place=place):
                assert message_id not in opened
                opened[message_id] = place
            case Escalated(message_id=message_id, from_message_id=local):
                assert message_id not in opened
                assert local is None or local in void
                opened[message_id] = Place.REMOTE
            case SetAside(message_id=message_id):
                assert opened[message_id] is Place.LOCAL
                void.add(message_id)
            case Delta(message_id=message_id, place=place):
                assert opened[message_id] is place
                assert message_id not in void
            case KeptLocal(message_id=message_id):
                assert message_id is None or opened[message_id] is Place.LOCAL
                assert not void
            case Finished(message_id=message_id):
                assert message_id in opened
                assert message_id not in void
    places = [event.place for event in events if isinstance(event, Delta)]
    assert places == sorted(places, key=lambda place: place is Place.REMOTE), "two answers are mixed"


def shown(events: list[Event], message_id: str) -> str:
    deltas = (event for event in events if isinstance(event, Delta) and event.message_id == message_id)
    return "".join(delta.text for delta in deltas if not delta.thinking)


def check_what_is_kept(outcome: Outcome) -> None:
    last, messages = outcome.events[-1], outcome.messages
    assert all(message.status is not Status.STREAMING for message in messages.values())
    for event in outcome.events:
        if isinstance(event, Delta):
            assert messages[event.message_id].content.startswith(shown(outcome.events, event.message_id))
        if isinstance(event, SetAside):
            assert messages[event.message_id].status is Status.SET_ASIDE
    if isinstance(last, Finished):
        assert last.text == shown(outcome.events, last.message_id) == messages[last.message_id].content
        assert messages[last.message_id].status is Status.COMPLETE
        assert messages[last.message_id].provenance == last.provenance
        assert outcome.head == last.message_id
    elif isinstance(last, Failed) and last.message_id is not None:
        kept = messages[last.message_id]
        assert last.text == kept.content
        assert kept.status in {Status.PARTIAL, Status.COMPLETE}
        assert outcome.head == last.message_id


def check_what_left(scenario: Scenario, outcome: Outcome) -> None:
    asked = [event for event in outcome.events if isinstance(event, ConsentRequested)]
    agreed = scenario.policy is DataPolicy.ALLOW or (bool(asked) and scenario.reply in {Consent.SEND, Consent.ALWAYS})
    if not agreed or scenario.choice is Place.LOCAL or scenario.policy is DataPolicy.LOCAL_ONLY:
        assert outcome.requests == 0
        assert outcome.ledger == []
    assert outcome.requests <= len(outcome.ledger)
    if scenario.full_from is None:
        assert all(entry.outcome is not None for entry in outcome.ledger)


TOKENS = st.sampled_from(["a", " b", "", "\u00e9", "\x1b[31mc", "\n"])
SCORED = st.builds(lambda text: Piece(text, (TokenLogprob(text, -0.1, (-0.1, -3.0)),)), TOKENS)
THOUGHT = st.builds(lambda text: Piece(text, thinking=True), TOKENS)
PIECES = st.lists(SCORED | st.builds(Piece, TOKENS) | THOUGHT, max_size=5).map(tuple)
LOCAL_ENDINGS = st.sampled_from(
    ["end", "end", "stall", StreamBroken("reset", endpoint="l"), Unreachable("no", endpoint="l")]
)
REMOTE_ENDINGS = st.sampled_from(
    [
        *("end", "end", "stall", StreamBroken("reset", endpoint="r"), Unreachable("no", endpoint="r")),
        ContextOverflow("long", endpoint="r"),
        ModelMissing("gone", endpoint="r", alternatives=("b", "c")),
    ]
)
SCENARIOS = st.builds(
    Scenario,
    local=PIECES,
    local_ending=LOCAL_ENDINGS,
    remote=PIECES,
    remote_ending=REMOTE_ENDINGS,
    doubt_after=st.sampled_from([None, 0, 1, 2, 3]),
    choice=st.sampled_from([None, None, Place.LOCAL, Place.REMOTE]),
    policy=st.sampled_from([DataPolicy.ALLOW, DataPolicy.ALLOW, DataPolicy.CONFIRM, DataPolicy.LOCAL_ONLY]),
    can_ask=st.booleans(),
    reply=st.sampled_from([None, *Consent]),
    model=st.sampled_from([None, "b", "not offered"]),
    has_key=st.sampled_from([True, True, True, False]),
    stop_at=st.none() | st.integers(0, 60),
    full_from=st.just(None),
)


@settings(max_examples=400)
@given(SCENARIOS)
def test_whatever_is_said_answered_and_stopped_events_keep_their_order_and_agree_with_what_is_kept(
    scenario: Scenario,
) -> None:
    outcome = asyncio.run(play(scenario))
    check_order(outcome.events)
    check_what_is_kept(outcome)
    check_what_left(scenario, outcome)


@settings(max_examples=200)
@given(SCENARIOS, st.integers(0, 10))
def test_a_disk_that_is_full_from_any_moment_on_costs_no_event_and_lets_nothing_leave_unrecorded(
    scenario: Scenario, full_from: int
) -> None:
    scenario = replace(scenario, full_from=full_from)
    outcome = asyncio.run(play(scenario))
    check_order(outcome.events)
    check_what_left(scenario, outcome)


ESCALATING = Scenario(
    local=tuple(Piece(text, (TokenLogprob(text, -0.1, (-0.1,)),)) for text in ("Lyon", " is", " it")),
    local_ending="end",
    remote=(Piece("It is"), Piece(" Paris")),
    remote_ending="end",
    doubt_after=2,
    choice=None,
    policy=DataPolicy.ALLOW,
    can_ask=True,
    reply=Consent.SEND,
    model=None,
    has_key=True,
    stop_at=None,
    full_from=None,
)


@settings(max_examples=150)
@given(st.integers(0, 80), st.sampled_from(DataPolicy))
@example(0, DataPolicy.ALLOW)
def test_an_escalation_can_be_stopped_at_every_moment(stop_at: int, policy: DataPolicy) -> None:
    scenario = replace(ESCALATING, stop_at=stop_at, policy=policy)
    outcome = asyncio.run(play(scenario))
    check_order(outcome.events)
    check_what_is_kept(outcome)
    check_what_left(scenario, outcome)
