from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from hybridchat.backends import local_models
from hybridchat.backends.local_models import Found, LocalModels, Offer
from hybridchat.backends.model_files.catalogue import DEFAULT, STAND_IN
from hybridchat.backends.model_files.files import Progress
from hybridchat.backends.model_files.permission import OFFLINE
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import Blocked
from hybridchat.messages import Place
from tests.servers.ollama import TAG, FakeOllama, head, ok, piece


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as server:
        yield server


def endpoint(url: str) -> Endpoint:
    return Endpoint("ollama", Kind.OLLAMA, url, "phi3.5", Place.LOCAL)


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_models, "ENGINE", ("no_such_package",))


NOWHERE = "http://127.0.0.1:9"


async def test_a_model_in_ollama_is_enough(ollama: FakeOllama, tmp_path: Path, no_engine: None) -> None:
    models = LocalModels("phi3.5", tmp_path, ollama=partial(endpoint, ollama.url), embedded=True)
    assert await models.look() == Found(ready=True, ollama=True, engine=False)


async def test_an_ollama_without_the_model_can_get_it(ollama: FakeOllama, tmp_path: Path, no_engine: None) -> None:
    ollama.scripts["/api/tags"] = ok({"models": [{**TAG, "name": "other:latest", "model": "other:latest"}]})
    models = LocalModels("phi3.5", tmp_path, ollama=partial(endpoint, ollama.url), embedded=True)
    found = await models.look()
    assert found == Found(ready=False, ollama=True, engine=False)
    assert models.offers(found) == [Offer(DEFAULT, "ollama")]


async def test_a_stand_in_on_this_disk_is_enough_for_the_default_model(tmp_path: Path) -> None:
    models = LocalModels("phi3.5", tmp_path, ollama=partial(endpoint, NOWHERE), embedded=True)
    found = await models.look()
    assert found == Found(ready=False, ollama=False, engine=True)
    assert models.offers(found) == [Offer(STAND_IN, "embedded"), Offer(DEFAULT, "embedded")]
    (tmp_path / STAND_IN.filename).write_bytes(b"GGUF")
    assert (await models.look()).ready


async def test_without_ollama_and_engine_there_is_nothing_to_get(tmp_path: Path, no_engine: None) -> None:
    models = LocalModels("phi3.5", tmp_path, ollama=partial(endpoint, NOWHERE), embedded=True)
    assert models.offers(await models.look()) == []


async def test_a_name_that_only_ollama_knows_is_not_offered_by_the_engine(tmp_path: Path) -> None:
    models = LocalModels("llama3.2", tmp_path, embedded=True)
    found = await models.look()
    assert (found.ready, models.offers(found)) == (False, [])


async def test_a_file_of_the_users_own_is_found_or_not(tmp_path: Path) -> None:
    models = LocalModels(str(tmp_path / "own.gguf"), tmp_path, embedded=True)
    found = await models.look()
    assert (found.ready, models.offers(found)) == (False, [])
    (tmp_path / "own.gguf").write_bytes(b"GGUF")
    assert (await models.look()).ready


async def test_another_server_manages_its_models_itself(tmp_path: Path) -> None:
    assert (await LocalModels("phi3.5", tmp_path).look()).ready


def test_offline_mode_gets_nothing(tmp_path: Path) -> None:
    models = LocalModels("phi3.5", tmp_path, ollama=partial(endpoint, NOWHERE), embedded=True, forbidden_by=OFFLINE)
    for holder in ("ollama", "embedded"):
        with pytest.raises(Blocked):
            models.get(Offer(DEFAULT, holder), print)


async def test_getting_a_model_into_ollama_tells_how_far_it_is(ollama: FakeOllama, tmp_path: Path) -> None:
    lines = [b'{"status":"pulling","digest":"sha256:a","total":10,"completed":4}\n', b'{"status":"success"}\n']
    ollama.scripts["/api/pull"] = [head(), *map(piece, lines), b"0\r\n\r\n"]
    models = LocalModels("phi3.5", tmp_path, ollama=partial(endpoint, ollama.url))
    steps: list[Progress] = []
    await asyncio.to_thread(models.get, Offer(DEFAULT, "ollama"), steps.append)
    assert Progress("pulling", 4, 10) in steps
