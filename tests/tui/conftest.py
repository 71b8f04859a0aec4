from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from hybridchat.assistant import Assistant
from hybridchat.backends.protocol import Backend
from hybridchat.backends.scripted import ScriptedBackend, Step, script
from hybridchat.config.settings import ChatSettings, Settings
from hybridchat.credentials import Credentials
from hybridchat.engine import Engine
from hybridchat.messages import Conversation, DataPolicy
from hybridchat.store.database import Store
from hybridchat.tui.answer import Answer
from hybridchat.tui.app import ChatApp
from hybridchat.tui.chat import ChatScreen
from hybridchat.tui.provenance import Fold, Note, Question, Speaker
from tests.engine.conftest import LOCAL, REMOTE
from tests.engine.policies import ScriptedPolicy

AnyScreen = TypeVar("AnyScreen", bound=Screen[Any])


class Chat:
    """The whole program behind a headless screen: an engine on scripted models and a real store in memory."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.policy = ScriptedPolicy()
        self.settings = Settings()
        self.local = ScriptedBackend(LOCAL, script(["Paris", ".", " Yes"]))
        self.remote: ScriptedBackend | None = ScriptedBackend(REMOTE, script(["It is", " Paris"], None, model="llama"))
        self.built = asyncio.Event()
        self.conversation: Conversation | None = None

    def allow(self, policy: DataPolicy) -> None:
        self.settings = replace(self.settings, privacy=replace(self.settings.privacy, data_policy=policy))

    def local_says(self, *scripts: Sequence[Step]) -> None:
        self.local = ScriptedBackend(LOCAL, *scripts)

    def remote_says(self, *scripts: Sequence[Step]) -> None:
        self.remote = ScriptedBackend(REMOTE, *scripts)

    def assistant(self) -> Assistant:
        async def open_remote(_model: str | None) -> Backend:
            assert self.remote is not None
            return self.remote

        opener = open_remote if self.remote is not None else None
        engine = Engine(self.settings, self.store, self.local, self.policy, opener)
        return Assistant(engine, self.store, Credentials(), self.settings, [])

    @asynccontextmanager
    async def running(
        self, *, size: tuple[int, int] = (100, 40), settings: ChatSettings | None = None
    ) -> AsyncIterator[Running]:
        async def choose(_assistant: Assistant) -> Conversation | None:
            return self.conversation

        app = ChatApp(self.assistant, settings or ChatSettings(), choose)
        async with app.run_test(size=size, notifications=True) as pilot:
            running = Running(app, pilot)
            await running.until(lambda: app.is_ready)
            try:
                yield running
            finally:
                await app.chat.close_turn()


class Running:
    def __init__(self, app: ChatApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.press = pilot.press

    @property
    def screen(self) -> ChatScreen:
        return self.app.chat

    async def until(self, come_true: Callable[[], bool]) -> None:
        """Let the app run until something is so; the test's time limit bounds it."""
        while not come_true():
            assert self.app.failure is None, self.app.failure
            await self.pilot.pause()
            await asyncio.sleep(0.001)

    async def write(self, text: str) -> None:
        self.screen.composer.insert(text)
        await self.pilot.pause()

    async def send(self, text: str) -> None:
        await self.write(text)
        await self.press("enter")

    async def ask(self, text: str = "What is the capital of France?") -> None:
        """Send a question and wait until it is answered."""
        await self.send(text)
        await self.idle()

    async def idle(self) -> None:
        await self.until(lambda: not self.screen.is_busy and not self.screen.queued)
        await self.pilot.pause()

    async def dialog(self, kind: type[AnyScreen]) -> AnyScreen:
        await self.until(lambda: isinstance(self.app.screen, kind))
        await self.pilot.pause()
        assert isinstance(self.app.screen, kind)
        return self.app.screen

    def shown(self, kind: type[Static]) -> list[str]:
        return [str(widget.render()) for widget in self.screen.query(kind) if widget.display]

    @property
    def questions(self) -> list[str]:
        return self.shown(Question)

    @property
    def speakers(self) -> list[str]:
        return self.shown(Speaker)

    @property
    def notes(self) -> list[str]:
        return self.shown(Note)

    @property
    def folds(self) -> list[str]:
        return self.shown(Fold)

    @property
    def answers(self) -> list[str]:
        return [answer.source for answer in self.screen.query(Answer) if answer.display]

    @property
    def status(self) -> str:
        return str(self.screen.status.render())

    @property
    def told(self) -> list[str]:
        return [notification.message for notification in self.app._notifications]


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = Store.open(None)
    yield store
    await store.aclose()


@pytest.fixture
def chat(store: Store) -> Chat:
    return Chat(store)
