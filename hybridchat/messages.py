"""What is kept: messages, the conversations they form, and where each answer came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class Role(StrEnum):
    """Who speaks in a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Place(StrEnum):
    """Where a model runs: on this machine (or a host declared trusted), or anywhere else."""

    LOCAL = "local"
    REMOTE = "remote"


class DataPolicy(StrEnum):
    """What may leave the machine, from the loosest to the strictest."""

    ALLOW = "allow"
    CONFIRM = "confirm"
    LOCAL_ONLY = "local-only"

    @property
    def strictness(self) -> int:
        """0 for ``allow``, 1 for ``confirm``, 2 for ``local-only``."""
        return list(DataPolicy).index(self)


def strictest(policies: Iterable[DataPolicy | None]) -> DataPolicy:
    """Return the strictest of the policies that are set; ``confirm`` where none is."""
    return max((p for p in policies if p is not None), key=lambda p: p.strictness, default=DataPolicy.CONFIRM)


class HandOver(StrEnum):
    """How a conversation is put before the remote model."""

    VERBATIM = "verbatim"  # as it stands
    CONDENSE = "condense"  # its earlier turns as a summary that the local model wrote
    DISTIL = "distil"  # as one self-contained question that the local model wrote
    EXTRACT = "extract"  # without its documents, of which the remote model may ask at most two questions


class Status(StrEnum):
    """How far a message has come."""

    STREAMING = "streaming"  # being written by a living process
    COMPLETE = "complete"  # said to its end
    PARTIAL = "partial"  # stopped, cut off or recovered after a crash
    SET_ASIDE = "set_aside"  # a local answer that an escalation replaced


class FinishReason(StrEnum):
    """Why a model stopped."""

    STOP = "stop"
    LENGTH = "length"  # the token limit or the context window was reached


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One sampled token.

    ``logprob`` is the natural logarithm of its probability; ``top`` holds the logprobs of the most likely
    tokens at this position, highest first (the sampled one included where it is among them); ``raw`` is the
    token's exact bytes where the server states them, since a token may be a part of a character.
    """

    token: str
    logprob: float
    top: tuple[float, ...] = ()
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the server counted them; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls of the remote model took, or may take: US dollars are None where no price is known."""

    calls: int = 0
    tokens: int = 0
    dollars: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Confidence:
    """The probability that an answer is acceptable.

    ``calibrated`` is true when it was fitted on this very model, false when it comes from the shipped prior.
    ``basis`` says what it was read from: ``logprobs``, or ``text`` where the server gives none.
    """

    value: float
    calibrated: bool = False
    basis: str = "logprobs"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a local answer's confidence was last read from, at ``tokens`` answer tokens.

    ``threshold`` is the confidence below which the remote model would have been asked, None where it could not be;
    ``signals`` are the numbers, as far as they are finite.
    """

    tokens: int
    threshold: float | None = None
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Why another answer took the place of a local one, ``tokens`` tokens after its beginning."""

    tokens: int
    reason: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer came from and why, kept with every answer.

    ``reason`` is a sentence for people. Times are seconds; ``cost`` is US dollars, None where no price is known.
    ``reading`` tells about the confidence of a local answer, ``withdrawal`` why one was set aside; ``redactions``
    counts by kind what was replaced by placeholders before a remote model saw it.
    """

    place: Place
    endpoint: str
    model: str
    reason: str
    digest: str | None = None
    confidence: Confidence | None = None
    usage: Usage = Usage()
    cost: float | None = None
    load_seconds: float | None = None
    first_token_seconds: float | None = None
    seconds: float | None = None
    finish_reason: FinishReason | None = None
    reading: Reading | None = None
    withdrawal: Withdrawal | None = None
    redactions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message as a model is given it."""

    role: Role
    content: str


GO_ON = "Go on exactly where you stopped, without repeating anything."
"""What a model is asked, in the user's place, to continue an answer that was stopped."""


@dataclass(frozen=True, slots=True)
class Message:
    """A node of a conversation's tree; ``parent_id`` is None at its root."""

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    content: str
    created_at: datetime
    status: Status = Status.COMPLETE
    provenance: Provenance | None = None

    @property
    def goes_on(self) -> bool:
        """Whether this is no word of the user's, but asks for the rest of the answer before it."""
        return self.role is Role.USER and self.content == GO_ON


@dataclass(frozen=True, slots=True)
class Conversation:
    """A tree of messages; ``head_id`` is the leaf that the user last stood on.

    ``remote_agreed`` answers data policy ``confirm`` for all its turns.
    """

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    head_id: str | None = None
    data_policy: DataPolicy | None = None
    remote_agreed: bool = False
