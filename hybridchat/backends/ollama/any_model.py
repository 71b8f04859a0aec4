"""Another chat model of the Ollama server, where the one that was asked for is not there."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from hybridchat.backends.ollama import wire
from hybridchat.backends.ollama.backend import OllamaBackend
from hybridchat.backends.ollama.checks import ask
from hybridchat.backends.ollama.errors import model_missing
from hybridchat.backends.ollama.names import is_cloud, short_name
from hybridchat.backends.protocol import Accepted, ChatRequest, StreamPart
from hybridchat.backends.transport.http import new_client
from hybridchat.config.settings import Endpoint

_EMBEDDING_FAMILIES = {"bert", "nomic-bert", "nomic-bert-moe", "xlm-roberta", "mpnet", "jina-bert-v2"}


class AnyOllamaModel:
    """Answers with a chat model that is on the server: the one that was installed or changed last.

    For users who have configured nothing: whoever names a model gets that model or an error. ``Accepted.stand_in`` says
    which one answers, and how to get the one that was meant.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._meant = endpoint
        self._backend: OllamaBackend | None = None

    @property
    def endpoint(self) -> Endpoint:
        """The configuration of the model that answers."""
        return self._backend.endpoint if self._backend else self._meant

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamPart, None]:
        """Answer ``request``; raises ``ModelMissing`` where the server has no chat model of its own."""
        if self._backend is None:
            self._backend = OllamaBackend(replace(self._meant, model=await self._choose()))
        async with aclosing(self._backend.stream(request)) as parts:
            async for part in parts:
                yield replace(part, stand_in=self._explained(part.model)) if isinstance(part, Accepted) else part

    def body(self, request: ChatRequest) -> bytes:
        """Return the exact request body."""
        return (self._backend or OllamaBackend(self._meant)).body(request)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._backend is not None:
            await self._backend.aclose()

    async def _choose(self) -> str:
        async with new_client(self._meant) as client:
            tags = await ask(client, self._meant, "/api/tags", wire.read_tags)
        for tag in tags.models or ():
            if _chats_here(tag):
                return short_name(tag.any_name)
        raise model_missing(self._meant)

    def _explained(self, model: str) -> str:
        return f"{model} answers: {self._meant.model} is not in Ollama. `ollama pull {self._meant.model}` gets it."


def _chats_here(tag: wire.Tag) -> bool:
    """Say whether a tag is a model that completes text on this machine; servers before 0.30 do not say what it can."""
    if tag.is_remote or is_cloud(tag.any_name):
        return False
    if tag.capabilities is not None:
        return "completion" in tag.capabilities
    family = tag.details.family if tag.details else None
    return family not in _EMBEDDING_FAMILIES and "embed" not in tag.any_name
