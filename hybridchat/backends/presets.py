"""The servers that speak the OpenAI chat protocol, as data, and the endpoints built from them.

Model names of hosted services change often: each is a default that a setting overrides, and prices are as of the
date in the row's comment.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hybridchat.backends.loopback import is_loopback
from hybridchat.backends.ollama_names import is_cloud
from hybridchat.config.settings import Auth, Endpoint, Kind, LocalSettings, Price, RemoteSettings
from hybridchat.errors import BadConfiguration
from hybridchat.messages import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of server.

    ``url`` is the base address, empty where everyone has an address of their own. ``model`` is what is asked for by
    default and ``small_model`` the name under which the server knows Phi-3.5, for use as the local model; either is
    empty where only the user can know it. ``key_env`` are the environment variables in which its users keep the key.
    ``max_top_logprobs`` is the most alternatives per token it gives, 0 where a stream carries no logprobs.
    """

    name: str
    description: str
    url: str = ""
    auth: Auth = Auth.BEARER
    key_name: str | None = None
    key_env: tuple[str, ...] = ()
    model: str = ""
    small_model: str = ""
    fallbacks: tuple[str, ...] = ()
    price: Price | None = None
    max_top_logprobs: int = 20


LLAMA = "meta-llama/Llama-3.3-70B-Instruct"
SMALLER_LLAMAS = ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Meta-Llama-3-70B-Instruct")
PHI = "microsoft/Phi-3.5-mini-instruct"

