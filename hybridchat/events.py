"""What a turn tells its consumer, in the order in which things happen.

Every face of the program (screen, plain text, JSON Lines, replay, tests) reads these and nothing else. A turn
always ends with exactly one ``Finished`` or ``Failed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hybridchat.messages import ChatMessage, Confidence, Place, Provenance, Status, TokenLogprob
from hybridchat.messages import HandOver as HandOver  # noqa: PLC0414 -- others know it from here


@dataclass(frozen=True, slots=True)
class Routed:
    """The turn has begun: who answers first, and why.

    ``can_escalate`` is false where no remote answer can follow, so that text may be written at once to a stream
    that cannot be taken back.
    """

    conversation_id: str
    user_message_id: str
    place: Place
    reason: str
    can_escalate: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """A model has taken the request; its answer will be ``message_id``.

    ``stand_in`` holds a sentence where a small stand-in answers instead of the model that was asked for.
    """

    message_id: str
    place: Place
    endpoint: str
    model: str
    stand_in: str = ""


@dataclass(frozen=True, slots=True)
class Loading:
    """The model is being loaded or the server is busy; no token can come yet."""

    place: Place
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of streamed text, already safe for a terminal, with its tokens' logprobs if any.

    ``thinking`` marks text of a reasoning channel, which is no part of the answer.
    """

    message_id: str
    place: Place
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()
    thinking: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """The local answer's confidence, read at ``tokens`` answer tokens (a checkpoint, or the end).

    ``threshold`` is the confidence below which the policy escalates here; None where it cannot. ``signals`` are
    the numbers it was read from.
    """

    message_id: str
    tokens: int
    confidence: Confidence
    threshold: float | None = None
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetAside:
    """The local answer is void: ``message_id`` is kept, but another answer takes its place."""

    message_id: str
    tokens: int
    confidence: Confidence | None
    reason: str


@dataclass(frozen=True, slots=True)
class Part:
    """A message, or data attached to one, that can be left out by itself; ``tokens`` is an estimate."""

    id: str
    label: str
    tokens: int
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Replacement:
    """``original[start:end]`` of a message is ``redacted[placeholder_start:placeholder_end]``; in characters."""

    kind: str
    start: int
    end: int
    placeholder_start: int
    placeholder_end: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Exactly what would leave the machine: the messages before and after redaction, and where they would go.

    ``redactions`` counts placeholders by kind; ``bytes`` is the size of the request body; ``tokens`` and ``cost``
    (US dollars, None without a known price) are estimates from above: it costs at most that. ``replacements`` says, a
    tuple for each message, what was replaced where. ``proxy`` is the host on the way that sees where to, but not what;
    empty for none.

    The rest is what can be changed by a ``Revise``: the hand-over ``form`` out of ``forms``; how many of the
    conversation's earlier ``turns`` are left out, oldest first; and the ``parts``. ``note`` is a sentence about why the
    question is asked again, or why it is not as it was asked for.
    """

    endpoint: str
    url: str
    model: str
    original: tuple[ChatMessage, ...]
    redacted: tuple[ChatMessage, ...]
    redactions: Mapping[str, int]
    bytes: int
    tokens: int
    cost: float | None
    reason: str
    replacements: tuple[tuple[Replacement, ...], ...] = ()
    form: HandOver = HandOver.VERBATIM
    forms: tuple[HandOver, ...] = (HandOver.VERBATIM,)
    turns: int = 0
    turns_left_out: int = 0
    parts: tuple[Part, ...] = ()
    note: str = ""
    proxy: str = ""


@dataclass(frozen=True, slots=True)
class ConsentRequested:
    """Something would leave the machine: answer with a ``Consent`` or a ``Revise`` through ``Turn.answer``."""

    outgoing: Outgoing


class Consent(StrEnum):
    """What the user says to an ``Outgoing``."""

    SEND = "send"
    ALWAYS = "always"  # send, and do not ask again in this conversation
    STAY_LOCAL = "stay_local"


@dataclass(frozen=True, slots=True)
class Revise:
    """Another answer to an ``Outgoing``: prepare it otherwise, and ask again. Nothing is sent.

    ``turns_left_out`` and ``left_out`` (the ids of all parts to leave out) replace what held before; None leaves it.
    ``redact`` adds words or phrases that become placeholders, in this conversation from now on.
    """

    turns_left_out: int | None = None
    left_out: tuple[str, ...] | None = None
    redact: tuple[str, ...] = ()
    form: HandOver | None = None


Reply = Consent | Revise | str | None
"""An answer to a question of a turn; a ``str`` names a model, None is a refusal."""


@dataclass(frozen=True, slots=True)
class ModelChoiceRequested:
    """The remote server does not serve the model: answer with one of ``alternatives``, or None for none."""

    endpoint: str
    unavailable: str
    alternatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Escalated:
    """The remote model answers now, in ``message_id``, as a sibling of ``from_message_id`` (None if there is none)."""

    message_id: str
    from_message_id: str | None
    endpoint: str
    model: str
    reason: str
    redactions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptLocal:
    """An escalation was wanted but did not happen: the local answer stands or goes on. ``code`` names the cause."""

    message_id: str | None
    reason: str
    code: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ContextTrimmed:
    """The oldest ``turns`` (``messages``) are left out: they do not fit, or (``window`` 0) the user wants it so."""

    place: Place
    turns: int
    messages: int
    window: int


@dataclass(frozen=True, slots=True)
class ContextCondensed:
    """The model is given a summary of the oldest ``turns`` (``messages`` of them); nothing of them is deleted."""

    place: Place
    turns: int
    messages: int
    tokens_before: int
    tokens_after: int


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The remote model asks about a document that it was not sent; told again once the local model has answered.

    ``number`` counts from 1; ``answer`` is None while it is looked for. What it says is data: it is shown, and answered
    from ``document`` alone.
    """

    number: int
    document: str
    question: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The turn is over and ``message_id`` is its answer.

    ``notes`` are sentences the user should see. ``exit_code`` is how a one-shot process should end: 0, 10 (the local
    answer is below the confidence asked for) or 74 (answered, but not saved).
    """

    message_id: str
    text: str
    status: Status
    provenance: Provenance
    notes: tuple[str, ...] = ()
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn is over without an answer; ``message_id`` is what came before the failure, if anything did."""

    code: str
    message: str
    hint: str
    exit_code: int
    message_id: str | None = None
    text: str = ""


Event = (
    Routed
    | Opened
    | Loading
    | Delta
    | Measured
    | SetAside
    | ConsentRequested
    | ModelChoiceRequested
    | Escalated
    | KeptLocal
    | ContextTrimmed
    | ContextCondensed
    | FollowUp
    | Finished
    | Failed
)
