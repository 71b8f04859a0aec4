"""The servers that speak the OpenAI chat protocol, one row each.

Model names of hosted services change often: each is a default that a setting overrides, and prices are as of the
date in the row's comment.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from hybridchat.config.settings import Auth, Price

if TYPE_CHECKING:
    from collections.abc import Mapping


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
OTHER_LLAMAS = (
    "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Meta-Llama-3-70B-Instruct",
    "meta-llama/Meta-Llama-3-8B-Instruct",
)
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
        fallbacks=OTHER_LLAMAS,
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
