"""A fake server and backends that speak to it, without pauses between attempts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from hybridchat.backends.openai_compatible import retry
from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from tests.backends.openai_compatible.answers import KEY, Build, endpoint_at
from tests.servers.openai import FakeServer, run_fake_server


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with run_fake_server() as server:
        yield server


@pytest_asyncio.fixture
async def build(server: FakeServer) -> AsyncIterator[Build]:
    built: list[OpenAICompatibleBackend] = []

    def build(key: str | None = KEY, **changes: Any) -> OpenAICompatibleBackend:
        backend = OpenAICompatibleBackend(replace(endpoint_at(server.url), **changes), key)
        built.append(backend)
        return backend

    yield build
    for backend in built:
        await backend.aclose()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "RETRY_PAUSE", 0.0)
    monkeypatch.setattr(retry, "LOADING_PAUSE", 0.0)
