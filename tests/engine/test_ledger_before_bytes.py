from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.protocol import Backend
from hybridchat.backends.scripted import ScriptedBackend, script
from hybridchat.config.settings import Auth, PrivacySettings, Settings
from hybridchat.engine import Engine, TurnRequest
from hybridchat.events import Consent, ConsentRequested, Event, Finished
from hybridchat.messages import DataPolicy
from hybridchat.store.database import Store
from tests.engine.conftest import LOCAL, REMOTE
from tests.engine.policies import ScriptedPolicy
from tests.servers.openai import delta, stream


async def test_the_ledger_is_on_the_disk_before_a_connection_is_made_and_no_secret_is_on_the_wire(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    rows_at_connection: list[tuple[int, int]] = []
    received: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(sqlite3.connect(path)) as connection:
            counts = "SELECT count(*), count(sent_number) FROM ledger"  # all rows, and the outcomes among them
            rows_at_connection.append(connection.execute(counts).fetchone())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        received.append(head + await reader.readexactly(length))
        for step in stream(delta("Hello."), delta(finish="stop")):
            assert isinstance(step, bytes)
            writer.write(step)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    remote = OpenAICompatibleBackend(replace(REMOTE, url=url, auth=Auth.NONE), None)

    async def open_remote(model: str | None) -> Backend:
        return remote

    settings = replace(Settings(), privacy=PrivacySettings(data_policy=DataPolicy.CONFIRM))
    async with server, Store.open(path) as store:
        local = ScriptedBackend(LOCAL, script(["I", " do", " not", " know"]))
        engine = Engine(settings, store, local, ScriptedPolicy(doubt_after=2), open_remote)
        events: list[Event] = []
        turn = engine.turn(TurnRequest("write to ada@example.org", can_ask=True))
        async for event in turn:
            events.append(event)
            if isinstance(event, ConsentRequested):
                assert rows_at_connection == [], "a connection was made before the user agreed"
                turn.answer(Consent.SEND)
        await remote.aclose()
        entries = await store.ledger.list(10)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.text == "Hello."
    assert rows_at_connection == [(1, 0)]
    [request] = received
    assert b"ada@example.org" not in request
    assert b"HIDDEN_EMAIL_1" in request
    [entry] = entries
    assert entry.outcome is not None
    assert entry.outcome.status == "complete"
