from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from hybridchat.backends.embedded import backend as embedded
from hybridchat.backends.embedded import server as embedded_server
from hybridchat.backends.embedded import state as embedded_state
from hybridchat.backends.embedded.backend import EmbeddedBackend
from hybridchat.backends.embedded.model import choose
from hybridchat.backends.embedded.state import ServerFiles, ServerState, is_alive, stop_server, stop_servers
from hybridchat.backends.protocol import Accepted, ChatRequest, StreamPart, Waiting
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import (
    BadConfiguration,
    CannotWrite,
    InputError,
    ModelMissing,
    NotEnoughMemory,
    ServerFailed,
    TimedOut,
)
from hybridchat.messages import ChatMessage, Place, Role

ASKED = ChatRequest((ChatMessage(Role.USER, "Hello"),), max_tokens=4)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("HYBRIDCHAT_EMBEDDED_THREADS", "1")
    yield tmp_path / "runtime"
    stop_servers(tmp_path / "runtime")


def endpoint(model: str = "smollm2", num_ctx: int | None = 512, keep_alive: str | None = None) -> Endpoint:
    return Endpoint("embedded", Kind.EMBEDDED, "", model, Place.LOCAL, num_ctx=num_ctx, keep_alive=keep_alive)


def head_of(model: Path, models: Path) -> Path:
    """Put a file in the model's place that only begins like it."""
    path = models / "smollm2.gguf"
    path.write_bytes(model.read_bytes()[:3_000_000])
    return path


async def parts_of(backend: EmbeddedBackend) -> list[StreamPart]:
    return [part async for part in backend.stream(ASKED)]


@pytest.fixture
async def backend(models: Path, runtime: Path) -> AsyncIterator[EmbeddedBackend]:
    backend = EmbeddedBackend(endpoint(), models=models, runtime=runtime)
    yield backend
    await backend.aclose()


@pytest.fixture
def loading(backend: EmbeddedBackend, models: Path, runtime: Path, smollm2: Path) -> Iterator[ServerFiles]:
    """A server of another process that goes on loading: a process of ours under its name, without a port yet."""
    (models / "smollm2.gguf").symlink_to(smollm2)
    files = ServerFiles.of(runtime, "smollm2", models / "smollm2.gguf", 512)
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        files.write(ServerState(other.pid, psutil.Process(other.pid).create_time(), "key", "model"))
        yield files
        other.kill()


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("phi3.5", "hybridchat models pull phi3.5` (2.4 GB)"),
        ("smollm2", "hybridchat models pull smollm2` (98 MB)"),
        ("hf:me/tiny/tiny.gguf", "hybridchat models pull hf:me/tiny/tiny.gguf`."),
        ("./none.gguf", "spelling"),
    ],
)
async def test_a_model_that_is_not_there_says_how_to_get_it(models: Path, runtime: Path, model: str, hint: str) -> None:
    with pytest.raises(ModelMissing) as caught:
        await parts_of(EmbeddedBackend(endpoint(model), models=models, runtime=runtime))
    assert hint in caught.value.hint


def test_any_model_on_the_disk_answers_for_the_default_one_and_the_small_stand_in_last(
    models: Path, smollm2: Path
) -> None:
    (models / "smollm2.gguf").symlink_to(smollm2)
    assert choose(endpoint("phi3.5"), models).name == "smollm2"
    (models / "me--tiny--tiny-chat.gguf").symlink_to(smollm2)
    other = choose(endpoint("phi3.5"), models)
    assert other.path.name == "me--tiny--tiny-chat.gguf"
    assert "Phi-3.5-mini is not on this machine" in other.stand_in
    with pytest.raises(ModelMissing):
        choose(endpoint("hf:me/other/other.gguf"), models)


async def test_without_the_packages_it_says_how_to_install_them(
    backend: EmbeddedBackend, models: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ModelMissing) as missing:
        await parts_of(backend)
    assert "pip install 'hybridchat[embedded]'" in missing.value.hint
    (models / "smollm2.gguf").symlink_to(smollm2)
    with pytest.raises(BadConfiguration, match="xllamacpp missing") as caught:
        await parts_of(backend)
    assert "pip install 'hybridchat[embedded]'" in caught.value.hint


async def test_a_model_larger_than_the_free_memory_is_not_loaded(
    backend: EmbeddedBackend, models: Path, smollm2: Path, runtime: Path
) -> None:
    os.truncate(head_of(smollm2, models), 1 << 43)
    with pytest.raises(NotEnoughMemory, match=r"needs 8796\.\d GB of memory .* 512 tokens; .* are free") as caught:
        await parts_of(backend)
    assert "local.num_ctx" in caught.value.hint
    assert stop_servers(runtime) == 0


