from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keyring
import psutil
import pytest

from hybridchat.backends.embedded.state import stop_servers
from hybridchat.backends.model_files.catalogue import STAND_IN
from hybridchat.backends.model_files.files import adopt
from hybridchat.backends.protocol import ChatRequest
from hybridchat.backends.scripted import ScriptedBackend
from hybridchat.cli import wiring
from hybridchat.cli.checkup import examination, local, machine
from hybridchat.cli.checkup.examination import Examination, Finding
from hybridchat.cli.checkup.verdict import State
from hybridchat.config import paths
from hybridchat.config.loading import load
from hybridchat.config.settings import StoreSettings
from hybridchat.errors import Blocked, ServerFailed
from hybridchat.messages import ChatMessage, Role
from hybridchat.store.database import Store
from tests.cli.conftest import Command
from tests.cli.scripted_program import LOCAL
from tests.servers.ollama import TAG, FakeOllama, ok
from tests.servers.openai import FakeServer, head, run_fake_server
from tests.test_credentials import MemoryKeyring, PlainFileKeyring

LLAMA = "meta-llama/Llama-3.3-70B-Instruct"
OK, WARNING, PROBLEM = State.OK, State.WARNING, State.PROBLEM


class Findings(dict[str, Finding]):
    """All findings by the name of the check, and how the process would end."""

    code = 0

    def state(self, name: str) -> State:
        return self[name].state

    def found(self, name: str) -> str:
        return self[name].found

    def advice(self, name: str) -> str:
        return self[name].advice


async def examined(*, online: bool = False) -> Findings:
    examination = Examination(online=online)
    async with aclosing(examination.findings()) as findings:
        all_of_them = Findings({finding.name: finding async for finding in findings})
    all_of_them.code = examination.exit_code
    return all_of_them


@pytest.fixture(autouse=True)
def fresh_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder without a policy, and nothing where Ollama would be."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    keyring.core._keyring_backend = None
    yield
    keyring.core._keyring_backend = None


