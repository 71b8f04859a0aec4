"""Replays recorded answers through the policy that runs live, token by token.

Nothing is imitated: a trace is fed to the very ``Policy`` and ``Watch`` that a turn uses, so that what is measured is
what ships.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from hybridchat.evaluation.traces import LocalTrace, Trace
from hybridchat.messages import TokenLogprob
from hybridchat.routing.policy import Action, Decision, LocalModel, Policy, Question

_WORDS = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True, slots=True)
class Replayed:
    """A trace and every decision that the policy took on it.

    ``path`` holds the decisions while the answer streamed, in order, and goes on after the first escalation: the policy
    measures on, as it does live while the remote model is being reached. ``end`` is the one about the whole answer; of
    an answer that was cut short when it was recorded, the last one that was taken.
    """

    trace: Trace
    before: Decision
    path: tuple[Decision, ...]
    end: Decision

    @property
    def escalation(self) -> Decision | None:
        """The first decision for the remote model, None where the local answer stands."""
        if self.before.action is Action.REMOTE:
            return self.before
        decisions = chain(self.path, [self.end])
        return next((decision for decision in decisions if decision.action is Action.ESCALATE), None)

    @property
    def bails_out(self) -> bool:
        """Whether the local answer was cut short: it was still being written when the remote model was asked."""
        escalation = self.escalation
        return escalation is not None and any(escalation is decision for decision in self.path)

    @property
    def tokens(self) -> int:
        """The length of the local answer in tokens."""
        return self.end.tokens

    @property
    def confidence(self) -> float:
        """The probability that the whole local answer is right."""
        return confidence_of(self.end)

    @property
    def has_logprobs(self) -> bool:
        """Whether the confidence was read from logprobs."""
        return bool(self.trace.local.tokens)

    def confidence_at(self, tokens: int) -> float | None:
        """Return the confidence that is known after ``tokens`` tokens; None before the first checkpoint.

        An answer that is over by then counts with its final confidence.
        """
        if self.end.tokens <= tokens:
            return self.confidence
        known = [decision for decision in self.path if decision.tokens <= tokens and decision.confidence]
        return confidence_of(known[-1]) if known else None

    @property
    def worth(self) -> float:
        """The highest price at which the policy would ask for the remote model, at any point of the answer.

        Of a replay at the price 0: there the thresholds that remain are those that do not hang on the price.
        """
        early = [
            gain_of(decision)
            for decision in self.path
            if decision.threshold is not None and confidence_of(decision) < decision.threshold
        ]
        return max([*early, gain_of(self.end)])


def confidence_of(decision: Decision) -> float:
    """Return a decision's confidence; one that was taken without any is as unsure as can be."""
    return decision.confidence.value if decision.confidence else 0.5


def gain_of(decision: Decision) -> float:
    """Return the gain that a decision was taken on, 0 where none was known."""
    return decision.gain or 0.0


def replay(traces: Sequence[Trace], policy: Policy, min_confidence: float | None = None) -> list[Replayed]:
    """Replay all ``traces`` as if each were the first turn of a conversation that may ask the remote model."""
    return [replayed(trace, policy, min_confidence) for trace in traces]


def replayed(trace: Trace, policy: Policy, min_confidence: float | None = None) -> Replayed:
    """Replay one trace."""
    question = Question(trace.question, min_confidence=min_confidence)
    before = policy.pre(question)
    watch = policy.watch(replace(question, model=LocalModel(trace.local.model, trace.local.digest)))
    observed = (watch.observe(text, logprobs) for text, logprobs in pieces(trace.local))
    path = tuple(decision for decision in observed if decision)
    end = path[-1] if trace.local.cut_short and path else watch.post(trace.local.finish)
    return Replayed(trace, before, path, end)


def pieces(answer: LocalTrace) -> Iterator[tuple[str, tuple[TokenLogprob, ...]]]:
    """Yield an answer as it streamed: a token at a time, or a word at a time where the server gave no tokens.

    A token's text is taken from the answer's: tokens may hold halves of characters, and some servers leave tokens out.
    """
    if not answer.tokens:
        yield from ((word, ()) for word in _WORDS.findall(answer.text))
        return
    position = 0
    for token in answer.logprobs:
        end = position + len(token.token)
        yield answer.text[position:end], (token,)
        position = end
    if position < len(answer.text):
        yield answer.text[position:], ()