async def test_what_is_no_model_is_refused_before_a_process_is_started(backend: EmbeddedBackend, models: Path) -> None:
    (models / "smollm2.gguf").write_bytes(b"hello")
    with pytest.raises(InputError):
        await parts_of(backend)


async def test_a_damaged_model_ends_with_what_llama_cpp_says_about_it(
    backend: EmbeddedBackend, models: Path, smollm2: Path, runtime: Path
) -> None:
    head_of(smollm2, models)
    with pytest.raises(ServerFailed, match=r"could not load the model: .*incomplete") as caught:
        await parts_of(backend)
    assert ".log" in caught.value.hint
    assert stop_servers(runtime) == 0


async def test_a_child_that_cannot_even_start_is_told(
    backend: EmbeddedBackend, models: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (models / "smollm2.gguf").symlink_to(smollm2)
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(ServerFailed):
        await parts_of(backend)


async def test_a_program_that_is_not_there_is_told(
    backend: EmbeddedBackend, models: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (models / "smollm2.gguf").symlink_to(smollm2)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(CannotWrite):
        await parts_of(backend)


@pytest.mark.parametrize("threads", ["0", "-1", "many", "²"])
async def test_an_impossible_number_of_threads_is_refused(
    backend: EmbeddedBackend, models: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    (models / "smollm2.gguf").symlink_to(smollm2)
    monkeypatch.setenv("HYBRIDCHAT_EMBEDDED_THREADS", threads)
    with pytest.raises(BadConfiguration, match="HYBRIDCHAT_EMBEDDED_THREADS"):
        await parts_of(backend)


def test_threads_are_at_most_what_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    from hybridchat.backends.embedded.model import threads  # noqa: PLC0415 - of no other interest here

    assert 1 <= threads() <= (os.cpu_count() or 1)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical: None)
    assert threads() >= 1


@pytest.mark.skipif(sys.platform == "win32", reason="owners are told otherwise on Windows")
async def test_another_users_runtime_folder_is_refused(
    backend: EmbeddedBackend, models: Path, runtime: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (models / "smollm2.gguf").symlink_to(smollm2)
    real = os.geteuid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: real + 1)
        with pytest.raises(BadConfiguration, match="another user"):
            await parts_of(backend)


async def test_while_somebody_else_loads_the_model_one_waits_for_it(
    backend: EmbeddedBackend, loading: ServerFiles
) -> None:
    async with asyncio.timeout(60):
        stream = backend.stream(ASKED)
        assert isinstance(await anext(stream), Accepted)
        assert await anext(stream) == Waiting("SmolLM2-135M is being loaded (98 MB)")
        os.utime(loading.folder / f"{loading.name}.lease", (0, 0))
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.to_thread(_until_somebody_looks_for_the_port, loading)
        state = loading.read()
        assert state is not None
        psutil.Process(state.pid).kill()
        with pytest.raises(ServerFailed, match="could not load"):
            await waiting


def _until_somebody_looks_for_the_port(files: ServerFiles) -> None:
    while files.idle_seconds() > 3600:
        time.sleep(0.01)


async def test_a_model_that_takes_too_long_to_load_times_out(loading: ServerFiles, models: Path, runtime: Path) -> None:
    from dataclasses import replace  # noqa: PLC0415 - of no other interest here

    patient = replace(endpoint(), first_token_timeout=0.05)
    with pytest.raises(TimedOut, match=r"not loaded within 0\.05 s"):
        await parts_of(EmbeddedBackend(patient, models=models, runtime=runtime))
    assert loading.read() is not None


async def test_who_holds_the_lock_is_waited_for(backend: EmbeddedBackend, loading: ServerFiles) -> None:
    with loading.lock():
        stream = backend.stream(ASKED)
        assert isinstance(await anext(stream), Accepted)
        waiting = asyncio.ensure_future(anext(stream))
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done, "somebody else may be about to end this very server"
    assert isinstance(await waiting, Waiting)
    await stream.aclose()


async def test_a_runtime_folder_that_disappears_is_told(backend: EmbeddedBackend, loading: ServerFiles) -> None:
    stream = backend.stream(ASKED)
    await anext(stream)
    lock = loading.folder / f"{loading.name}.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with pytest.raises(CannotWrite):
        await anext(stream)
    lock.rmdir()


def test_the_body_is_what_goes_to_the_server(backend: EmbeddedBackend, models: Path, smollm2: Path) -> None:
    (models / "smollm2.gguf").symlink_to(smollm2)
    assert b'"Hello"' in backend.body(ASKED)
    assert b'"model":"smollm2"' in backend.body(ASKED)
    assert backend.endpoint == endpoint()


async def test_stopping_what_does_not_run_does_nothing(backend: EmbeddedBackend, models: Path, smollm2: Path) -> None:
    (models / "smollm2.gguf").symlink_to(smollm2)
    assert await backend.stop() is False


def test_a_server_that_will_not_end_is_ended(loading: ServerFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    state = loading.read()
    assert state is not None
    monkeypatch.setattr(embedded_state, "_GRACE", 0.05)
    stop_server(loading)
    assert not is_alive(state)
    assert loading.read() is None


def test_a_server_that_took_the_place_of_another_is_left_alone(loading: ServerFiles) -> None:
    state = loading.read()
    assert state is not None
    assert stop_server(loading, only=ServerState(1, 0.0, "other key", "model")) is False
    assert is_alive(state)


def test_only_its_own_state_is_taken_back(loading: ServerFiles) -> None:
    state = loading.read()
    assert state is not None
    loading.forget(state.pid + 1)
    assert loading.read() == state
    loading.forget(state.pid)
    assert loading.read() is None


def test_a_process_number_that_was_used_again_is_no_server(loading: ServerFiles) -> None:
    state = loading.read()
    assert state is not None
    assert not is_alive(ServerState(state.pid, state.created - 3600, state.key, state.model))


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": "x"}'])
def test_an_unreadable_state_is_no_server(loading: ServerFiles, content: bytes) -> None:
    (loading.folder / f"{loading.name}.json").write_bytes(content)
    assert loading.read() is None


def test_each_window_has_a_server_of_its_own(tmp_path: Path) -> None:
    def name(model: str, path: str, window: int) -> str:
        return ServerFiles.of(tmp_path, model, Path(path), window).name

    assert name("smollm2", "a", 512) != name("smollm2", "a", 1024)
    assert name("smollm2", "a", 512) != name("smollm2", "b", 512)
    assert name("smollm2", "a", 512) == name("smollm2", "a", 512)
    assert "/" not in name("hf:me/x/y.gguf", "a", 512)
    assert name("../../etc/x.gguf", "a", 512).startswith("x-")


def test_the_log_tells_what_went_wrong_in_order(tmp_path: Path) -> None:
    files = ServerFiles(tmp_path, "x")
    assert files.complaints() == []
    lines = ["0.1 I srv init: hello", "0.00.5 E llama_model_load: error: cut off", "GGML_ASSERT(x) failed", "bye"]
    files.log.write_text("\n".join(lines))
    assert files.complaints() == ["error: cut off", "GGML_ASSERT(x) failed"]


def test_a_lease_that_is_gone_has_run_out(tmp_path: Path) -> None:
    files = ServerFiles(tmp_path, "x")
    assert files.idle_seconds() == float("inf")
    files.renew_lease()
    assert files.idle_seconds() < 3600
    ServerFiles(tmp_path / "gone", "x").renew_lease()


def test_where_nothing_ever_ran_nothing_is_stopped(tmp_path: Path) -> None:
    assert stop_servers(tmp_path / "none") == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 600),
        ("10m", 600),
        ("1h30m", 5400),
        ("1.5s", 1.5),
        ("500ms", 0.5),
        ("90", 90),
        ("-1", float("inf")),
        ("-5m", float("inf")),
    ],
)
def test_durations_are_read_as_ollama_writes_them(text: str | None, seconds: float) -> None:
    assert embedded._seconds(text) == seconds


