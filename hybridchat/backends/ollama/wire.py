"""The objects of Ollama's native API, as far as hybridchat reads and writes them.

Every field of an answer but the obvious ones may be missing, and unknown ones are ignored. Source: ``api/types.go``
of the Ollama server. Durations are nanoseconds, sizes are bytes.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Byte = Annotated[int, Meta(ge=0, le=255)]


class SentMessage(Struct, frozen=True):
    """A message of the conversation."""

    role: str
    content: str


class ChatBody(Struct, frozen=True, omit_defaults=True):
    """The body of ``POST /api/chat``.

    ``truncate`` and ``shift`` are always false (0.12.4; older servers ignore them): nothing may be dropped silently,
    and a change of ``shift`` would load the model anew.
    """

    model: str
    messages: tuple[SentMessage, ...]
    stream: bool
    truncate: bool
    shift: bool
    options: dict[str, int | float] = {}
    keep_alive: int | str | None = None
    logprobs: bool = False
    top_logprobs: int = 0


class ReadAlternative(Struct, frozen=True):
    """One of the most likely tokens at a position."""

    logprob: float


class ReadLogprob(Struct, frozen=True):
    """A sampled token (0.12.11); ``bytes`` are its exact bytes."""

    token: str
    logprob: float
    bytes: tuple[Byte, ...] | None = None
    top_logprobs: tuple[ReadAlternative, ...] | None = None


class ReadMessage(Struct, frozen=True):
    """The part of an answer that a chunk carries; ``thinking`` is a reasoning channel."""

    content: str | None = None
    thinking: str | None = None


class Chunk(Struct, frozen=True):
    """One line of an answer; the last has ``done``. ``error`` takes the place of all else."""

    model: str | None = None
    message: ReadMessage | None = None
    logprobs: tuple[ReadLogprob, ...] | None = None
    done: bool = False
    done_reason: str | None = None
    load_duration: int | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    remote_host: str | None = None
    remote_model: str | None = None
    error: str | None = None


class Details(Struct, frozen=True):
    """What kind of model it is."""

    family: str | None = None


class Tag(Struct, frozen=True):
    """An installed model; the ``remote_`` fields mark a stub that is answered elsewhere.

    ``capabilities`` (``completion``, ``embedding`` ...) since 0.30.
    """

    name: str = ""
    model: str = ""
    digest: str | None = None
    size: int | None = None
    remote_host: str | None = None
    remote_model: str | None = None
    capabilities: tuple[str, ...] | None = None
    details: Details | None = None

    @property
    def any_name(self) -> str:
        """The name, in whichever field the server put it."""
        return self.model or self.name

    @property
    def is_remote(self) -> bool:
        """Whether another host answers."""
        return bool(self.remote_host or self.remote_model)


class Tags(Struct, frozen=True):
    """The answer of ``GET /api/tags``."""

    models: tuple[Tag, ...] | None = None


class Loaded(Struct, frozen=True):
    """A model in memory; ``context_length`` since 0.10.0."""

    name: str = ""
    model: str = ""
    context_length: int | None = None

    @property
    def any_name(self) -> str:
        """The name, in whichever field the server put it."""
        return self.model or self.name


class LoadedModels(Struct, frozen=True):
    """The answer of ``GET /api/ps``."""

    models: tuple[Loaded, ...] | None = None


class Version(Struct, frozen=True):
    """The answer of ``GET /api/version``."""

    version: str


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the readers below raise for bytes that are no JSON, JSON of another shape, no UTF-8, or endless nesting."""

read_chunk = msgspec.json.Decoder(Chunk).decode
read_tags = msgspec.json.Decoder(Tags).decode
read_loaded = msgspec.json.Decoder(LoadedModels).decode
read_version = msgspec.json.Decoder(Version).decode
