from __future__ import annotations

import io
import json
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from hybridchat.backends.ollama import models as ollama_models
from hybridchat.backends.ollama.models import InstalledModel, LoadedModel, ModelDescription, OllamaModels, PullProgress
from hybridchat.cli import progress
from hybridchat.config import paths
from hybridchat.config.settings import StoreSettings
from tests.cli.conftest import Command
from tests.plain.fake_turn import TerminalStream


@pytest.fixture
def embedded(smollm2: Path) -> Path:
    folder = paths.models_folder(StoreSettings())
    folder.mkdir(parents=True)
    return Path(shutil.copy(smollm2, folder / "smollm2.gguf"))


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An Ollama with one model; the list holds what it was asked to do. A real one has tests of its own."""
    asked: list[str] = []

    async def running(_self: OllamaModels) -> bool:
        return True

    async def installed(_self: OllamaModels) -> tuple[InstalledModel, ...]:
        return (InstalledModel("phi3.5", "sha256:1", 2_200_000_000),)

    async def loaded(_self: OllamaModels) -> tuple[LoadedModel, ...]:
        return (LoadedModel("phi3.5", "sha256:1", 1, 0),)

    async def show(_self: OllamaModels, name: str) -> ModelDescription:
        return ModelDescription(name, "phi3", "3.8B", "Q4_0", 131_072, ("completion",), "", "", "")

    async def remove(_self: OllamaModels, name: str) -> None:
        asked.append(f"remove {name}")

    async def pull(_self: OllamaModels, name: str) -> AsyncGenerator[PullProgress]:
        asked.append(f"pull {name}")
        yield PullProgress("pulling manifest")
        for done in (0, 5, 30, 31, 100):
            yield PullProgress("pulling layer", "sha256:1", done, 100)
        yield PullProgress("success")

    for name, method in {
        "running": running, "list": installed, "ps": loaded, "show": show, "remove": remove, "pull": pull,
    }.items():  # fmt: skip
        monkeypatch.setattr(ollama_models.OllamaModels, name, method)
    return asked


def test_models_of_both_engines_are_listed(command: Command, ollama: list[str], embedded: Path) -> None:
    lines = command("models", "list").out.splitlines()
    assert lines == ["phi3.5\tollama\t2.2 GB\tyes\t", f"smollm2\tembedded\t98 MB\t\t{embedded}"]
    records = [json.loads(line) for line in command("models", "list", "--json").out.splitlines()]
    assert [record["size"] for record in records] == [2_200_000_000, embedded.stat().st_size]


def test_a_stopped_ollama_hides_nothing_else(command: Command, embedded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_URL", "http://127.0.0.1:1")
    ended = command("models", "list")
    assert ended.code == 0
    assert ended.out.startswith("smollm2\t")
    assert "its models are not listed" in ended.err


def test_a_pull_is_told_in_plain_lines_without_a_terminal(command: Command, ollama: list[str]) -> None:
    ended = command("models", "pull", "llama3.2:1b")
    assert (ended.code, ended.out, ollama) == (0, "", ["pull llama3.2:1b"])
    assert ended.err.splitlines() == [
        "pulling manifest", "pulling layer", "pulling layer: 30%", "pulling layer: 100%", "success",
        "llama3.2:1b is ready (ollama)",
    ]  # fmt: skip


def test_the_default_model_goes_to_a_running_ollama(command: Command, ollama: list[str]) -> None:
    assert command("models", "pull", "phi3.5").code == 0
    assert ollama == ["pull phi3.5"]


@pytest.mark.parametrize("extra", [[], ["--in", "embedded"]])
def test_what_the_embedded_engine_has_is_not_fetched_again(
    extra: list[str], command: Command, ollama: list[str], embedded: Path
) -> None:
    ended = command("models", "pull", "smollm2", *extra)
    assert (ended.code, ollama) == (0, [])
    assert ended.err == "smollm2 is ready (embedded)\n"


def test_offline_mode_downloads_nothing(command: Command, ollama: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_PRIVACY_OFFLINE", "true")
    assert command("models", "pull", "llama3.2:1b").code == 79
    assert command("models", "pull", "smollm2").code == 79
    assert ollama == []


def test_the_data_policy_local_only_downloads_nothing_unless_this_download_is_allowed(
    command: Command, ollama: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_PRIVACY_DATA_POLICY", "local-only")
    refused = command("models", "pull", "llama3.2:1b")
    assert (refused.code, ollama) == (79, [])
    assert "--allow-download" in refused.err
    assert command("models", "pull", "--allow-download", "llama3.2:1b").code == 0
    assert ollama == ["pull llama3.2:1b"]


def test_allowing_a_download_does_not_lift_offline_mode(
    command: Command, ollama: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_PRIVACY_OFFLINE", "true")
    assert (command("models", "pull", "--allow-download", "llama3.2:1b").code, ollama) == (79, [])


def test_the_configured_engine_is_preferred(
    command: Command, ollama: list[str], embedded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_BACKEND", "ollama")
    assert command("models", "pull", "smollm2").code == 0
    assert ollama == ["pull smollm2"]


def test_models_are_described(command: Command, ollama: list[str], embedded: Path) -> None:
    assert "architecture\tphi3\n" in command("models", "show", "phi3.5").out
    assert json.loads(command("models", "show", "smollm2", "--json").out)["path"] == str(embedded)
    assert command("models", "show", "phi3.5", "--in", "embedded").code == 69


def test_what_only_the_embedded_engine_can_have_is_not_looked_for_in_ollama(
    command: Command, ollama: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(_self: OllamaModels) -> bool:
        return False

    monkeypatch.setattr(OllamaModels, "running", down)
    for name in ("phi3.5", "smollm2", "hf:org/repo/file.gguf"):
        ended = command("models", "show", name)
        assert ended.code == 69
        assert f"hybridchat models pull {name}" in ended.err
    assert command("models", "show", "gone.gguf").code == 69


def test_models_are_removed(command: Command, ollama: list[str], embedded: Path) -> None:
    assert command("models", "remove", "smollm2").code == 0
    assert not embedded.exists()
    assert command("models", "remove", "llama3.2:1b").code == 0
    assert ollama == ["remove llama3.2:1b"]


def test_stopping_what_does_not_run_is_no_error(
    command: Command, embedded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_MODEL", "smollm2")
    ended = command("models", "stop")
    assert (ended.code, ended.err) == (0, "no embedded server was running\n")


def test_a_person_sees_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen: io.StringIO = TerminalStream()
    monkeypatch.setattr("sys.stderr", screen)
    with progress.PullProgress() as shown:
        shown.step("Asking [the] Hub", 0, None)
        shown.step("Downloading", 5, 10)
        shown.step("Downloading", 10, 10)
    assert "Asking [the] Hub" in screen.getvalue()
    assert "Downloading" in screen.getvalue()


def test_a_model_without_a_name_is_a_usage_error(command: Command, ollama: list[str]) -> None:
    assert command("models", "pull", " ").code == 2
    assert ollama == []


def test_every_embedded_server_is_stopped_whatever_model_is_configured(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def stop(runtime: Path) -> int:
        asked.append(runtime)
        return 2

    monkeypatch.setattr("hybridchat.cli.model_commands.stop_servers", stop)
    ended = command("models", "stop")
    assert (ended.code, ended.err) == (0, "stopped: 2 embedded servers\n")
    assert asked == [paths.runtime_folder()]
