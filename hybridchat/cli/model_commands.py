"""What the commands of ``hybridchat models`` do."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from hybridchat.backends.embedded.state import stop_servers
from hybridchat.backends.model_files import files as model_files
from hybridchat.backends.model_files.catalogue import DEFAULT, readable_size
from hybridchat.backends.model_files.catalogue import find as find_embedded
from hybridchat.backends.model_files.permission import download_forbidden
from hybridchat.backends.ollama.models import InstalledModel, OllamaModels
from hybridchat.cli import wiring
from hybridchat.cli.listing import Record, show_records, tell
from hybridchat.cli.models import Holder
from hybridchat.cli.progress import PullProgress
from hybridchat.config import paths
from hybridchat.config.loading import load
from hybridchat.config.settings import Settings
from hybridchat.errors import BackendError, ModelMissing, UsageError
from hybridchat.phrases import counted


def show_all(*, as_json: bool) -> None:
    """Print all models; an Ollama that does not run hides nothing else."""
    settings = load().settings
    try:
        in_ollama, loaded = asyncio.run(_in_ollama(settings))
    except BackendError as error:
        in_ollama, loaded = (), frozenset()
        if not as_json:
            tell(f"{error.message}: its models are not listed")
    records: list[Record] = [
        {"name": one.name, "in": Holder.OLLAMA, "size": one.size, "loaded": one.name in loaded, "digest": one.digest}
        for one in in_ollama
    ]
    records += [
        {"name": one.name, "in": Holder.EMBEDDED, "size": one.size, "path": str(one.path), "sha256": one.sha256}
        for one in model_files.list_installed(paths.models_folder(settings.store))
    ]
    if not as_json:
        records = [{**record, "size": readable_size(int(str(record["size"])))} for record in records]
    columns = ("name", "in", "size", "loaded", "path")
    show_records(records, columns, as_json=as_json, empty="there is no model yet: try `hybridchat models pull phi3.5`")


async def _in_ollama(settings: Settings) -> tuple[tuple[InstalledModel, ...], frozenset[str]]:
    ollama = OllamaModels(wiring.ollama_endpoint(settings))
    return await ollama.list(), frozenset(one.name for one in await ollama.ps())


def pull(name: str, holder: Holder | None, *, allow_download: bool) -> None:
    """Fetch a model with progress on standard error."""
    fetch(name, holder, load().settings, allow_download=allow_download)


def fetch(name: str, holder: Holder | None, settings: Settings, *, allow_download: bool = False) -> None:
    """Fetch a model as ``settings`` say; ``allow_download`` answers the data policy, and does not lift offline mode.

    Raises ``Blocked`` where nothing may be fetched, and whatever fetching raises.
    """
    if not name.strip():
        raise UsageError("no model is named", hint="Name one, such as phi3.5.")
    holder = holder or asyncio.run(_best_holder(name, settings))
    forbidden_by = wiring.downloads_forbidden_by(settings, allowed=allow_download)
    with PullProgress() as progress:
        if holder is Holder.OLLAMA:
            if forbidden_by:
                raise download_forbidden(forbidden_by, name)
            asyncio.run(_pull_into_ollama(name, settings, progress))
        else:
            model_files.pull(
                name,
                paths.models_folder(settings.store),
                lambda step: progress.step(step.stage, step.done, step.total),
                forbidden_by=forbidden_by,
            )
    tell(f"{name} is ready ({holder})")


async def _pull_into_ollama(name: str, settings: Settings, progress: PullProgress) -> None:
    async with aclosing(OllamaModels(wiring.ollama_endpoint(settings)).pull(name)) as steps:
        async for step in steps:
            progress.step(step.status, step.completed, step.total or None)


async def _best_holder(name: str, settings: Settings) -> Holder:
    """Return the configured one; else Ollama for what the embedded engine does not know, and for the default model."""
    if settings.local.backend in set(Holder):
        return Holder(settings.local.backend)
    try:
        model = find_embedded(name)
    except ModelMissing:
        return Holder.OLLAMA
    if model is DEFAULT and await OllamaModels(wiring.ollama_endpoint(settings)).running():
        return Holder.OLLAMA
    return Holder.EMBEDDED


def show(name: str, holder: Holder | None, *, as_json: bool) -> None:
    """Print what is known about a model, a fact a line."""
    settings = load().settings
    record: Record
    if (holder or _holder_of(name, settings)) is Holder.EMBEDDED:
        found = model_files.installed(name, paths.models_folder(settings.store))
        if found is None:
            raise ModelMissing(
                f"{name} is not on this machine", endpoint="embedded", hint=f"Run `hybridchat models pull {name}`."
            )
        record = {"name": found.name, "path": str(found.path), "size": found.size, "sha256": found.sha256}
    else:
        shown = asyncio.run(OllamaModels(wiring.ollama_endpoint(settings)).show(name))
        record = {
            "name": shown.name,
            "architecture": shown.architecture,
            "parameters": shown.parameters,
            "quantization": shown.quantization,
            "context_length": shown.context_length,
            "capabilities": shown.capabilities,
            "settings": shown.settings,
            "license": shown.license,
        }
    if as_json:
        show_records([record], (), as_json=True, empty="")
    else:
        facts = [{"fact": key, "value": value} for key, value in record.items() if value]
        show_records(facts, ("fact", "value"), as_json=False, empty="")


def remove(name: str, holder: Holder | None) -> None:
    """Delete a model."""
    settings = load().settings
    holder = holder or _holder_of(name, settings)
    if holder is Holder.EMBEDDED:
        model_files.remove(name, paths.models_folder(settings.store))
    else:
        asyncio.run(OllamaModels(wiring.ollama_endpoint(settings)).remove(name))
    tell(f"{name} is removed ({holder})")


def _holder_of(name: str, settings: Settings) -> Holder:
    """Return the embedded engine for what it has on disk, and for what only it can have; else Ollama."""
    try:
        known = find_embedded(name)
    except ModelMissing:
        return Holder.OLLAMA
    if model_files.installed(name, paths.models_folder(settings.store)) or known is not DEFAULT:
        return Holder.EMBEDDED
    return Holder.OLLAMA if asyncio.run(OllamaModels(wiring.ollama_endpoint(settings)).running()) else Holder.EMBEDDED


def stop() -> None:
    """End the embedded engine's servers, whatever model each holds."""
    ended = stop_servers(paths.runtime_folder())
    tell(f"stopped: {counted(ended, 'embedded server')}" if ended else "no embedded server was running")
