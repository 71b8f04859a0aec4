"""What a routing policy is asked and what it decides.

A policy decides before the local model starts (``pre``), while it streams (``Watch.observe``) and when it is done
(``Watch.post``); what the user made of earlier answers is turned into what was learned by ``feedback``. It is pure:
everything that has a state (what was spent, what was learned) comes in as a value, and the same object runs live and in
replay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from hybridchat.messages import Confidence, FinishReason, Place, TokenLogprob
from hybridchat.routing.learning import NOTHING, Label, Learned


class Action(StrEnum):
    """What to do next."""

    LOCAL = "local"  # pre: let the local model answer
    REMOTE = "remote"  # pre: ask the remote model at once
    CONTINUE = "continue"  # observe: let the local answer go on
    ESCALATE = "escalate"  # observe, post: bring in the remote model
    KEEP = "keep"  # post: the local answer stands


@dataclass(frozen=True, slots=True)
class LocalModel:
    """The model that answers: its name, and the digest of its exact weights where the server tells it."""

    name: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is known before anything is generated.

    ``choice`` is the user's explicit choice for this turn; ``can_escalate`` is false where data policy, offline mode,
    budget or a missing remote forbid it, and ``why_not`` says which; ``fits_local`` is false when the prompt is longer
    than the local context window even after trimming; ``earlier_turns`` counts the turns before this one.
    ``turns_since_remote`` is 1 where the answer before this question came from the remote model, 2 where the one before
    that did, and so on; None where none did. ``ahead`` is how far spending is ahead of the calendar, as a share of the
    month's budget. ``model`` and what was ``learned`` about it are known to ``watch`` only: the server names the model
    as it begins to answer.
    """

    text: str
    choice: Place | None = None
    can_escalate: bool = True
    why_not: str = ""
    fits_local: bool = True
    min_confidence: float | None = None
    earlier_turns: int = 0
    turns_since_remote: int | None = None
    ahead: float = 0.0
    model: LocalModel | None = None
    learned: Learned = NOTHING


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy decided and what it was read from.

    ``reason`` is a sentence for people. ``threshold`` is the confidence below which it escalates here, None where it
    cannot escalate. ``gain`` is P(remote acceptable) - P(local acceptable). ``tokens`` counts the answer tokens seen.
    ``score`` is the confidence before anything learned from use moved it. ``doubtful``: while the answer streams, it is
    near being set aside, so that a connection may be opened; at the end, it is kept and so near a threshold,
    ``look_again_at``, that a second look may be worth it.
    """

    action: Action
    reason: str
    confidence: Confidence | None = None
    threshold: float | None = None
    gain: float | None = None
    tokens: int = 0
    signals: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None
    doubtful: bool = False
    look_again_at: float | None = None


class Watch(Protocol):
    """Follows one local answer."""

    def observe(self, text: str, logprobs: Sequence[TokenLogprob]) -> Decision | None:
        """Take in a piece of the answer; return a decision (``CONTINUE`` or ``ESCALATE``) at checkpoints, else None."""
        ...

    def post(self, finish_reason: FinishReason) -> Decision:
        """Decide about the finished answer: ``KEEP`` or ``ESCALATE``."""
        ...


class Policy(Protocol):
    """Decides who answers a turn."""

    def pre(self, question: Question) -> Decision:
        """Decide before anything is generated: ``LOCAL`` or ``REMOTE``."""
        ...

    def watch(self, question: Question) -> Watch:
        """Return the object that follows the local answer to ``question``."""
        ...

    def scored_by(self, model: LocalModel) -> str:
        """Name what turns the signals of ``model`` into a score: labels of other scores teach nothing about it."""
        ...

    def feedback(self, labels: Sequence[Label]) -> Learned:
        """Return what the labels of earlier answers, in the order in which they came, teach about the next ones."""
        ...
