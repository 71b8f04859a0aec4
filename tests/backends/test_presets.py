from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from hybridchat.backends.loopback import is_loopback
from hybridchat.backends.presets import PRESETS, local_endpoint, preset, remote_endpoint
from hybridchat.config.settings import Auth, Kind, LocalSettings, Price, RemoteSettings
from hybridchat.errors import BadConfiguration
from hybridchat.messages import Place


def test_nothing_configured_means_llama_on_hugging_face() -> None:
    endpoint = remote_endpoint(RemoteSettings())

    assert endpoint.url == "https://router.huggingface.co/v1"
    assert endpoint.model == "meta-llama/Llama-3.3-70B-Instruct"
    assert endpoint.fallbacks[0] == "meta-llama/Llama-3.1-8B-Instruct"
    assert endpoint.price == Price(0.59, 0.79)
    assert (endpoint.auth, endpoint.key_name) == (Auth.BEARER, "huggingface")
    assert (endpoint.kind, endpoint.place) == (Kind.OPENAI, Place.REMOTE)
    assert PRESETS["huggingface"].key_env == ("HF_TOKEN",)


def test_settings_win_over_the_preset() -> None:
    endpoint = remote_endpoint(
        RemoteSettings(
            preset="nvidia",
            url="https://example.org/v1/",
            model="m",
            fallbacks=("n",),
            key_name="work",
            price_input=1.0,
            price_output=2.0,
            connect_timeout=1.5,
            first_token_timeout=2.5,
            stall_timeout=3.5,
        )
    )

    assert (endpoint.url, endpoint.model, endpoint.fallbacks) == ("https://example.org/v1", "m", ("n",))
    assert (endpoint.key_name, endpoint.price) == ("work", Price(1.0, 2.0))
    assert (endpoint.connect_timeout, endpoint.first_token_timeout, endpoint.stall_timeout) == (1.5, 2.5, 3.5)


def test_the_price_of_the_default_model_is_no_other_models() -> None:
    assert remote_endpoint(RemoteSettings(model="meta-llama/Llama-3.1-8B-Instruct")).price is None
    assert remote_endpoint(RemoteSettings(model="meta-llama/Llama-3.3-70B-Instruct")).price == Price(0.59, 0.79)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_an_endpoint_once_url_and_model_are_known(name: str) -> None:
    row = preset(name)
    endpoint = remote_endpoint(RemoteSettings(preset=name, url=row.url or "https://example.org/v1", model="m"))

    assert endpoint.name == name
    assert endpoint.place is Place.REMOTE
    assert endpoint.max_top_logprobs == row.max_top_logprobs
    assert row.description
    assert (row.auth is Auth.NONE) == (row.key_name is None)


@pytest.mark.parametrize("name", [name for name, row in PRESETS.items() if is_loopback(row.url)])
def test_every_preset_on_loopback_can_be_the_local_model(name: str) -> None:
    endpoint = local_endpoint(LocalSettings(backend=name, model="m"))

    assert endpoint.place is Place.LOCAL
    assert is_loopback(endpoint.url)
    assert endpoint.model == "m"
    assert endpoint.price is None


def test_the_default_model_is_asked_for_by_the_name_that_the_server_knows() -> None:
    assert local_endpoint(LocalSettings(backend="vllm")).model == "microsoft/Phi-3.5-mini-instruct"
    assert local_endpoint(LocalSettings(backend="vllm", model="other")).model == "other"


def test_known_limits_on_logprobs_reach_the_endpoint() -> None:
    assert local_endpoint(LocalSettings(backend="tgi")).max_top_logprobs == 5
    assert remote_endpoint(RemoteSettings(preset="groq", model="m")).max_top_logprobs == 0


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadConfiguration, match="hugginface") as caught:
        preset("hugginface")

    assert all(name in caught.value.hint for name in PRESETS)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (RemoteSettings(preset="azure", model="m"), "no default address"),
        (RemoteSettings(preset="azure", url="https://x.openai.azure.com/openai/v1"), "no default model"),
        (RemoteSettings(preset="groq"), "no default model"),
        (RemoteSettings(url="router.huggingface.co/v1"), "no http"),
        (RemoteSettings(url="ftp://example.org"), "no http"),
        (RemoteSettings(url="https:///v1"), "no http"),
        (RemoteSettings(url="https://example.org:port/v1"), "no address"),
        (RemoteSettings(url="https://[::1/v1"), "no address"),
        (RemoteSettings(url="https://user:secret@example.org/v1"), "credentials"),
        (RemoteSettings(url="https://example.org/v1?api-version=1"), "query"),
        (RemoteSettings(url="http://example.org/v1"), "in the clear"),
        (RemoteSettings(url="http://127.0.0.1.example.org/v1"), "in the clear"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_impossible_setting_is_a_clear_error(settings: RemoteSettings, says: str) -> None:
    with pytest.raises(BadConfiguration, match=says) as caught:
        remote_endpoint(settings)

    assert caught.value.hint
    assert "secret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]:1/v1"])
def test_plain_http_is_fine_on_loopback_and_stays_remote(url: str) -> None:
    assert remote_endpoint(RemoteSettings(url=url)).place is Place.REMOTE


def test_plain_http_is_fine_where_the_user_declares_the_host() -> None:
    settings = RemoteSettings(url="http://Box.lan:8000/v1")

    assert remote_endpoint(settings, trusted_hosts=("box.LAN",)).url == settings.url
    with pytest.raises(BadConfiguration):
        remote_endpoint(settings, trusted_hosts=("lan",))


def test_local_means_this_machine_unless_the_host_is_declared() -> None:
    url = "https://box.lan:8000/v1"

    with pytest.raises(BadConfiguration, match="not on this machine") as caught:
        local_endpoint(LocalSettings(backend="vllm", url=url))
    assert "local.trusted_hosts" in caught.value.hint

    assert local_endpoint(LocalSettings(backend="vllm", url=url, trusted_hosts=("box.lan",))).place is Place.LOCAL


def test_a_hosted_preset_is_no_local_model() -> None:
    with pytest.raises(BadConfiguration, match="not on this machine"):
        local_endpoint(LocalSettings(backend="huggingface"))


@pytest.mark.parametrize("backend", ["ollama-v1", "custom"])
def test_a_cloud_model_is_no_local_model(backend: str) -> None:
    with pytest.raises(BadConfiguration, match=r"ollama\.com"):
        local_endpoint(LocalSettings(backend=backend, url="http://127.0.0.1:11434/v1", model="gpt-oss:120b-cloud"))


def test_presets_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        PRESETS["vllm"].url = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        PRESETS["vllm"] = PRESETS["tgi"]  # type: ignore[index]


def test_reading_the_presets_loads_no_http_client() -> None:
    code = "import sys, hybridchat.backends.presets; sys.exit('httpx' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
