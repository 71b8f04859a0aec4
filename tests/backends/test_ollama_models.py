from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from hybridchat.backends.ollama import models as ollama_models
from hybridchat.backends.ollama.models import InstalledModel, LoadedModel, ModelDescription, OllamaModels, PullProgress
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import (
    Blocked,
    HybridChatError,
    InputError,
    ModelMissing,
    RequestRejected,
    ServerFailed,
    StreamIncomplete,
    TimedOut,
    Unreachable,
)
from hybridchat.messages import Place
from tests.servers.ollama import TAG, Do, FakeOllama, Step, answer, error, head, ok, piece, streamed

DESCRIPTION = {
    "license": "MIT",
    "parameters": 'stop "<|end|>"\nnum_ctx 4096',
    "template": "{{ .Prompt }}\x1b[31m",
    "details": {"parameter_size": "3.8B", "quantization_level": "Q4_0"},
    "model_info": {"general.architecture": "phi3", "phi3.context_length": 131072},
    "capabilities": ["completion"],
}


def at(server: FakeOllama | str, **fields: Any) -> OllamaModels:
    url = server if isinstance(server, str) else server.url
    return OllamaModels(Endpoint("Ollama", Kind.OLLAMA, url, "phi3.5", Place.LOCAL, **fields))


@pytest.fixture
async def server() -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as fake:
        yield fake


def status(text: str, **fields: object) -> bytes:
    return json.dumps({"status": text, **fields}).encode() + b"\n"


async def steps_of(models: OllamaModels, name: str = "phi3.5") -> list[PullProgress]:
    async with aclosing(models.pull(name)) as steps:
        return [step async for step in steps]


async def test_installed_models_are_listed(server: FakeOllama) -> None:
    server.scripts["/api/tags"] = ok({"models": [TAG, {"model": "big:120b-cloud"}]})
    phi, cloud = await at(server).list()
    assert phi == InstalledModel(
        name="phi3.5",
        digest=str(TAG["digest"]),
        size=2_176_178_843,
        parameters="3.8B",
        quantization="Q4_0",
        modified_at=phi.modified_at,
    )
    assert phi.modified_at is not None
    assert phi.modified_at.astimezone(UTC) == datetime(2026, 8, 21, 8, 0, 0, 100_000, tzinfo=UTC)
    assert (cloud.name, cloud.cloud, cloud.size) == ("big:120b-cloud", True, 0)


async def test_loaded_models_are_listed(server: FakeOllama) -> None:
    [loaded] = await at(server).ps()
    assert loaded == LoadedModel(
        name="phi3.5",
        digest=str(TAG["digest"]),
        size=2_176_178_843,
        gpu_size=1_000_000_000,
        context_length=4096,
        expires_at=datetime(2026, 11, 21, 0, 5, tzinfo=UTC),
    )


async def test_a_model_is_described_without_control_characters(server: FakeOllama) -> None:
    server.scripts["/api/show"] = ok(DESCRIPTION)
    assert await at(server).show("phi3.5") == ModelDescription(
        name="phi3.5",
        architecture="phi3",
        parameters="3.8B",
        quantization="Q4_0",
        context_length=131072,
        capabilities=("completion",),
        template="{{ .Prompt }}",
        settings='stop "<|end|>"\nnum_ctx 4096',
        license="MIT",
    )
    assert server.requests[0].json == {"model": "phi3.5"}


async def test_a_model_may_tell_almost_nothing_about_itself(server: FakeOllama) -> None:
    server.scripts["/api/show"] = ok({"model_info": {}})
    shown = await at(server).show("x")
    assert (shown.context_length, shown.capabilities, shown.template) == (None, (), "")


async def test_a_model_is_removed(server: FakeOllama) -> None:
    server.scripts["/api/delete"] = answer(200, b"")
    await at(server).remove("phi3.5")
    [request] = server.requests
    assert (request.method, request.json) == ("DELETE", {"model": "phi3.5"})


async def test_a_running_server_tells_its_version(server: FakeOllama) -> None:
    assert await at(server).version() == "0.32.15"
    assert await at(server).running()


async def test_nothing_listening_is_not_running_and_unreachable(unused_tcp_port: int) -> None:
    models = at(f"http://127.0.0.1:{unused_tcp_port}")
    assert not await models.running()
    with pytest.raises(Unreachable, match="cannot be reached"):
        await models.list()
    with pytest.raises(Unreachable, match="nothing is listening"):
        await steps_of(models)


# Pulling