@pytest.fixture
async def ollama(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        yield server


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with run_fake_server() as server:
        yield server


def serves(server: FakeServer, *names: str) -> None:
    body = json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()
    path = server.url.partition("//")[2].partition("/")[2]
    page = [head(200, "application/json", f"Content-Length: {len(body)}\r\n") + body]
    server.pages[f"/{path}/models".replace("//", "/")] = page


@pytest.fixture
def stand_in(smollm2: Path) -> Path:
    folder = paths.models_folder(StoreSettings())
    folder.mkdir(parents=True, mode=0o700)
    return adopt(STAND_IN, Path(shutil.copy(smollm2, folder / "copy")), folder)


async def test_a_fresh_machine_is_told_what_to_do() -> None:
    found = await examined()
    assert found.code == 69
    assert found.state("Ollama") is WARNING
    assert "ollama serve" in found.advice("Ollama")
    assert found.state("embedded engine") is OK
    assert "hybridchat models pull" in found.advice("embedded models")
    assert found.state("local answer") is PROBLEM
    assert "ollama pull phi3.5" in found.advice("local answer")
    assert "no file of yours yet" in found.found("settings")
    assert "made when it is needed" in found.found("data folder")
    assert not paths.data_folder(StoreSettings()).exists(), "looking makes nothing"
    assert found.state("keyring") is WARNING
    assert found.state("remote key") is WARNING
    assert LLAMA in found.found("remote model")
    assert "$0.59 in" in found.found("remote model")
    assert "remote server" not in found
    assert not [finding for finding in found.values() if "failed" in finding.found]


async def test_nothing_beyond_this_machine_is_even_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **more: Any) -> Any:
        looked_up.append(str(host))
        return real(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("HYBRIDCHAT_KEY_HUGGINGFACE", "hf_secret")
    await examined()
    assert set(looked_up) <= {"127.0.0.1"}


async def test_a_model_in_ollama_answers(ollama: FakeOllama) -> None:
    found = await examined()
    assert found.code == 0
    assert found["Ollama"].found.startswith(f"0.32.15 at {ollama.url}: gives logprobs")
    assert found.found("model in Ollama") == "phi3.5, 2.2 GB, in memory"
    assert found["local answer"] == Finding("local answer", OK, "phi3.5, by Ollama", "")
    assert ollama.asked("/api/chat") == [], "no model was asked anything"


@pytest.mark.parametrize(
    ("version", "lacks"),
    [("0.12.10", "no logprobs"), ("0.12.3", "cut in silence"), ("0.9", "no logprobs"), ("0.13.0-rc1", "")],
)
async def test_what_an_old_ollama_cannot_do_is_said(version: str, lacks: str, ollama: FakeOllama) -> None:
    ollama.scripts["/api/version"] = ok({"version": version})
    found = await examined()
    assert (found.state("Ollama") is WARNING) is bool(lacks)
    assert lacks in found.found("Ollama")
    assert ("0.12.11" in found.advice("Ollama")) is bool(lacks)


async def test_another_model_of_ollama_stands_in_and_cloud_models_do_not(ollama: FakeOllama) -> None:
    other = TAG | {"name": "qwen3:4b", "model": "qwen3:4b"}
    cloud = TAG | {"name": "big:cloud", "model": "big:cloud"}
    ollama.scripts |= {"/api/tags": ok({"models": [cloud, other]}), "/api/ps": ok({"models": []})}
    found = await examined()
    assert found.state("model in Ollama") is WARNING
    assert "which has qwen3:4b; on ollama.com, and no local models: big:cloud" in found.found("model in Ollama")
    assert found.found("local answer") == "qwen3:4b, by Ollama"
    assert "`ollama pull phi3.5`" in found.advice("local answer")
    assert found.code == 0


async def test_a_cloud_model_is_no_local_one(ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_MODEL", "big:cloud")
    ollama.scripts["/api/tags"] = ok({"models": [TAG | {"name": "big:cloud", "model": "big:cloud"}]})
    found = await examined()
    assert found.state("model in Ollama") is PROBLEM
    assert found.state("local answer") is PROBLEM
    assert found.code == 69


async def test_a_model_that_is_not_loaded_is_cold(ollama: FakeOllama) -> None:
    ollama.scripts["/api/ps"] = ok({"models": []})
    assert "the first answer waits" in (await examined()).found("model in Ollama")


async def test_an_ollama_that_must_answer_and_does_not_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_BACKEND", "ollama")
    found = await examined()
    assert found.state("Ollama") is PROBLEM
    assert not {"model in Ollama", "embedded engine", "embedded models", "memory"} & set(found)


async def test_a_server_of_ones_own_elsewhere_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://gpu.example:11434")
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_TRUSTED_HOSTS", "gpu.example")
    found = await examined()
    assert "not asked without --online" in found.found("Ollama")
    assert "not known" in found.found("local answer")
    assert found.code == 69


async def test_a_server_elsewhere_that_nobody_declared_is_bad_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://gpu.example:11434")
    found = await examined()
    assert found.state("settings") is PROBLEM
    assert "trusted_hosts" in found.advice("settings")
    assert found.code == 78
    assert found.state("SQLite") is OK


async def test_the_embedded_stand_in_answers(stand_in: Path) -> None:
    found = await examined()
    assert found.code == 0
    assert found.found("embedded models").startswith("smollm2 (98 MB) in ")
    assert "no server is running" in found.found("memory")
    assert found.state("local answer") is WARNING
    assert found.found("local answer") == "smollm2, by the embedded engine"
    assert "models pull phi3.5" in found.advice("local answer")


@pytest.mark.real_model
async def test_a_running_embedded_server_is_seen(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_EMBEDDED_THREADS", "1")
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_MODEL", "smollm2")
    async with loaded():
        found = await examined()
    assert "is loaded (process " in found.found("memory")
    assert found["local answer"] == Finding("local answer", OK, "smollm2, by the embedded engine", "")


@asynccontextmanager
async def loaded() -> AsyncIterator[None]:
    """The embedded server, loaded by an answer to its first word."""
    backend = wiring.embedded_backend(load().settings)
    request = ChatRequest((ChatMessage(Role.USER, "Hello"),), max_tokens=4)
    try:
        async with aclosing(backend.stream(request)) as parts:
            assert [part async for part in parts]
        yield
    finally:
        await backend.aclose()
        stop_servers(paths.runtime_folder())


async def test_a_model_that_does_not_fit_into_memory_cannot_answer(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1_000_000))
    found = await examined()
    assert found.state("memory") is PROBLEM
    assert "1 MB are free" in found.found("memory")
    assert found.state("local answer") is PROBLEM
    assert found.code == 69


async def test_a_model_that_only_ollama_has_needs_no_memory_of_the_embedded_engine(
    ollama: FakeOllama, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_MODEL", "qwen3:4b")
    ollama.scripts["/api/tags"] = ok({"models": [TAG | {"name": "qwen3:4b", "model": "qwen3:4b"}]})
    found = await examined()
    assert "memory" not in found
    assert found.found("local answer") == "qwen3:4b, by Ollama"


async def test_a_missing_engine_says_how_to_install_it(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_BACKEND", "embedded")
    found = await examined()
    assert found.state("embedded engine") is PROBLEM
    assert "hybridchat[embedded]" in found.advice("embedded engine")
    assert found.state("local answer") is PROBLEM
    assert found.code == 69
    assert not {"Ollama", "memory"} & set(found)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("raise ImportError('libgomp.so.1: cannot open shared object file')", "apt-get install libgomp1"),
        ("import os; os.abort()", "pip install --force-reinstall"),
    ],
)
async def test_an_engine_that_cannot_be_loaded_is_explained(
    text: str, advice: str, stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xllamacpp.py").write_text(f"{text}\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = await examined()
    assert found.state("embedded engine") is WARNING
    assert advice in found.advice("embedded engine")
    assert found.state("local answer") is PROBLEM
    assert found.code == 69


@pytest.mark.parametrize(
    ("served", "state"), [(("one",), OK), (("x", "mine"), OK), (("a", "b"), WARNING), ((), WARNING)]
)
async def test_a_local_server_is_asked_for_its_models(
    served: tuple[str, ...], state: State, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves(server, *served)
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_BACKEND", "llama.cpp")
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_URL", server.url)
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_MODEL", "mine")
    found = await examined()
    assert found.state("local answer") is state
    assert found.code == 0
    assert server.chats == []


async def test_settings_name_their_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[local]\nmodel = "smollm2"\n', "utf-8")
    (tmp_path / ".hybridchat.toml").write_text('data_policy = "local-only"\n', "utf-8")
    monkeypatch.setenv("HYBRIDCHAT_CONFIG", str(file))
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_MODEL", "other")
    found = await examined()
    assert found.found("settings") == (
        f"{file}; tightened by {tmp_path / '.hybridchat.toml'}; local.model = smollm2 (file {file}); "
        "local.url = 127.0.0.1:9 (environment OLLAMA_HOST); "
        "remote.model = other (environment HYBRIDCHAT_REMOTE_MODEL)"
    )
    assert found.found("data policy").startswith(f"local-only (folder {tmp_path / '.hybridchat.toml'})")


async def test_broken_settings_end_with_78(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_CONFIG", str(tmp_path / "gone.toml"))
    found = await examined(online=True)
    assert list(found) == ["Python", "SQLite", "settings"]
    assert found.state("settings") is PROBLEM
    assert found.code == 78


@pytest.mark.parametrize(("variable", "why"), [("OFFLINE", "offline mode is on"), ("DATA_POLICY", "local-only")])
async def test_where_nothing_may_leave_no_key_is_looked_for(
    variable: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = MemoryKeyring()
    keyring.set_keyring(kept)
    monkeypatch.setenv(f"HYBRIDCHAT_PRIVACY_{variable}", "true" if variable == "OFFLINE" else "local-only")
    found = await examined()
    assert "not looked for" in found.found("remote key")
    assert why in found.found("remote key")
    assert why in found.found("remote model")
    assert kept.threads == [], "the keyring was asked for nothing"


async def test_offline_mode_forbids_asking_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_PRIVACY_OFFLINE", "true")
    with pytest.raises(Blocked):
        await examined(online=True)


async def test_local_only_asks_no_remote_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_PRIVACY_DATA_POLICY", "local-only")
    assert "not asked" in (await examined(online=True)).found("remote server")


async def test_a_keyring_and_its_key_are_named_and_the_key_is_not_shown() -> None:
    kept = MemoryKeyring()
    kept.entries["hybridchat", "huggingface@router.huggingface.co"] = "hf_secret"
    keyring.set_keyring(kept)
    found = await examined()
    assert found.state("keyring") is OK
    assert "MemoryKeyring" in found.found("keyring")
    assert found.found("remote key") == "the key huggingface for router.huggingface.co comes from the OS keyring"
    assert "hf_secret" not in repr(found)


async def test_a_usable_keyring_without_the_key_says_how_to_store_it() -> None:
    keyring.set_keyring(MemoryKeyring())
    found = await examined()
    assert found.state("remote key") is WARNING
    assert found.advice("remote key") == "Run `hybridchat keys set huggingface`."


async def test_an_unsafe_keyring_is_a_warning() -> None:
    keyring.set_keyring(PlainFileKeyring())
    found = await examined()
    assert found.state("keyring") is WARNING
    assert "PlainFileKeyring" in found.found("keyring")


async def test_a_proxy_on_the_way_to_the_remote_and_whose_certificates_count_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    assert (await examined()).found("remote model").endswith(", through the proxy proxy.example:3128")
    monkeypatch.setenv("SSL_CERT_FILE", "other.pem")  # with both, whoever set them could read along
    assert (await examined()).found("remote model").endswith("is checked as SSL_CERT_FILE in the environment says")


async def test_without_a_remote_there_is_little_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRESET", "none")
    found = await examined(online=True)
    assert "none is configured" in found.found("remote model")
    assert not {"remote key", "remote server"} & set(found)


@pytest.mark.parametrize(
    ("served", "state", "told"),
    [
        (("mine", "x"), OK, "takes the key and serves mine"),
        (("spare", "x"), WARNING, "it lists spare"),
        (("x", "y"), PROBLEM, "it lists x, y"),
        ((), PROBLEM, "it lists nothing"),
    ],
)
async def test_online_the_remote_server_is_asked_for_its_models(
    served: tuple[str, ...], state: State, told: str, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves(server, *served)
    monkeypatch.setenv("HYBRIDCHAT_KEY_HUGGINGFACE", "hf_secret")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_URL", server.url)
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_MODEL", "mine")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_FALLBACKS", "spare")
    assert "remote server" not in await examined()
    assert server.requests == []
    found = await examined(online=True)
    assert found.state("remote server") is state
    assert told in found.found("remote server")
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer hf_secret"]
    assert "hf_secret" not in repr(found)
    assert found.found("remote model").endswith("at a price not known")


async def test_a_remote_server_without_a_key_needs_none(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    serves(server, "mine")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRESET", "lmstudio")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_URL", server.url)
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_MODEL", "mine")
    found = await examined(online=True)
    assert found.found("remote key") == "lmstudio needs none"
    assert found.found("remote server") == "lmstudio serves mine"
    assert "authorization" not in server.requests[0].headers


async def test_a_refused_key_is_a_problem_of_the_remote_server_alone(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_KEY_HUGGINGFACE", "hf_secret")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_URL", server.url)
    found = await examined(online=True)
    assert found.state("remote server") is PROBLEM
    assert found.state("remote key") is OK


async def test_conversations_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    path = paths.database_file(StoreSettings())
    await Store.open(path).aclose()
    assert " opens, " in (await examined()).found("conversations")
    path.write_bytes(b"no database at all, but long enough to be looked at " * 100)
    found = await examined()
    assert found.state("conversations") is PROBLEM
    monkeypatch.setenv("HYBRIDCHAT_STORE_SAVE", "false")
    assert "nothing is kept" in (await examined()).found("conversations")


async def test_a_full_disk_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    found = await examined()
    assert found.state("data folder") is WARNING
    assert "1 MB free" in found.found("data folder")


async def test_a_data_folder_that_cannot_be_written_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("HYBRIDCHAT_STORE_PATH", str(tmp_path / "file"))
    assert (await examined()).state("data folder") is PROBLEM


async def test_sqlite_without_full_text_search_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    class Poor(sqlite3.Connection):
        def execute(self, *_arguments: Any) -> Any:
            raise sqlite3.OperationalError("no such module: fts5")

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path: real(path, factory=Poor))
    verdict = await machine.sqlite(None)
    assert verdict.state is PROBLEM
    assert "FTS5" in verdict.found


async def test_a_check_that_breaks_or_hangs_is_a_row_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(_case: object) -> None:
        raise LookupError("hf_secret")

    async def hangs(_case: object) -> None:
        raise TimeoutError

    monkeypatch.setitem(examination._CHECKS, "Ollama", breaks)
    monkeypatch.setitem(examination._CHECKS, "keyring", hangs)
    found = await examined()
    assert found.found("Ollama") == "this check failed (LookupError)"
    assert "did not come to its end" in found.found("keyring")
    assert found.state("remote model") is OK


async def test_a_backend_that_takes_nothing_is_said() -> None:
    with pytest.raises(ServerFailed):
        await local._accepted(ScriptedBackend(LOCAL, []))


def test_a_person_reads_aligned_lines_with_words(command: Command) -> None:
    ended = command("doctor")
    assert ended.code == 69
    lines = ended.out.splitlines()
    rows = [line for line in lines if not line.startswith(" ")]
    assert {line[:15].rstrip() for line in rows} >= {"Python", "embedded models", "local answer"}
    assert {line[17:24].rstrip() for line in rows} == {"ok", "warning", "problem"}
    assert all(line.startswith(" " * 26) for line in lines if line.startswith(" "))
    assert "\x1b" not in ended.out


def test_a_program_reads_an_object_a_line(command: Command) -> None:
    ended = command("doctor", "--json")
    assert ended.code == 69
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert all(set(row) == {"name", "state", "found", "advice"} for row in rows)
    assert {row["state"] for row in rows} == {"ok", "warning", "problem"}


def test_offline_mode_and_online_exclude_each_other(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_PRIVACY_OFFLINE", "true")
    assert command("doctor", "--online").code == 79
