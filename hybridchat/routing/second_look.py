"""A second look at an answer whose confidence decides little: cheap questions to the local model, one after the other.

First it is asked whether its answer is right, of which one token is read (Kadavath et al., *Language models (mostly)
know what they know*, 2022: P(True)). If that does not settle it, one or two short answers are sampled and held against
the first (Wang et al., *Self-consistency*, 2023), where that can be done at all. Nothing of it leaves the machine.

How much each look moves the confidence is an assumption, chosen with care rather than fitted. Small models say yes to
nearly everything: of Qwen2.5-Coder 0.5B and 1.5B, asked about right and wrong answers to a few plain questions, neither
ever said no, and how probable the yes was told little. So a yes counts for nothing, a no against the answer; agreement
tells more, disagreement most.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp, log

from hybridchat.messages import ChatMessage, Confidence, Role, TokenLogprob
from hybridchat.routing.agreement import agrees, comparable
from hybridchat.routing.calibration import logistic
from hybridchat.routing.thresholds import GREY

SAMPLES = 2
SAMPLE_TOKENS = 32
SAMPLE_TEMPERATURE = 0.7

_TRUST = 0.5
"""How much of the logit of a no counts."""

_NO_AT_MOST = 0.7
_AGREEMENT = 0.8
_DISAGREEMENT = -1.2
"""Shifts of the confidence's logit."""

_SAID_YES, _SAID_NO = 0.7, 0.3
"""What a bare word counts as, where the server gives no probability with it."""

_YES = frozenset({"yes", "true", "correct", "ja", "oui", "sí", "si", "sim", "да"})
_NO = frozenset({"no", "false", "incorrect", "wrong", "nein", "non", "não", "нет"})
_LETTERS = re.compile(r"[^\W\d_]+")

_IS_IT_RIGHT = "Is the answer above correct? Reply with one word only: Yes or No."
_BRIEFLY = "Reply with the final answer only, in as few words as possible."


class Look(StrEnum):
    """What the local model is asked."""

    P_TRUE = "p_true"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class Looks:
    """What the second looks at one answer have shown so far.

    ``confidence`` is that of the answer's end, moved by each look; ``threshold`` the one that it is held against.
    ``p_true`` is None until it is known; ``has_logprobs`` says whether a probability came with it.
    """

    answer: str
    confidence: Confidence
    threshold: float
    p_true: float | None = None
    has_logprobs: bool = True
    agreed: tuple[bool, ...] = ()
    tried: tuple[Look, ...] = ()

    @property
    def next(self) -> Look | None:
        """What to ask next; None where it is settled, or nothing more would help."""
        if abs(self.confidence.value - self.threshold) > GREY:
            return None
        if Look.P_TRUE not in self.tried:
            return Look.P_TRUE
        return Look.SAMPLE if self.tried.count(Look.SAMPLE) < SAMPLES and comparable(self.answer) else None

    def after_p_true(self, text: str, tokens: Sequence[TokenLogprob]) -> Looks:
        """Take in the one token that answers whether the answer is right; what is neither yes nor no says nothing."""
        tried = (*self.tried, Look.P_TRUE)
        p = p_true(text, tokens)
        if p is None:
            return replace(self, tried=tried)
        shift = max(-_NO_AT_MOST, min(0.0, _TRUST * _logit(p)))
        moved = self._moved(shift) if shift else self
        return replace(moved, p_true=p, has_logprobs=bool(tokens), tried=tried)

    def after_sample(self, sample: str) -> Looks:
        """Take in a short answer to the same question; where it cannot be compared, it says nothing."""
        tried = (*self.tried, Look.SAMPLE)
        same = agrees(self.answer, sample)
        if same is None:
            return replace(self, tried=tried)
        return replace(self._moved(_AGREEMENT if same else _DISAGREEMENT), agreed=(*self.agreed, same), tried=tried)

    @property
    def advises(self) -> bool:
        """Whether the remote model would have been asked, had this been known."""
        return self.confidence.value < self.threshold

    @property
    def signals(self) -> dict[str, float]:
        """What was seen, by name."""
        seen = {} if self.p_true is None else {"p_true": self.p_true}
        return seen | ({"samples": float(len(self.agreed)), "agreed": float(sum(self.agreed))} if self.agreed else {})

    @property
    def reason(self) -> str:
        """Say what was seen and where it leads."""
        said = []
        if self.p_true is not None:
            word = "yes" if self.p_true >= 0.5 else "no"
            how = f" ({self.p_true:.0%})" if self.has_logprobs else " (the server gives no probability with it)"
            said.append(f"asked whether it is right, the local model says {word}{how}")
        if self.agreed:
            same = sum(self.agreed)
            said.append(f"{same} of {len(self.agreed)} other short answers of it agree")
        if not said:
            said.append("nothing came of it")
        end = "the remote model may be worth asking" if self.advises else "the answer stands"
        return f"a second look: {', '.join(said)}: {self.confidence.value:.0%}; {end}"

    def _moved(self, shift: float) -> Looks:
        value = logistic(_logit(self.confidence.value) + shift)
        return replace(self, confidence=replace(self.confidence, value=value, calibrated=False))


def is_it_right(prompt: Sequence[ChatMessage], answer: str) -> tuple[ChatMessage, ...]:
    """Return the question whether ``answer`` to ``prompt`` is right; it begins as the conversation does."""
    return (*prompt, ChatMessage(Role.ASSISTANT, answer), ChatMessage(Role.USER, _IS_IT_RIGHT))


def briefly(prompt: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Return ``prompt`` as one that is to be answered in a few words."""
    last = prompt[-1]
    return (*prompt[:-1], replace(last, content=f"{last.content}\n\n{_BRIEFLY}"))


def p_true(text: str, tokens: Sequence[TokenLogprob]) -> float | None:
    """Return the probability that stands behind a yes or a no; None where the model says neither.

    Only the chosen word's probability is known: what is missing from 1 is counted for the other.
    """
    found = _LETTERS.search(text)
    word = found.group().casefold() if found else ""
    if word not in _YES | _NO:
        return None
    if not tokens:
        return _SAID_YES if word in _YES else _SAID_NO
    likely = exp(min(0.0, tokens[0].logprob))
    return likely if word in _YES else 1 - likely


def _logit(p: float) -> float:
    p = max(1e-6, min(1 - 1e-6, p))
    return log(p / (1 - p))
