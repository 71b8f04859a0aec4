"""Looks at what could answer on this machine: Ollama, the embedded engine, and which of them would."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from contextlib import aclosing
from importlib import metadata
from urllib.parse import urlsplit

from hybridchat.backends.embedded.model import Served, check_engine, check_memory, choose
from hybridchat.backends.embedded.state import ServerFiles
from hybridchat.backends.loopback import is_loopback
from hybridchat.backends.model_files.catalogue import readable_size
from hybridchat.backends.model_files.files import list_installed
from hybridchat.backends.ollama.models import OllamaModels
from hybridchat.backends.ollama.names import full_name
from hybridchat.backends.openai_compatible.backend import OpenAICompatibleBackend
from hybridchat.backends.presets import local_endpoint
from hybridchat.backends.protocol import Accepted, Backend, ChatRequest
from hybridchat.cli import wiring
from hybridchat.cli.checkup.verdict import Case, Verdict, ok, problem, warning
from hybridchat.config import paths
from hybridchat.config.settings import Endpoint, Kind, Settings
from hybridchat.errors import BackendError, BadConfiguration, HybridChatError, ModelMissing, ServerFailed
from hybridchat.messages import ChatMessage, Role
from hybridchat.processes import without_secrets
from hybridchat.text import one_line

_LOGPROBS_SINCE = (0, 12, 11)
_TRUNCATE_SINCE = (0, 12, 4)
_RUNTIME = (
    "Install the OpenMP runtime: `apt-get install libgomp1` (Debian, Ubuntu), `dnf install libgomp` (Fedora), "
    "`apk add libgomp` (Alpine)."
)
_REINSTALL = "Install it again with `pip install --force-reinstall 'hybridchat[embedded]'`, or use Ollama."


async def ollama(case: Case) -> Verdict | None:
    """Say whether an Ollama server answers, and what its version can do."""
    if not _uses(case.settings, "ollama"):
        return None
    endpoint = wiring.ollama_endpoint(case.settings)
    if not _may_ask(endpoint.url, case):
        return ok(f"{endpoint.url} is not on this machine: not asked without --online")
    try:
        version = await OllamaModels(endpoint).version()
    except BackendError as error:
        return _missing(error, case.settings, "ollama")
    found = f"{version} at {endpoint.url}"
    numbers = tuple(map(int, re.findall(r"\d+", version)[:3]))
    lacks = [
        *(["no logprobs, so that confidence is read off the text alone"] if numbers < _LOGPROBS_SINCE else []),
        *(["prompts that are too long are cut in silence"] if numbers < _TRUNCATE_SINCE else []),
    ]
    if lacks:
        needed = ".".join(map(str, _LOGPROBS_SINCE))
        return warning(f"{found}: {'; '.join(lacks)}", f"Update Ollama to {needed} or newer.")
    return ok(f"{found}: gives logprobs, and refuses prompts that are too long instead of cutting them")


async def ollama_model(case: Case) -> Verdict | None:
    """Say whether the local model is in Ollama, and in memory."""
    settings = case.settings
    if not _uses(settings, "ollama"):
        return None
    endpoint = wiring.ollama_endpoint(settings)
    server = OllamaModels(endpoint)
    if not _may_ask(endpoint.url, case) or not await server.running():
        return None
    models, loaded = await server.list(), await server.ps()
    clouds = [model.name for model in models if model.cloud]
    noted = f"; on ollama.com, and no local models: {', '.join(clouds)}" if clouds else ""
    wanted = full_name(endpoint.model)
    model = next((one for one in models if full_name(one.name) == wanted), None)
    if model is None:
        others = ", ".join(one.name for one in models if not one.cloud) or "nothing"
        found = f"{endpoint.model} is not in Ollama, which has {others}{noted}"
        return _worse(settings, "ollama", found, f"Run `ollama pull {endpoint.model}`.")
    if model.cloud:
        return problem(
            f"{model.name} is answered by ollama.com, not by this machine", "Choose another model with local.model."
        )
    warm = any(full_name(one.name) == wanted for one in loaded)
    state = "in memory" if warm else "not in memory: the first answer waits until it is loaded"
    return ok(f"{model.name}, {readable_size(model.size)}, {state}{noted}")


async def embedded_engine(case: Case) -> Verdict | None:
    """Say whether the embedded engine's packages are there and can be loaded."""
    if not _uses(case.settings, "embedded"):
        return None
    try:
        check_engine()
        await _load_engine()
    except HybridChatError as error:
        return _missing(error, case.settings, "embedded")
    return ok(f"xllamacpp {metadata.version('xllamacpp')}")


