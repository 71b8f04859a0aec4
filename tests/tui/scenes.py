"""States of the chat worth a picture, each played on scripted models with a clock of its own."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import patch

from textual.widgets import Input, OptionList, TextArea

from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart
from hybridchat.backends.scripted import ScriptedBackend, Step, script
from hybridchat.config.settings import ChatSettings, Endpoint
from hybridchat.engine import local_answer, remote_answer
from hybridchat.errors import ModelMissing, StreamBroken
from hybridchat.messages import Confidence, DataPolicy, FinishReason, TokenLogprob, Usage
from hybridchat.routing.policy import Decision, Question
from hybridchat.store import rows
from hybridchat.store.database import Store
from hybridchat.tui import resting, status
from hybridchat.tui.answer import Answer
from hybridchat.tui.comparison import ComparisonDialog
from hybridchat.tui.confidence_map import ConfidenceLegend
from hybridchat.tui.consent import ConsentDialog
from hybridchat.tui.conversations import ConversationsScreen
from hybridchat.tui.dialogs import ChoiceDialog, TextDialog
from hybridchat.tui.first_run import FirstRunScreen
from tests.engine.conftest import LOCAL, REMOTE
from tests.engine.policies import SURE, ScriptedPolicy, ScriptedWatch
from tests.tui.conftest import Chat, Running
from tests.tui.test_first_run import Machine, on

_SIGNALS = {"min_logprob": -2.303, "mean_logprob": -0.41, "first_entropy": 1.87}
_CODE = """\
Use a set for what was seen, and keep the order:

```python
def unique(items):
    seen = set()
    return [item for item in items
            if not (item in seen or seen.add(item))]
```

- `seen.add` returns `None`, which is false,
- so each item is **kept once**.

| items | time | memory |
|:------|-----:|-------:|
| 1,000 | 0.1 ms | 60 kB |
| 1,000,000 | 120 ms | 67 MB |
"""
_DRAFT = [" The", " Tin", " Drum", " was", " written", " by", " John", " Lennon"]
_REMOTE_ANSWER = (
    "**Günter Grass** wrote *The Tin Drum* (1959).\n\n"
    "Oskar Matzerath decides at the age of three to stop growing, and tells the story of his family and of Danzig "
    "before, in and after the war, drumming against the world of the adults.\n"
)
_TIN_DRUM = "Who wrote The Tin Drum, and what is it about?"


class Clock:
    """A clock that stands still between tokens."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class TimedBackend(ScriptedBackend):
    """A scripted model that takes 40 ms a token."""

    def __init__(self, clock: Clock, endpoint: Endpoint, *scripts: Sequence[Step]) -> None:
        super().__init__(endpoint, *scripts)
        self._clock = clock

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        stream = super().stream(request)
        try:
            async for part in stream:
                self._clock.seconds += 0.04
                yield part
        finally:
            await stream.aclose()


class TellingPolicy(ScriptedPolicy):
    """A scripted policy that tells signals, too."""

    def watch(self, question: Question) -> ScriptedWatch:
        return _TellingWatch(self.doubt_after if question.can_escalate else None, self.confidence)


class _TellingWatch(ScriptedWatch):
    def observe(self, text: str, logprobs: Sequence[TokenLogprob]) -> Decision | None:
        decision = super().observe(text, logprobs)
        return None if decision is None else replace(decision, signals=_SIGNALS)

    def post(self, finish_reason: FinishReason) -> Decision:
        return replace(super().post(finish_reason), signals=_SIGNALS)


def says(pieces: Sequence[str], *after: Step, probabilities: Sequence[float] = ()) -> list[Step]:
    """Return a local answer; where ``after`` is given, it comes in place of an ordinary end."""
    steps: list[Step] = [Accepted("phi3.5")]
    for number, piece in enumerate(pieces):
        logprob = math.log(probabilities[number] if probabilities else 0.95)
        steps.append(Piece(piece, (TokenLogprob(piece, logprob, (logprob, -3.0)),)))
    return [*steps, *(after or (Ended(FinishReason.STOP, Usage(20, len(pieces))),))]


def words(text: str) -> list[str]:
    return text.replace(" ", "\0 ").split("\0")


