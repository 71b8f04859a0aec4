from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import pytest

from hybridchat.backends.protocol import Backend
from hybridchat.backends.scripted import ScriptedBackend, Step, script
from hybridchat.config.settings import Endpoint, Kind, Price, Settings
from hybridchat.engine import Engine, Turn, TurnRequest
from hybridchat.engine.resources import OpenRemote
from hybridchat.events import Event
from hybridchat.messages import DataPolicy, Place
from hybridchat.routing.policy import Policy
from hybridchat.store.database import Store
from tests.engine.policies import ScriptedPolicy

LOCAL = Endpoint("ollama", Kind.OLLAMA, "http://127.0.0.1:11434", "phi3.5", Place.LOCAL, num_ctx=4096)
REMOTE = Endpoint(
    "huggingface", Kind.OPENAI, "https://remote.test/v1", "llama", Place.REMOTE, price=Price(1.0, 2.0), fallbacks=("b",)
)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = Store.open(None)
    yield store
    await store.aclose()


class Bench:
    """An engine on scripted models, and what came of each turn."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.settings = Settings()
        self.local = ScriptedBackend(LOCAL, script(["Paris", ".", " Yes"]))
        self.remote = ScriptedBackend(REMOTE, script(["It is", " Paris"], None, model="llama"))
        self.policy: Policy = ScriptedPolicy()
        self.opened: list[str | None] = []
        self.key_error: Exception | None = None
        self._engine: Engine | None = None

    def scripts(self, *, local: Sequence[Step] | None = None, remote: Sequence[Step] | None = None) -> None:
        if local is not None:
            self.local = ScriptedBackend(LOCAL, local)
        if remote is not None:
            self.remote = ScriptedBackend(REMOTE, remote)

    def allow(self, policy: DataPolicy, *, offline: bool = False) -> None:
        privacy = replace(self.settings.privacy, data_policy=policy, offline=offline)
        self.settings = replace(self.settings, privacy=privacy)

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            opener: OpenRemote = self._open_remote
            self._engine = Engine(self.settings, self.store, self.local, self.policy, opener)
        return self._engine

    async def _open_remote(self, model: str | None) -> Backend:
        self.opened.append(model)
        if self.key_error is not None:
            raise self.key_error
        return self.remote

    def turn(self, text: str = "What is the capital of France?", **more: object) -> Turn:
        return self.engine.turn(TurnRequest(text, **more))  # type: ignore[arg-type]  # each test names real fields

    async def run(
        self,
        text: str = "What is the capital of France?",
        *,
        on: Callable[[Event, Turn], None] = lambda event, turn: None,
        **more: object,
    ) -> list[Event]:
        turn = self.turn(text, **more)
        events = []
        async for event in turn:
            on(event, turn)
            events.append(event)
        return events


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)