async def embedded_models(case: Case) -> Verdict | None:
    """List the embedded engine's models on the disk."""
    if not _uses(case.settings, "embedded"):
        return None
    folder = paths.models_folder(case.settings.store)
    models = list_installed(folder)
    if not models:
        advice = "Run `hybridchat models pull phi3.5`, or `hybridchat models pull smollm2` for a small stand-in."
        return _worse(case.settings, "embedded", f"there is no model in {folder}", advice)
    return ok(", ".join(f"{model.name} ({readable_size(model.size)})" for model in models) + f" in {folder}")


async def memory(case: Case) -> Verdict | None:
    """Say whether the model that the embedded engine would take fits into memory, or runs already.

    Raises ``NotEnoughMemory``.
    """
    settings = case.settings
    if not _uses(settings, "embedded"):
        return None
    endpoint = wiring.embedded_backend(settings).endpoint
    try:
        check_engine()
        served = choose(endpoint, paths.models_folder(settings.store))
    except (BadConfiguration, ModelMissing):  # there is no engine, or nothing that it could load
        return None
    return _room(served, endpoint)


async def local_answer(case: Case) -> Verdict:
    """Say which local model would answer now, as far as that can be known without asking it anything."""
    settings = case.settings
    if (url := _server_url(settings)) and not _may_ask(url, case):
        return problem(
            f"not known: {urlsplit(url).hostname} is not on this machine", "Run `hybridchat doctor --online`."
        )
    backend = wiring.local_backend(settings)
    try:
        if isinstance(backend, OpenAICompatibleBackend):
            return await _of_server(backend)
        accepted = await _accepted(backend)
        if backend.endpoint.kind is Kind.EMBEDDED:
            await _load_engine()
            await memory(case)
    finally:
        await backend.aclose()
    found = f"{accepted.model}, by {'Ollama' if backend.endpoint.kind is Kind.OLLAMA else 'the embedded engine'}"
    return warning(found, accepted.stand_in) if accepted.stand_in else ok(found)


async def _accepted(backend: Backend) -> Accepted:
    """Return which model takes a question; the question itself is not put: a local backend says this first."""
    async with aclosing(backend.stream(ChatRequest((ChatMessage(Role.USER, "Hello"),), max_tokens=1))) as parts:
        async for part in parts:
            if isinstance(part, Accepted):
                return part
    raise ServerFailed("the local model says nothing", endpoint=backend.endpoint.name, hint="Start its server again.")


async def _of_server(backend: OpenAICompatibleBackend) -> Verdict:
    endpoint = backend.endpoint
    served = [model.id for model in await backend.served_models()]
    found = f"{endpoint.model}, by {endpoint.name} at {endpoint.url}"
    if endpoint.model in served or len(served) == 1:  # with a single model, servers take any name for it
        return ok(found)
    listed = ", ".join(served) or "no model"
    return warning(f"{found}, which lists {listed}", "Choose one of its models with local.model.")


def _room(served: Served, endpoint: Endpoint) -> Verdict:
    import psutil  # noqa: PLC0415 -- part of the embedded extra

    free = readable_size(int(psutil.virtual_memory().available))
    runtime = paths.runtime_folder()
    if runtime.is_dir():
        state = ServerFiles.of(runtime, served.name, served.path, served.window).read()
        if state is not None:
            return ok(f"{served.title} is loaded (process {state.pid}); {free} are free")
    check_memory(served, endpoint)
    return ok(f"{served.title} needs {readable_size(served.memory)}, {free} are free; no server is running")


async def _load_engine() -> None:
    """Load the engine's library in a process of its own, which a native crash ends instead of ours."""
    with tempfile.TemporaryDirectory(prefix="hybridchat-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import xllamacpp",
            env=without_secrets(),
            cwd=folder,  # Python looks for modules in the current folder first
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    if process.returncode == 0:
        return
    lines = said.decode(errors="replace").split("\n")
    reason = next((line for line in reversed(lines) if line.strip()), f"it ended with status {process.returncode}")
    raise ServerFailed(
        f"the embedded engine cannot be loaded: {one_line(reason, 200)}",
        endpoint="embedded",
        hint=_RUNTIME if "libgomp" in reason else _REINSTALL,
    )


def _uses(settings: Settings, backend: str) -> bool:
    return settings.local.backend in {"auto", backend}


def _missing(error: HybridChatError, settings: Settings, backend: str) -> Verdict:
    return _worse(settings, backend, error.message, error.hint)


def _worse(settings: Settings, backend: str, found: str, advice: str) -> Verdict:
    """Return a problem where only ``backend`` may answer, else a warning: another one may."""
    return (problem if settings.local.backend == backend else warning)(found, advice)


def _server_url(settings: Settings) -> str:
    if settings.local.backend == "embedded":
        return ""
    if _uses(settings, "ollama"):
        return wiring.ollama_endpoint(settings).url
    return local_endpoint(settings.local).url


def _may_ask(url: str, case: Case) -> bool:
    return case.online or is_loopback(url)