@pytest.mark.parametrize("text", ["soon", "10 minutes", "m", "-", "1d"])
def test_any_other_duration_is_refused(models: Path, text: str) -> None:
    with pytest.raises(BadConfiguration, match="keep_alive"):
        EmbeddedBackend(endpoint(keep_alive=text), models=models, runtime=models)


def test_importing_the_backend_loads_nothing_heavy() -> None:
    program = (
        "import sys, hybridchat.backends.embedded.backend\n"
        "print(*sorted({'httpx', 'xllamacpp', 'psutil', 'filelock', 'huggingface_hub'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Arguments to run the server program with in this very process, whose limits and signals stay as they are."""
    if sys.platform != "win32":
        monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    handler = signal.getsignal(signal.SIGTERM)
    yield [f"--runtime={tmp_path}", "--files=x", "--alias=x", "--num-ctx=64", "--threads=1", "--idle-seconds=0.1"]
    signal.signal(signal.SIGTERM, handler)


def test_the_server_program_refuses_a_file_that_is_no_model(
    program: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert embedded_server.main([*program, f"--model={tmp_path / 'none.gguf'}"]) == 1
    assert "error: Failed to init server" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_server_program_ends_when_nobody_needs_it(
    program: list[str], tmp_path: Path, smollm2: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert embedded_server.main([*program, f"--model={smollm2}"]) == 0
    assert "listening on http://127.0.0.1" in capfd.readouterr().err
    assert list(tmp_path.glob("*.json")) == []


def test_the_server_program_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        embedded_server.main([])
    assert "--model" in capsys.readouterr().err