async def test_a_pull_tells_each_step(server: FakeOllama) -> None:
    server.scripts["/api/pull"] = streamed(
        status("pulling manifest"),
        status("pulling 61819fb370a3", digest="sha256:6181", total=100),
        status("pulling 61819fb370a3", digest="sha256:6181", total=100, completed=100),
        status("success"),
    )
    assert await steps_of(at(server)) == [
        PullProgress("pulling manifest"),
        PullProgress("pulling 61819fb370a3", "sha256:6181", 0, 100),
        PullProgress("pulling 61819fb370a3", "sha256:6181", 100, 100),
        PullProgress("success"),
    ]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("pull model manifest: file does not exist", ModelMissing),
        ("pull model manifest: Get https://registry: dial tcp: no route to host", ServerFailed),
    ],
)
async def test_an_error_in_mid_pull_says_why(server: FakeOllama, said: str, kind: type[HybridChatError]) -> None:
    server.scripts["/api/pull"] = streamed(status("pulling manifest"), json.dumps({"error": said}).encode() + b"\n")
    with pytest.raises(kind, match="manifest"):
        await steps_of(at(server))


async def test_a_pull_that_ends_before_success_is_incomplete(server: FakeOllama) -> None:
    server.scripts["/api/pull"] = streamed(status("pulling manifest"))
    with pytest.raises(StreamIncomplete, match=r"phi3\.5"):
        await steps_of(at(server))


async def test_a_pull_whose_connection_breaks_is_unreachable(server: FakeOllama) -> None:
    server.scripts["/api/pull"] = [head(), piece(status("pulling manifest")), Do.CLOSE]
    with pytest.raises(Unreachable):
        await steps_of(at(server))


async def test_closing_a_pull_stops_it(server: FakeOllama) -> None:
    server.scripts["/api/pull"] = [head(), piece(status("pulling manifest")), Do.HANG]
    async with aclosing(at(server).pull("phi3.5")) as steps:
        assert (await anext(steps)).status == "pulling manifest"
    await server.client_left.wait()


async def test_a_cloud_model_is_not_pulled(server: FakeOllama) -> None:
    with pytest.raises(Blocked):
        await steps_of(at(server), "gpt-oss:120b-cloud")
    assert not server.requests


# What goes wrong


async def test_an_unknown_model_is_missing(server: FakeOllama) -> None:
    server.scripts |= {path: error(404, "model 'x' not found") for path in ("/api/show", "/api/delete")}
    for attempt in (at(server).show("x"), at(server).remove("x")):
        with pytest.raises(ModelMissing, match="has no model x") as caught:
            await attempt
        assert "ollama pull x" in caught.value.hint


async def test_a_name_that_utf8_cannot_express_is_an_input_error(server: FakeOllama) -> None:
    with pytest.raises(InputError):
        await at(server).show("a\udc80")
    assert not server.requests


@pytest.mark.parametrize(
    "script",
    [
        answer(200, b"<html>"),
        answer(200, b"[]"),
        ok({"models": [3]}),
        ok({"models": None}),
        answer(404, b"404 page not found", "text/plain"),
        answer(302, b"", Location="http://elsewhere.example"),
    ],
)
async def test_what_is_no_ollama_server_is_said_to_be_none(server: FakeOllama, script: list[Step]) -> None:
    server.scripts["/api/tags"] = script
    with pytest.raises(RequestRejected, match="does not speak Ollama's API"):
        await at(server).list()


async def test_a_silent_server_times_out(server: FakeOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama_models, "PULL_STALL_SECONDS", 0.1)
    server.scripts["/api/pull"] = [Do.HANG]
    with pytest.raises(TimedOut):
        await steps_of(at(server))


async def test_the_environment_decides_neither_host_nor_key_nor_proxy(
    server: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeOllama() as elsewhere:
        for name in ("OLLAMA_HOST", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, elsewhere.url)
        monkeypatch.setenv("OLLAMA_API_KEY", "secret")
        await at(server, headers=(("X-One", "1"),)).list()
        assert not elsewhere.requests
    [request] = server.requests
    assert "authorization" not in request.headers
    assert request.headers["x-one"] == "1"
    assert os.environ["OLLAMA_API_KEY"] == "secret"


def test_a_bad_ollama_host_does_not_hurt_the_import_of_the_client(unused_tcp_port: int) -> None:
    code = (
        "import asyncio, sys\n"
        "from hybridchat.backends.ollama.models import OllamaModels\n"
        "from hybridchat.config.settings import Endpoint, Kind\n"
        "from hybridchat.errors import Unreachable\n"
        "from hybridchat.messages import Place\n"
        "assert 'ollama' not in sys.modules\n"
        f"endpoint = Endpoint('o', Kind.OLLAMA, 'http://127.0.0.1:{unused_tcp_port}', 'm', Place.LOCAL)\n"
        "try:\n    asyncio.run(OllamaModels(endpoint).list())\n"
        "except Unreachable as error:\n    print(error.code)\n"
    )
    environment = os.environ | {"OLLAMA_HOST": "http://[::1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout.strip(), done.stderr) == ("unreachable", "")