class Stage:
    """A chat, the clock that its models go by, and how it is looked at."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.chat = Chat(store)
        self.chat.policy = TellingPolicy(confidence=SURE)
        self._clock = clock
        self.size = (80, 24)
        self.theme = ""
        self.local(says(words("Paris is the capital of France.\n")))
        self.remote(script(words(_REMOTE_ANSWER), None, model="meta-llama/Llama-3.3-70B-Instruct"))

    def local(self, *scripts: Sequence[Step]) -> None:
        self.chat.local = TimedBackend(self._clock, LOCAL, *scripts)

    def remote(self, *scripts: Sequence[Step]) -> None:
        self.chat.remote = TimedBackend(self._clock, REMOTE, *scripts)

    def doubt(self, policy: DataPolicy) -> None:
        """Let the local model be doubted at its last word."""
        self.chat.allow(policy)
        self.chat.policy = TellingPolicy(len(_DRAFT), Confidence(0.03))
        self.local(says(_DRAFT, asyncio.Event()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Running]:
        async with self.chat.running(size=self.size, settings=ChatSettings(theme=self.theme)) as running:
            for editor in (*running.app.screen.query(TextArea), *running.app.screen.query(Input)):
                editor.cursor_blink = False
            yield running


Scene = Callable[[Stage], AsyncIterator[Running]]
SCENES: dict[str, Scene] = {}


def scene(play: Scene) -> Scene:
    """Register a state by the name of its function."""
    SCENES[play.__name__.replace("_", "-")] = play
    return play


@contextmanager
def standing_still(clock: Clock) -> Iterator[None]:
    """Let every clock that the screen can show go by ``clock``, in UTC."""
    fake = SimpleNamespace(monotonic=clock.monotonic)
    with (
        patch.object(local_answer, "time", fake),
        patch.object(remote_answer, "time", fake),
        patch.object(status, "time", fake),
        patch.object(rows, "now", lambda: "2026-03-01T12:00:00.000000+00:00"),
        patch.object(resting, "now", lambda: datetime(2026, 3, 1, 12, 1, tzinfo=UTC)),
        patch.dict(os.environ, {"TZ": "UTC"}),
    ):
        _set_time_zone()
        yield
    _set_time_zone()


def _set_time_zone() -> None:
    if hasattr(time, "tzset"):
        time.tzset()


async def settle(running: Running) -> None:
    """Wait until all that was said is drawn, and the status line, which looks only now and then, is up to date."""
    await running.until(lambda: not any(answer._pacer.pending for answer in running.screen.query(Answer)))
    running.screen.status.refresh()
    await running.pilot.pause()
    await running.pilot.pause()


@scene
async def empty(stage: Stage) -> AsyncIterator[Running]:
    async with stage.running() as running:
        yield running


@scene
async def streaming_draft(stage: Stage) -> AsyncIterator[Running]:
    stage.chat.policy = TellingPolicy(confidence=Confidence(0.4))
    stage.local(says(words("It goes into orbit, and it stays"), asyncio.Event()))
    async with stage.running() as running:
        await running.send("What does a satellite do?")
        await running.until(lambda: running.answers == ["It goes into orbit, and it stays"])
        await running.until(lambda: (work := running.screen.status.work) is not None and work.tokens == 7)
        yield running


@scene
async def solid_answer(stage: Stage) -> AsyncIterator[Running]:
    stage.size = (80, 34)
    stage.local(says(words(_CODE)))
    async with stage.running() as running:
        await running.ask("How do I drop duplicates from a list in Python?")
        yield running


@scene
async def bail_out(stage: Stage) -> AsyncIterator[Running]:
    stage.doubt(DataPolicy.ALLOW)
    async with stage.running() as running:
        await running.ask(_TIN_DRUM)
        yield running


@scene
async def consent(stage: Stage) -> AsyncIterator[Running]:
    stage.doubt(DataPolicy.CONFIRM)
    async with stage.running() as running:
        await running.send("Draft a reply to joe@example.org: the key sk-proj-Abc123Def456Ghi789Jkl012Mno345 leaked.")
        dialog = await running.dialog(ConsentDialog)
        dialog.arm()
        yield running


@scene
async def consent_without_colour(stage: Stage) -> AsyncIterator[Running]:
    stage.doubt(DataPolicy.CONFIRM)
    with patch.dict(os.environ, {"NO_COLOR": "1"}):
        async with stage.running() as running:
            await running.send("Draft a reply to joe@example.org.")
            dialog = await running.dialog(ConsentDialog)
            dialog.arm()
            yield running


@scene
async def comparison(stage: Stage) -> AsyncIterator[Running]:
    answers = ("Paris.", "It is **Paris**.", "The capital of France is Paris,\n\n- on the Seine,\n- since 987.")
    stage.local(*(says(words(answer)) for answer in answers))
    async with stage.running() as running:
        await running.ask("What is the capital of France?")
        for _ in answers[1:]:
            await running.press("ctrl+t")
            await running.idle()
        await running.press("f4")
        dialog = await running.dialog(ComparisonDialog)
        await running.until(lambda: len(dialog.query(Answer)) == 2)
        yield running


@scene
async def continued(stage: Stage) -> AsyncIterator[Running]:
    stage.local(
        says(words("It goes into orbit, and"), asyncio.Event()), says(words("stays there for years, or burns up."))
    )
    async with stage.running() as running:
        await running.send("What does a satellite do?")
        await running.until(lambda: running.answers == ["It goes into orbit, and"])
        await running.press("escape")
        await running.idle()
        await running.press("f5")
        await running.idle()
        yield running


@scene
async def model_choice(stage: Stage) -> AsyncIterator[Running]:
    stage.doubt(DataPolicy.ALLOW)
    stage.remote([ModelMissing("gone", endpoint="huggingface", alternatives=("llama-3.3-70b", "qwen3-32b"))])
    async with stage.running() as running:
        await running.send(_TIN_DRUM)
        await running.dialog(ChoiceDialog)
        yield running


@scene
async def failure_with_partial(stage: Stage) -> AsyncIterator[Running]:
    stage.chat.remote = None
    stage.local(
        says(
            words("It goes into orbit, and"), StreamBroken("the connection broke", endpoint="ollama", hint="Try again.")
        )
    )
    async with stage.running() as running:
        await running.ask("What does a satellite do?")
        yield running


@scene
async def heat_map(stage: Stage) -> AsyncIterator[Running]:
    pieces = words("*The Tin Drum* was written by **John Lennon** in 1959:\n\n- it has three books,\n- and a dwarf.")
    shaky = {" **John": 0.12, " Lennon**": 0.45, " 1959:\n\n-": 0.31, " three": 0.18}
    stage.local(says(pieces, probabilities=[shaky.get(piece, 0.9) for piece in pieces]))
    async with stage.running() as running:
        await running.ask(_TIN_DRUM)
        await running.press("f3")
        await running.until(lambda: bool(running.screen.query(ConfidenceLegend)))
        yield running


@scene
async def why(stage: Stage) -> AsyncIterator[Running]:
    async with stage.running() as running:
        await running.ask("What is the capital of France?")
        await running.press("f2")
        await running.dialog(TextDialog)
        yield running


@scene
async def search(stage: Stage) -> AsyncIterator[Running]:
    stage.local(says(words("Whales sing, and other whales answer.")), says(["Cheese is milk that stayed."]))
    async with stage.running() as running:
        for question in ("Why do whales sing?", "What is cheese?"):
            await running.press("ctrl+n")
            await running.ask(question)
        await running.press("ctrl+o")
        listing = await running.dialog(ConversationsScreen)
        typed = listing.query_one(Input)
        typed.cursor_blink = False
        typed.value = "whales"
        await running.until(lambda: "whales" in str(listing.listed.get_option_at_index(0).prompt).split("\n")[-1])
        yield running


@scene
async def first_run(stage: Stage) -> AsyncIterator[Running]:
    async with on(stage.chat, Machine()).running(size=stage.size) as running:
        await running.dialog(FirstRunScreen)
        options = running.app.screen.query_one(OptionList)
        await running.until(lambda: options.option_count > 0)
        yield running


@scene
async def small_terminal(stage: Stage) -> AsyncIterator[Running]:
    stage.size = (30, 8)
    async with stage.running() as running:
        yield running


@scene
async def high_contrast(stage: Stage) -> AsyncIterator[Running]:
    stage.theme = "high-contrast"
    stage.doubt(DataPolicy.ALLOW)
    async with stage.running() as running:
        await running.ask(_TIN_DRUM)
        yield running


@scene
async def without_colour(stage: Stage) -> AsyncIterator[Running]:
    stage.doubt(DataPolicy.ALLOW)
    with patch.dict(os.environ, {"NO_COLOR": "1"}):
        async with stage.running() as running:
            await running.ask(_TIN_DRUM)
            yield running


@asynccontextmanager
async def played(name: str) -> AsyncIterator[Running]:
    """Play a state until it stands still, on a store in memory."""
    clock = Clock()
    with standing_still(clock):
        async with Store.open(None) as store, asynccontextmanager(SCENES[name])(Stage(store, clock)) as running:
            await settle(running)
            yield running