_ROWS = (
    # huggingface.co/docs/inference-providers; the price is models.dev's of 2026-07-02. Which provider serves a model
    # changes by the week, hence the fallbacks.
    Preset(
        name="huggingface",
        description="Hugging Face Inference Providers: one key for many hosts",
        url="https://router.huggingface.co/v1",
        key_name="huggingface",
        key_env=("HF_TOKEN",),
        model=LLAMA,
        fallbacks=(*SMALLER_LLAMAS, "meta-llama/Meta-Llama-3-8B-Instruct"),
        price=Price(0.59, 0.79),
    ),
    # huggingface.co/docs/inference-endpoints: TGI or vLLM behind an address of one's own; TGI stops at 5 alternatives.
    Preset(
        name="huggingface-endpoint",
        description="a dedicated Hugging Face Inference Endpoint, at its own URL",
        key_name="huggingface",
        key_env=("HF_TOKEN",),
        model="tgi",
        max_top_logprobs=5,
    ),
    # docs.api.nvidia.com; a model past its end of life answers 410.
    Preset(
        name="nvidia",
        description="NVIDIA NIM, hosted",
        url="https://integrate.api.nvidia.com/v1",
        key_name="nvidia",
        key_env=("NVIDIA_API_KEY",),
        model="meta/llama-3.3-70b-instruct",
    ),
    # docs.nvidia.com/nim: the same interface in a container.
    Preset(
        name="nim",
        description="an NVIDIA NIM container",
        url="http://127.0.0.1:8000/v1",
        auth=Auth.NONE,
        model="meta/llama-3.3-70b-instruct",
        small_model="microsoft/phi-3.5-mini-instruct",
    ),
    # learn.microsoft.com/azure/ai-foundry, v1 API (no api-version): the model is the name of the user's deployment.
    Preset(
        name="azure",
        description="Microsoft Foundry (Azure), at https://RESOURCE.openai.azure.com/openai/v1",
        auth=Auth.API_KEY,
        key_name="azure",
        key_env=("AZURE_OPENAI_API_KEY",),
    ),
    # console.groq.com/docs/openai: logprobs are answered with 400. No Llama 3 since 2026-08-16, so no default.
    Preset(
        name="groq",
        description="Groq (gives no logprobs)",
        url="https://api.groq.com/openai/v1",
        key_name="groq",
        key_env=("GROQ_API_KEY",),
        max_top_logprobs=0,
    ),
    # docs.vllm.ai, OpenAI-compatible server; --api-key guards /v1.
    Preset(
        name="vllm",
        description="vLLM",
        url="http://127.0.0.1:8000/v1",
        key_name="vllm",
        key_env=("VLLM_API_KEY",),
        model=LLAMA,
        small_model=PHI,
    ),
    # huggingface.co/docs/text-generation-inference: serves one model, whatever it is called.
    Preset(
        name="tgi",
        description="Text Generation Inference",
        url="http://127.0.0.1:8080/v1",
        key_name="tgi",
        model="tgi",
        small_model="tgi",
        max_top_logprobs=5,
    ),
    # github.com/ggml-org/llama.cpp tools/server: the name is ignored unless it runs as a router.
    Preset(
        name="llama.cpp",
        description="llama.cpp's llama-server",
        url="http://127.0.0.1:8080/v1",
        key_name="llama.cpp",
        key_env=("LLAMA_API_KEY",),
        model="default",
        small_model="default",
    ),
    # huggingface.co/docs/transformers/serving: logprobs are among the fields that it refuses.
    Preset(
        name="transformers",
        description="Hugging Face `transformers serve` (gives no logprobs)",
        url="http://127.0.0.1:8000/v1",
        auth=Auth.NONE,
        model=LLAMA,
        small_model=PHI,
        max_top_logprobs=0,
    ),
    # learn.microsoft.com/azure/ai-foundry/foundry-local: the port is dynamic, `foundry service status` tells it.
    Preset(
        name="foundry-local",
        description="Microsoft Foundry Local, at the URL that `foundry service status` prints",
        auth=Auth.NONE,
        small_model="phi-3.5-mini",
    ),
    # lmstudio.ai/docs: asks for the model by the name that its list shows.
    Preset(name="lmstudio", description="LM Studio", url="http://127.0.0.1:1234/v1", auth=Auth.NONE),
    # github.com/ml-explore/mlx-lm SERVER.md: at most 10 alternatives.
    Preset(
        name="mlx",
        description="mlx_lm.server, on Apple silicon",
        url="http://127.0.0.1:8080/v1",
        auth=Auth.NONE,
        model="mlx-community/Llama-3.3-70B-Instruct-4bit",
        small_model="mlx-community/Phi-3.5-mini-instruct-4bit",
        max_top_logprobs=10,
    ),
    # docs.openvino.ai, model server: the API lives under /v3, and a stream carries no logprobs.
    Preset(
        name="openvino",
        description="OpenVINO model server (streams no logprobs)",
        url="http://127.0.0.1:8000/v3",
        auth=Auth.NONE,
        max_top_logprobs=0,
    ),
    # github.com/ollama/ollama docs/openai: without num_ctx, so the native API is better where it can be used.
    Preset(
        name="ollama-v1",
        description="Ollama's OpenAI-compatible side",
        url="http://127.0.0.1:11434/v1",
        auth=Auth.NONE,
        model="llama3.3",
        small_model="phi3.5",
    ),
    Preset(
        name="custom",
        description="any other server that speaks the OpenAI chat protocol",
        key_name="custom",
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({row.name: row for row in _ROWS})


def preset(name: str) -> Preset:
    """Return the preset called ``name``; raise ``BadConfiguration``, which lists them all, where there is none."""
    try:
        return PRESETS[name]
    except KeyError:
        raise BadConfiguration(
            f"there is no preset called {name!r}", hint=f"choose one of {', '.join(PRESETS)}"
        ) from None


def remote_endpoint(settings: RemoteSettings, *, trusted_hosts: Collection[str] = ()) -> Endpoint:
    """Return the endpoint of the large model.

    Its place is always ``REMOTE``, even on loopback (there may be a tunnel behind it): what it is sent passes the
    privacy gate. Raises ``BadConfiguration`` for an unknown preset, an impossible URL, a missing URL or model, and
    plain HTTP to a host that is neither loopback nor one of ``trusted_hosts``.
    """
    row = preset(settings.preset)
    url = _address(settings.url or row.url, row, setting="remote.url", trusted_hosts=trusted_hosts)
    price = row.price if not settings.model or settings.model == row.model else None
    if settings.price_input is not None and settings.price_output is not None:
        price = Price(settings.price_input, settings.price_output)
    return Endpoint(
        name=row.name,
        kind=Kind.OPENAI,
        url=url,
        model=_model(settings.model or row.model, row, setting="remote.model"),
        place=Place.REMOTE,
        auth=row.auth,
        key_name=settings.key_name or row.key_name,
        fallbacks=settings.fallbacks or row.fallbacks,
        price=price,
        max_top_logprobs=row.max_top_logprobs,
        first_token_timeout=settings.first_token_timeout,
        stall_timeout=settings.stall_timeout,
        connect_timeout=settings.connect_timeout,
    )


def local_endpoint(settings: LocalSettings) -> Endpoint:
    """Return the endpoint of the local model, where ``settings.backend`` names a preset.

    The default model name is translated to the one that the preset's server uses. Raises ``BadConfiguration`` as
    ``remote_endpoint`` does, for any host that is neither loopback nor declared in ``settings.trusted_hosts``, and for
    a model that Ollama, behind whatever preset, would ask its cloud for.
    """
    row = preset(settings.backend)
    url = _address(settings.url or row.url, row, setting="local.url", trusted_hosts=settings.trusted_hosts)
    if not _is_trusted(url, settings.trusted_hosts):
        host = urlsplit(url).hostname
        raise BadConfiguration(
            f"the local model's server, {host}, is not on this machine",
            hint=f'declare the host with `local.trusted_hosts = ["{host}"]`, or use it as the remote model',
        )
    model = row.small_model if settings.model == LocalSettings().model else settings.model
    if is_cloud(model):
        raise BadConfiguration(
            f"{model} is a cloud model: an Ollama server would pass every prompt on to ollama.com",
            hint="Choose a model that runs on this machine with `local.model`.",
        )
    return Endpoint(
        name=row.name,
        kind=Kind.OPENAI,
        url=url,
        model=_model(model, row, setting="local.model"),
        place=Place.LOCAL,
        auth=row.auth,
        key_name=row.key_name,
        max_top_logprobs=row.max_top_logprobs,
    )


def _is_trusted(url: str, trusted_hosts: Collection[str]) -> bool:
    return is_loopback(url) or urlsplit(url).hostname in {host.casefold() for host in trusted_hosts}


def _model(name: str, row: Preset, *, setting: str) -> str:
    if not name:
        raise BadConfiguration(
            f"{row.name} has no default model", hint=f"name the model (or deployment) with `{setting}`"
        )
    return name


def _address(url: str, row: Preset, *, setting: str, trusted_hosts: Collection[str]) -> str:
    """Return ``url`` without a closing slash, once it is sure that a key and a prompt may travel there."""
    if not url:
        raise BadConfiguration(f"{row.name} has no default address", hint=f"set `{setting}`: {row.description}")
    example = f"set `{setting}` to an address like {row.url or 'https://host/v1'}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # reading the port checks it
    except ValueError as error:
        raise BadConfiguration(f"{setting} {url!r} is no address: {error}", hint=example) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise BadConfiguration(f"{setting} {url!r} is no http:// or https:// address", hint=example)
    if parts.username is not None:
        raise BadConfiguration(
            f"{setting} carries credentials", hint=f"take them out of the address: `hybridchat keys set {row.name}`"
        )
    if parts.query or parts.fragment:
        raise BadConfiguration(f"{setting} {url!r} ends in a query or fragment", hint=example)
    if parts.scheme == "http" and not _is_trusted(url, trusted_hosts):
        raise BadConfiguration(
            f"{setting} {url!r} is plain HTTP: key and prompts would travel in the clear",
            hint=f'use https://, or declare the host with `local.trusted_hosts = ["{host}"]`',
        )
    return url.rstrip("/")
