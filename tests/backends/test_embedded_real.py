from __future__ import annotations

import asyncio
import json
import math
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from hybridchat.backends.embedded.backend import EmbeddedBackend
from hybridchat.backends.embedded.state import ServerFiles, ServerState, stop_servers
from hybridchat.backends.model_files.catalogue import STAND_IN
from hybridchat.backends.model_files.files import adopt
from hybridchat.backends.protocol import Accepted, ChatRequest, Ended, Piece, StreamPart, Waiting
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import ContextOverflow, StreamBroken, Unreachable
from hybridchat.messages import ChatMessage, FinishReason, Place, Role

pytestmark = pytest.mark.real_model

ENDPOINT = Endpoint("embedded", Kind.EMBEDDED, "", "smollm2", Place.LOCAL, num_ctx=512)


@pytest.fixture(scope="module")
def models(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small model in it, pulled as it were."""
    folder = tmp_path_factory.mktemp("models")
    adopt(STAND_IN, Path(shutil.copy(smollm2, folder / "copy")), folder)
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One server answers in all tests that do not end it; none is left."""
    folder = tmp_path_factory.mktemp("runtime")
    yield folder
    stop_servers(folder)
    assert not list(folder.glob("*.json"))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HYBRIDCHAT_EMBEDDED_THREADS", "1")


@pytest.fixture
async def backend(models: Path, runtime: Path) -> AsyncIterator[EmbeddedBackend]:
    backend = EmbeddedBackend(ENDPOINT, models=models, runtime=runtime)
    yield backend
    await backend.aclose()


def asked(text: str, max_tokens: int = 12) -> ChatRequest:
    return ChatRequest((ChatMessage(Role.USER, text),), max_tokens=max_tokens, temperature=0.0, seed=1, top_logprobs=5)


async def parts_of(backend: EmbeddedBackend, request: ChatRequest) -> list[StreamPart]:
    async with aclosing(backend.stream(request)) as stream:
        return [part async for part in stream]


def text_of(parts: list[StreamPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Piece))


def files_of(models: Path, runtime: Path) -> ServerFiles:
    return ServerFiles.of(runtime, "smollm2", models / "smollm2.gguf", 512)


def server_of(models: Path, runtime: Path) -> ServerState:
    state = files_of(models, runtime).read()
    assert state is not None
    return state


async def ended(process: psutil.Process) -> None:
    await asyncio.to_thread(process.wait, 60)


async def test_an_answer_streams_with_the_logprobs_of_each_token(backend: EmbeddedBackend) -> None:
    parts = await parts_of(backend, asked("What is the capital of France?"))
    accepted, pieces, last = parts[0], [part for part in parts if isinstance(part, Piece)], parts[-1]
    assert accepted == Accepted("smollm2", digest=STAND_IN.sha256, window=512)
    assert len(pieces) >= 4
    tokens = [token for piece in pieces for token in piece.logprobs]
    assert len(tokens) >= len(pieces)
    for token in tokens:
        assert token.logprob <= 0
        assert len(token.top) == 5
        assert list(token.top) == sorted(token.top, reverse=True)
        assert sum(map(math.exp, token.top)) <= 1.001
    assert isinstance(last, Ended)
    assert last.usage.completion_tokens is not None
    assert last.usage.completion_tokens >= len(pieces)
    assert last.usage.prompt_tokens is not None


async def test_the_first_answer_says_that_the_model_is_loaded_and_how_long_it_took(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    await backend.stop()
    first = await parts_of(backend, asked("Hi"))
    assert first[1] == Waiting("SmolLM2-135M is being loaded (98 MB)")
    assert isinstance(first[-1], Ended)
    assert first[-1].load_seconds
    second = await parts_of(backend, asked("Hi"))
    assert not [part for part in second if isinstance(part, Waiting)]
    assert isinstance(second[-1], Ended)
    assert second[-1].load_seconds == 0


async def test_unicode_goes_in_and_comes_out_whole(backend: EmbeddedBackend) -> None:
    parts = await parts_of(backend, asked("Repeat exactly: 日本語 naïve 🦊", max_tokens=40))
    assert "\ufffd" not in text_of(parts)
    raw = b"".join(token.raw or b"" for part in parts if isinstance(part, Piece) for token in part.logprobs)
    assert text_of(parts) in raw.decode("utf-8", "replace")


async def test_a_long_answer_ends_at_the_limit_of_tokens(backend: EmbeddedBackend) -> None:
    parts = await parts_of(backend, asked("Write a long story about a river and a village.", max_tokens=120))
    last = parts[-1]
    assert isinstance(last, Ended)
    assert last.finish_reason is FinishReason.LENGTH
    assert last.usage.completion_tokens == 120
    assert len(text_of(parts)) > 200


async def test_a_prompt_beyond_the_window_is_refused_as_such(backend: EmbeddedBackend) -> None:
    with pytest.raises(ContextOverflow):
        await parts_of(backend, asked("word " * 900))


async def test_after_a_cancelled_answer_the_next_one_comes(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    async with aclosing(backend.stream(asked("Count from 1 to 1000.", max_tokens=400))) as stream:
        async for part in stream:
            if isinstance(part, Piece):
                break
    before = server_of(models, runtime)
    parts = await parts_of(backend, asked("Hi", max_tokens=4))
    assert isinstance(parts[-1], Ended)
    assert server_of(models, runtime) == before


CHILD = """
import asyncio, sys
from pathlib import Path
from hybridchat.backends.embedded.backend import EmbeddedBackend
from hybridchat.backends.protocol import ChatRequest, Ended
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.messages import ChatMessage, Place, Role

async def main():
    endpoint = Endpoint("embedded", Kind.EMBEDDED, "", "smollm2", Place.LOCAL, num_ctx=512)
    backend = EmbeddedBackend(endpoint, models=Path(sys.argv[1]), runtime=Path(sys.argv[2]))
    request = ChatRequest((ChatMessage(Role.USER, "Hi"),), max_tokens=4)
    parts = [part async for part in backend.stream(request)]
    await backend.aclose()
    assert isinstance(parts[-1], Ended)

asyncio.run(main())
"""


async def test_processes_that_start_together_share_one_server_which_outlives_them(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    await backend.stop()
    command = [sys.executable, "-W", "error", "-c", CHILD, str(models), str(runtime)]
    children = [await asyncio.create_subprocess_exec(*command) for _ in range(2)]
    parts = await parts_of(backend, asked("Hi", max_tokens=4))
    assert isinstance(parts[-1], Ended)
    assert [await child.wait() for child in children] == [0, 0]
    assert _servers_in(runtime) == [server_of(models, runtime).pid]


def _servers_in(runtime: Path) -> list[int]:
    """The processes that still compute there: a dead one waits for its parent without a command line."""
    option = f"--runtime={runtime.resolve()}"
    return [process.pid for process in psutil.process_iter(["cmdline"]) if option in (process.info["cmdline"] or ())]


async def test_a_server_that_nobody_uses_ends_by_itself(models: Path, tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    brief = EmbeddedBackend(replace(ENDPOINT, keep_alive="1s"), models=models, runtime=runtime)
    await parts_of(brief, asked("Hi", max_tokens=2))
    process = psutil.Process(server_of(models, runtime).pid)
    await ended(process)
    assert not stop_servers(runtime)
    await brief.aclose()


async def test_an_answer_in_progress_keeps_the_server(models: Path, tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    brief = EmbeddedBackend(replace(ENDPOINT, keep_alive="1s"), models=models, runtime=runtime)
    async with aclosing(brief.stream(asked("Count from 1 to 1000.", max_tokens=300))) as stream:
        async for part in stream:
            if isinstance(part, Piece):
                break
        files = files_of(models, runtime)
        renewals: set[float] = set()
        while len(renewals) < 3:  # the lease is renewed although nothing is read
            await asyncio.sleep(0.05)
            renewals.add(_renewed_at(files))
        assert files.read() is not None
    await brief.aclose()
    await brief.stop()


def _renewed_at(files: ServerFiles) -> float:
    return (files.folder / f"{files.name}.lease").stat().st_mtime


async def test_a_server_killed_between_two_turns_is_started_anew(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    await parts_of(backend, asked("Hi", max_tokens=2))
    before = server_of(models, runtime)
    process = psutil.Process(before.pid)
    process.kill()
    await ended(process)
    parts = await parts_of(backend, asked("Hi", max_tokens=2))
    assert isinstance(parts[-1], Ended)
    assert server_of(models, runtime).pid != before.pid


async def test_a_server_killed_in_mid_stream_breaks_the_answer_and_the_next_turn_starts_another(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    async def kill_at_the_first_token() -> None:
        async for part in backend.stream(asked("Count from 1 to 1000.", max_tokens=400)):
            if isinstance(part, Piece):
                psutil.Process(server_of(models, runtime).pid).kill()

    with pytest.raises(StreamBroken, match="process ended in the middle") as caught:
        await kill_at_the_first_token()
    assert str(files_of(models, runtime).log) in caught.value.hint
    parts = await parts_of(backend, asked("Hi", max_tokens=2))
    assert isinstance(parts[-1], Ended)


async def test_a_server_that_does_not_accept_its_key_is_replaced(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    await parts_of(backend, asked("Hi", max_tokens=2))
    before = server_of(models, runtime)
    files_of(models, runtime).write(ServerState(before.pid, before.created, "forged", before.model, before.port))
    parts = await parts_of(backend, asked("Hi", max_tokens=2))
    assert isinstance(parts[-1], Ended)
    assert server_of(models, runtime).pid != before.pid
    assert not psutil.pid_exists(before.pid) or psutil.Process(before.pid).status() == psutil.STATUS_ZOMBIE


async def test_a_server_whose_port_nobody_answers_is_replaced(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    await parts_of(backend, asked("Hi", max_tokens=2))
    before = server_of(models, runtime)
    files_of(models, runtime).write(ServerState(before.pid, before.created, before.key, before.model, port=9))
    parts = await parts_of(backend, asked("Hi", max_tokens=2))
    assert isinstance(parts[-1], Ended)
    assert server_of(models, runtime).pid != before.pid


async def test_a_server_that_cannot_be_reached_is_replaced_only_once(
    backend: EmbeddedBackend, models: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = backend._client
    monkeypatch.setattr(backend, "_client", lambda served, port, key: connect(served, 9, key))
    with pytest.raises(Unreachable):
        await parts_of(backend, asked("Hi", max_tokens=2))
    assert server_of(models, runtime).port != 9


async def test_without_the_key_the_server_answers_nothing(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    await parts_of(backend, asked("Hi", max_tokens=2))
    state = server_of(models, runtime)
    body = backend.body(asked("Hi"))
    url = f"http://127.0.0.1:{state.port}"
    headers = {"Content-Type": "application/json", "Origin": "http://evil.example"}
    async with httpx.AsyncClient(headers=headers) as stranger:
        assert (await stranger.post(f"{url}/v1/chat/completions", content=body)).status_code == 401
        for path in ("/props", "/slots", "/metrics", "/v1/models"):
            assert (await stranger.get(url + path)).status_code == 401
        health = await stranger.get(f"{url}/health")
        assert not health.headers.get("Access-Control-Allow-Origin")
        with_key = await stranger.get(f"{url}/slots", headers={"Authorization": f"Bearer {state.key}"})
        assert with_key.status_code == 501, "what one process asks is not shown to another"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are told otherwise on Windows")
async def test_key_and_log_are_for_the_owner_alone_and_hold_no_prompt(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    await parts_of(backend, asked("The word is xylophone-4711.", max_tokens=2))
    _check_files(files_of(models, runtime), server_of(models, runtime))


def _check_files(files: ServerFiles, state: ServerState) -> None:
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.folder.iterdir()} == {0o600}
    process = psutil.Process(state.pid)
    seen_by_others = json.dumps([process.cmdline(), process.environ()])
    assert state.key not in seen_by_others
    assert "hf_secret" not in seen_by_others
    log = files.log.read_text()
    assert "listening on http://127.0.0.1" in log
    assert "xylophone" not in log
    assert state.key not in log


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are told on Linux alone")
async def test_the_server_leaves_no_core_dump_and_stands_apart_from_the_terminal(
    backend: EmbeddedBackend, models: Path, runtime: Path
) -> None:
    await parts_of(backend, asked("Hi", max_tokens=2))
    process = psutil.Process(server_of(models, runtime).pid)
    assert process.rlimit(psutil.RLIMIT_CORE) in {(0, 0), (1, 1)}
    assert process.terminal() is None
    assert Path(process.cwd()).name == runtime.name


async def test_the_stand_in_answers_for_phi_and_says_so(models: Path, runtime: Path) -> None:
    default = EmbeddedBackend(replace(ENDPOINT, model="phi3.5"), models=models, runtime=runtime)
    parts = await parts_of(default, asked("Hi", max_tokens=2))
    accepted = parts[0]
    assert isinstance(accepted, Accepted)
    assert accepted.model == "smollm2"
    assert "stand-in" in accepted.stand_in
    assert "`hybridchat models pull phi3.5` gets it (2.4 GB)" in accepted.stand_in
    await default.aclose()


async def test_any_gguf_file_can_be_answered_from(smollm2: Path, models: Path, runtime: Path, tmp_path: Path) -> None:
    (mine := tmp_path / "mine.gguf").symlink_to(smollm2)
    own = EmbeddedBackend(replace(ENDPOINT, model=str(mine), num_ctx=None), models=models, runtime=runtime)
    parts = await parts_of(own, asked("Hi", max_tokens=2))
    accepted = parts[0]
    assert isinstance(accepted, Accepted)
    assert (accepted.model, accepted.window) == (str(mine), 4096)
    assert accepted.digest is not None
    assert accepted.digest.startswith("ends:")
    assert parts[1] == Waiting("mine is being loaded (98 MB)")
    await own.aclose()
    assert await own.stop() is True
