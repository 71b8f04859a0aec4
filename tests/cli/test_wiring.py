from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hybridchat.backends.first_available import FirstAvailable
from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.cli import wiring
from hybridchat.config.settings import Auth, Settings
from hybridchat.errors import BadConfiguration, Blocked, KeyMissing

DEFAULTS = Settings()


def with_local(**more: object) -> Settings:
    return replace(DEFAULTS, local=replace(DEFAULTS.local, **more))  # type: ignore[arg-type]  # each names real fields


def with_remote(**more: object) -> Settings:
    return replace(DEFAULTS, remote=replace(DEFAULTS.remote, **more))  # type: ignore[arg-type]  # each names real fields


def names(settings: Settings) -> list[str]:
    backend = wiring.local_backend(settings, {})
    found = backend._backends if isinstance(backend, FirstAvailable) else [backend]
    return [type(one).__name__ for one in found]


def test_without_any_setting_ollama_comes_first_then_any_model_of_it_then_the_embedded_engine() -> None:
    assert names(DEFAULTS) == ["OllamaBackend", "AnyOllamaModel", "EmbeddedBackend"]


def test_whoever_names_a_model_gets_no_other() -> None:
    assert names(with_local(model="mistral")) == ["OllamaBackend", "EmbeddedBackend"]


@pytest.mark.parametrize(
    ("backend", "kind"),
    [("ollama", "OllamaBackend"), ("embedded", "EmbeddedBackend"), ("llama.cpp", "OpenAICompatibleBackend")],
)
def test_a_named_backend_is_the_only_one(backend: str, kind: str) -> None:
    assert names(with_local(backend=backend)) == [kind]


@pytest.mark.parametrize("backend", ["ollama", "llama.cpp"])
def test_a_local_server_elsewhere_must_be_declared_and_is_refused_offline(backend: str) -> None:
    elsewhere = with_local(backend=backend, url="https://gpu.example:8443/v1")
    with pytest.raises(BadConfiguration, match="not on this machine"):
        wiring.local_backend(elsewhere, {})
    trusted = replace(elsewhere, local=replace(elsewhere.local, trusted_hosts=("gpu.example",)))
    assert wiring.local_backend(trusted, {}).endpoint.url.startswith("https://gpu.example:8443")
    offline = replace(trusted, privacy=replace(trusted.privacy, offline=True))
    with pytest.raises(Blocked, match="offline"):
        wiring.local_backend(offline, {})


def test_a_local_servers_key_comes_from_the_environment_or_not_at_all() -> None:
    llama_cpp = with_local(backend="llama.cpp")
    assert wiring.local_backend(llama_cpp, {}).endpoint.auth is Auth.NONE
    assert wiring.local_backend(llama_cpp, {"LLAMA_API_KEY": "k"}).endpoint.auth is Auth.BEARER


def test_ollamas_own_variable_is_read_as_ollama_reads_it() -> None:
    assert wiring.ollama_url(replace(DEFAULTS.local, url="0.0.0.0:5000")) == "http://127.0.0.1:5000"
    assert wiring.ollama_url(DEFAULTS.local) == "http://127.0.0.1:11434"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://router.huggingface.co/v1", "router.huggingface.co"),
        ("https://h:443/v1", "h"),
        ("https://h:8443/v1", "h:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
    ],
)
def test_a_key_belongs_to_a_host_and_to_its_port_where_that_is_unusual(url: str, host: str) -> None:
    assert wiring.key_host(url) == host


async def opened(settings: Settings, tmp_path: Path, model: str | None = None) -> OpenAICompatibleBackend:
    settings = replace(settings, store=replace(settings.store, path=str(tmp_path)))
    async with wiring.build(settings) as assistant:
        open_remote = assistant._engine.open_remote
        assert open_remote is not None
        backend = await open_remote(model)
        assert await open_remote(model) is backend
        assert isinstance(backend, OpenAICompatibleBackend)
        return backend


async def test_the_providers_own_variable_is_used_for_its_own_host_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_token")
    assert (await opened(DEFAULTS, tmp_path)).endpoint.url == "https://router.huggingface.co/v1"
    with pytest.raises(KeyMissing):
        await opened(with_remote(url="https://elsewhere.example/v1"), tmp_path)


async def test_a_server_on_this_machine_is_asked_without_a_key_where_there_is_none(tmp_path: Path) -> None:
    backend = await opened(with_remote(preset="llama.cpp"), tmp_path)
    assert backend.endpoint.url == "http://127.0.0.1:8080/v1"


async def test_another_model_has_no_price_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_token")
    assert (await opened(DEFAULTS, tmp_path)).endpoint.price is not None
    other = await opened(DEFAULTS, tmp_path, "meta-llama/other")
    assert (other.endpoint.model, other.endpoint.price) == ("meta-llama/other", None)


async def test_none_means_no_remote_model_at_all(tmp_path: Path) -> None:
    settings = with_remote(preset="none")
    settings = replace(settings, store=replace(settings.store, path=str(tmp_path)))
    async with wiring.build(settings) as assistant:
        assert assistant._engine.open_remote is None


async def test_a_command_of_the_users_gives_the_key(tmp_path: Path) -> None:
    assert (await opened(with_remote(key_command="echo hf_from_command"), tmp_path)).endpoint.name == "huggingface"
