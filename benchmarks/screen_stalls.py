"""How long the event loop is held up while the chat, headless, opens and searches conversations of a store on disk."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import time
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from textual.widgets import Input, Static

from benchmarks.markdown_document import sections
from hybridchat.assistant import Assistant
from hybridchat.backends.scripted import ScriptedBackend, script
from hybridchat.config.settings import ChatSettings, Endpoint, Kind, Settings
from hybridchat.credentials import Credentials
from hybridchat.engine import Engine
from hybridchat.messages import Confidence, Place, Provenance, Usage
from hybridchat.routing.gain import GainPolicy
from hybridchat.store import rows
from hybridchat.store.database import Store
from hybridchat.store.identifiers import new_id
from hybridchat.tui.app import ChatApp
from hybridchat.tui.conversations import ConversationsScreen
from hybridchat.tui.provenance import Question

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from textual.pilot import Pilot

LOCAL = Endpoint("ollama", Kind.OLLAMA, "http://127.0.0.1:11434", "phi3.5", Place.LOCAL, num_ctx=4096)
_PER_CONVERSATION = 50  # messages, where many conversations are searched
_SOURCE = Provenance(
    Place.LOCAL,
    "ollama",
    "phi3.5:latest",
    "the local model answers first",
    confidence=Confidence(0.93),
    usage=Usage(40, 90),
    seconds=2.5,
)


async def fill(path: Path, messages: int, per_conversation: int) -> None:
    """Make a database of ``messages`` messages: questions, and answers of a paragraph or so."""
    await Store.open(path).aclose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for first in range(0, messages, per_conversation):
            _add_conversation(connection, first, min(per_conversation, messages - first))


def _add_conversation(connection: sqlite3.Connection, number: int, count: int) -> None:
    conversation, ids, now = new_id(), [new_id() for _ in range(count)], rows.now()
    source, texts = rows.as_json(_SOURCE), _paragraphs(number)
    connection.execute(
        "INSERT INTO conversation (id, title, created_at, updated_at, head_id) VALUES (?, ?, ?, ?, ?)",
        (conversation, f"conversation {number}", now, now, ids[-1]),
    )
    connection.executemany(
        "INSERT INTO message (id, conversation_id, parent_id, role, content, created_at, status, provenance)"
        " VALUES (?, ?, ?, ?, ?, ?, 'complete', ?)",
        (
            (ids[i], conversation, ids[i - 1] if i else None, *(_answer(texts, source) if i % 2 else _question(i)))
            for i in range(count)
        ),
    )


def _question(number: int) -> tuple[str, str, str, None]:
    return "user", f"Question {number}: how large is the window, and why?", rows.now(), None


def _answer(texts: Iterator[str], source: str) -> tuple[str, str, str, str]:
    return "assistant", next(texts), rows.now(), source


def _paragraphs(seed: int) -> Iterator[str]:
    blocks = [block for _, section in zip(range(3), sections(seed), strict=False) for block in section.split("\n\n")]
    chosen = random.Random(seed)
    while True:
        yield f"The cache of {chosen.randrange(10**6)}.\n\n{chosen.choice(blocks)}"


class _Stalls:
    """Looks at the clock every 2 ms; keeps the longest delay, and the CPU time that the loop's own thread used in it.

    The two differ by what the machine, and other threads holding the interpreter's lock, kept it waiting.
    """

    def __init__(self) -> None:
        self.clock = 0.0
        self.cpu = 0.0

    async def look(self) -> None:
        while True:
            due, busy = time.perf_counter() + 0.002, time.thread_time()
            await asyncio.sleep(0.002)
            self.clock = max(self.clock, time.perf_counter() - due)
            self.cpu = max(self.cpu, time.thread_time() - busy)


@asynccontextmanager
async def _chat(path: Path) -> AsyncIterator[tuple[ChatApp, Pilot[None]]]:
    def build() -> Assistant:
        store, settings = Store.open(path), Settings()
        engine = Engine(
            settings, store, ScriptedBackend(LOCAL, script(["Yes"])), GainPolicy(bias=settings.routing.bias), None
        )
        return Assistant(engine, store, Credentials(), settings, [])

    app = ChatApp(build, ChatSettings())
    async with app.run_test(size=(120, 40)) as pilot:
        while not app.is_ready:
            await pilot.pause(0.01)
        yield app, pilot
    await app.chat.assistant.__aexit__(None, None, None)


async def _listed(app: ChatApp, pilot: Pilot[None]) -> ConversationsScreen:
    await pilot.press("ctrl+o")
    while not (isinstance(app.screen, ConversationsScreen) and _found(app.screen)):
        await pilot.pause(0.01)
    return app.screen


def _found(screen: ConversationsScreen) -> str:
    return str(screen.query_one("#found", Static).render())


async def _until(pilot: Pilot[None], come_true: Callable[[], bool]) -> None:
    while not come_true():  # noqa: ASYNC110 -- what is waited for is on the screen, and tells nobody
        await asyncio.sleep(0.005)
    await pilot.pause()
    await asyncio.sleep(0.3)  # what is done after the first frame counts, too


@asynccontextmanager
async def _watched(result: dict[str, float]) -> AsyncIterator[None]:
    stalls, began = _Stalls(), time.perf_counter()
    watching = asyncio.create_task(stalls.look())
    await asyncio.sleep(0.05)
    yield
    result.update(clock=stalls.clock * 1e3, cpu=stalls.cpu * 1e3, took=(time.perf_counter() - began) * 1e3)
    watching.cancel()


async def opening(path: Path) -> dict[str, float]:
    """Open the only conversation from the list; return the longest stall (ms) and how long it all took (ms)."""
    result: dict[str, float] = {}
    async with _chat(path) as (app, pilot):
        await _listed(app, pilot)
        async with _watched(result):
            await pilot.press("enter")
            await _until(pilot, lambda: bool(app.chat.query(Question)))
    return result


async def searching(path: Path) -> dict[str, float]:
    """Search for a word that most messages have; return the longest stall (ms) and how long it all took (ms)."""
    result: dict[str, float] = {}
    async with _chat(path) as (app, pilot):
        screen = await _listed(app, pilot)
        screen.query_one("#found", Static).update("")
        async with _watched(result):
            screen.query_one(Input).value = "cache"
            await _until(pilot, lambda: bool(_found(screen)))
    return result


def databases(folder: Path, long: int, many: int) -> dict[str, Path]:
    """Fill the databases: one conversation of 100 and of ``long`` messages, and 100 and ``many`` messages in many."""
    wanted = {"open 100": (100, 100), f"open {long}": (long, long)}
    wanted |= {"search 100": (100, _PER_CONVERSATION), f"search {many}": (many, _PER_CONVERSATION)}
    paths = {}
    for name, (messages, per_conversation) in wanted.items():
        paths[name] = folder / f"{name.replace(' ', '-')}.db"
        asyncio.run(fill(paths[name], messages, per_conversation))
    return paths


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as there:
        for name, path in databases(Path(there), *map(int, sys.argv[1:3])).items():
            print(name, json.dumps(asyncio.run((opening if "open" in name else searching)(path))))
