"""Whether anything on this machine can answer, and how to get something that can: for a first start."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from hybridchat.backends.model_files.catalogue import DEFAULT, STAND_IN, Model, find
from hybridchat.backends.model_files.files import Progress, installed, pull
from hybridchat.backends.model_files.permission import download_forbidden
from hybridchat.config.settings import Endpoint
from hybridchat.errors import BackendError, HybridChatError, ModelMissing

ENGINE = ("xllamacpp", "psutil")
"""The packages of the embedded engine."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is: a model that can answer, a running Ollama, the embedded engine."""

    ready: bool
    ollama: bool
    engine: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that can be got: where to (``ollama`` or ``embedded``)."""

    model: Model
    holder: str


class LocalModels:
    """The models of this machine, for an endpoint of Ollama or of the embedded engine, or either (``auto``).

    ``ollama`` and ``embedded`` are None where that one is not used; with neither, some other server is, which manages
    its models itself.
    """

    def __init__(
        self,
        model: str,
        folder: Path,
        *,
        ollama: Callable[[], Endpoint] | None = None,
        embedded: bool = False,
        forbidden_by: str = "",
    ) -> None:
        self.model = model
        self._folder = folder
        self._ollama = ollama
        self._embedded = embedded
        self._forbidden_by = forbidden_by

    async def look(self) -> Found:
        """Look for a model that can answer."""
        if self._ollama is None and not self._embedded:
            return Found(ready=True, ollama=False, engine=False)
        return await asyncio.to_thread(self._look)  # what speaks to Ollama is dear to import

    def offers(self, found: Found) -> Sequence[Offer]:
        """Return what can be got, the quickest first."""
        offers = [Offer(STAND_IN, "embedded")] if found.engine and self.model == DEFAULT.name else []
        if found.ollama and self.model == DEFAULT.name:
            return [*offers, Offer(DEFAULT, "ollama")]
        wanted = self._wanted()
        return [*offers, Offer(wanted, "embedded")] if found.engine and wanted is not None else offers

    def get(self, offer: Offer, progress: Callable[[Progress], None]) -> None:
        """Get a model; blocks. An exception that ``progress`` raises stops it, and what was fetched is kept.

        Raises what ``model_files.pull`` and ``OllamaModels.pull`` raise, and ``Blocked`` where downloads are forbidden.
        """
        if offer.holder == "embedded":
            pull(offer.model.name, self._folder, progress, forbidden_by=self._forbidden_by)
        elif self._forbidden_by:
            raise download_forbidden(self._forbidden_by, offer.model.name)
        else:
            asyncio.run(self._get_into_ollama(offer.model.name, progress))

    def _look(self) -> Found:
        engine = self._embedded and all(importlib.util.find_spec(name) for name in ENGINE)
        runs, has = asyncio.run(self._ask_ollama()) if self._ollama is not None else (False, False)
        return Found(ready=has or (engine and self._has_file()), ollama=runs, engine=engine)

    def _has_file(self) -> bool:
        names = [self.model, STAND_IN.name] if self.model == DEFAULT.name else [self.model]
        try:
            return any(installed(name, self._folder) for name in names)
        except HybridChatError:
            return False

    def _wanted(self) -> Model | None:
        try:
            model = find(self.model)
        except ModelMissing:
            return None
        return model if isinstance(model, Model) else None

    async def _ask_ollama(self) -> tuple[bool, bool]:
        from hybridchat.backends.ollama.models import OllamaModels  # noqa: PLC0415 -- dear to import
        from hybridchat.backends.ollama.names import full_name  # noqa: PLC0415 -- the same

        assert self._ollama is not None
        try:
            models = await OllamaModels(self._ollama()).list()
        except BackendError:
            return False, False
        return True, full_name(self.model) in {full_name(model.name) for model in models}

    async def _get_into_ollama(self, name: str, progress: Callable[[Progress], None]) -> None:
        from hybridchat.backends.ollama.models import OllamaModels  # noqa: PLC0415 -- dear to import

        assert self._ollama is not None
        async with aclosing(OllamaModels(self._ollama()).pull(name)) as steps:
            async for step in steps:
                progress(Progress(step.status, step.completed, step.total or None))
