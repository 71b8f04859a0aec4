"""Escalates where it is expected to buy something: on gain, not on doubt.

With ``p`` the confidence in the local answer, ``a`` and ``b`` the remote model's share of right answers where the
local one was right and wrong, an escalation is expected to gain ``a*p + b*(1-p) - p``. It is worth it when that is
more than its price, which the bias sets: that is, when ``p < (b - price) / (1 - a + b)``.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from hybridchat.config.settings import Bias
from hybridchat.messages import Confidence, FinishReason, Place, TokenLogprob
from hybridchat.routing.answer_signals import AnswerSignals
from hybridchat.routing.estimator import Estimator
from hybridchat.routing.policy import Action, Decision, Question
from hybridchat.routing.prior import CHECKPOINTS, END, Prior, Remote, shipped
from hybridchat.routing.question_features import question_features

PRICES = {Bias.LOCAL: 0.25, Bias.BALANCED: 0.1, Bias.QUALITY: 0.02}
"""The gain in probability that an escalation must be expected to bring."""

SCORED = 8
"""Answer tokens that must have been scored before doubt alone may set an answer aside."""

_TRIGGERS = {
    "refusal": "the local model declines or does not know",
    "loop": "the local model repeats itself",
    "empty": "the local model gave no answer",
    "broken_json": "the local model's JSON is invalid",
}


class GainPolicy:
    """The routing policy: the user's choice, then what fits, then the expected gain."""

    def __init__(self, prior: Prior | None = None, bias: Bias = Bias.BALANCED) -> None:
        self._prior = prior or shipped()
        self._price = PRICES[bias]

    def pre(self, question: Question) -> Decision:
        """Decide by the explicit choice, else by capability; how hard a question looks decides nothing.

        An explicit choice is returned as it is, even where ``can_escalate`` is false: whoever asks for the remote
        model must be refused it, not be answered by another one unawares.
        """
        signals = question_features(question.text)
        action, reason = _before(question)
        return Decision(action, reason, signals=signals)

    def watch(self, question: Question) -> GainWatch:
        """Follow the local answer to ``question``."""
        return GainWatch(question, self._prior, self._price)


def _before(question: Question) -> tuple[Action, str]:
    why_not = f": {question.why_not}" if question.why_not else ""
    match question.choice:
        case Place.REMOTE if question.can_escalate:
            return Action.REMOTE, "you asked for the remote model"
        case Place.REMOTE:
            return Action.REMOTE, f"you asked for the remote model, which cannot be used{why_not}"
        case Place.LOCAL:
            return Action.LOCAL, "you asked for the local model"
    if question.fits_local:
        return Action.LOCAL, "the local model answers first"
    if question.can_escalate:
        return Action.REMOTE, "the prompt is too long for the local model"
    return Action.LOCAL, f"the prompt is too long for the local model, but the remote one cannot be used{why_not}"


def gain(confidence: float, remote: Remote) -> float:
    """Return P(remote right) - P(local right), given the confidence in the local answer."""
    return remote.if_local_right * confidence + remote.if_local_wrong * (1 - confidence) - confidence


def worthwhile_below(price: float, remote: Remote) -> float:
    """Return the confidence below which the gain is more than ``price``, 0 (never) to 1 (always)."""
    slope = 1 - remote.if_local_right + remote.if_local_wrong
    if slope <= 0:  # a remote model that is always right where the local one is, and never elsewhere
        return 0.0
    return max(0.0, min(1.0, (remote.if_local_wrong - price) / slope))


class GainWatch:
    """Follows one local answer: measures at checkpoints, and says once when to bring in the remote model.

    Give it the answer's text and tokens only, not those of a thinking channel.
    """

    def __init__(self, question: Question, prior: Prior, price: float) -> None:
        self._estimator = Estimator(prior)
        self._remote = prior.remote
        self._worthwhile = worthwhile_below(price, prior.remote)
        self._can_escalate = question.can_escalate and question.choice is not Place.LOCAL
        self._min_confidence = question.min_confidence
        self._answer = AnswerSignals(question.text)
        self._checkpoint = 0
        self._next = 1
        self._told = False
        self._failing = False

    def observe(self, text: str, logprobs: Sequence[TokenLogprob]) -> Decision | None:
        """Take in a piece; decide at checkpoints, and at once where a refusal or a loop shows.

        After the first ``ESCALATE`` it goes on measuring, but leaves it at ``CONTINUE`` until ``post``.
        """
        answer = self._answer
        answer.add_text(text)
        decisions = []
        for token in logprobs:
            answer.add_token(token)
            decisions.append(self._at_checkpoint())
        if not answer.scored:
            decisions.append(self._at_checkpoint())
        if self._can_escalate and not self._failing and (answer.text.refuses or answer.text.loops):
            self._failing = True
            decisions.append(self._decide(str(self._checkpoint), answer.snapshot(), self._worthwhile, Action.CONTINUE))
        taken = [decision for decision in decisions if decision is not None]
        escalations = (decision for decision in taken if decision.action is Action.ESCALATE)
        return next(escalations, taken[-1] if taken else None)

    def post(self, finish_reason: FinishReason) -> Decision:
        """Decide about the whole answer; where ``min_confidence`` was asked for, no answer below it is kept.

        Without logprobs hardly anything is known, least of all the gain: then only a plain sign of failure or
        ``min_confidence`` escalates.
        """
        signals = self._answer.finished(finish_reason)
        thresholds = [] if self._min_confidence is None else [self._min_confidence]
        if self._answer.scored or any(signals[name] for name in _TRIGGERS):
            thresholds.append(self._worthwhile)
        return self._decide(END, signals, max(thresholds, default=None), Action.KEEP)

    def _at_checkpoint(self) -> Decision | None:
        count = self._answer.count
        if count < self._next:
            return None
        passed = bisect_right(CHECKPOINTS, count)
        self._checkpoint = checkpoint = CHECKPOINTS[passed - 1]
        self._next = CHECKPOINTS[passed] if passed < len(CHECKPOINTS) else sys.maxsize
        signals = self._answer.snapshot()
        abort_below = self._estimator.abort_below(signals, str(checkpoint))
        may_abort = abort_below is not None and count >= SCORED
        threshold = min(abort_below, self._worthwhile) if may_abort and abort_below is not None else None
        return self._decide(str(checkpoint), signals, threshold, Action.CONTINUE)

    def _decide(
        self, checkpoint: str, signals: Mapping[str, float], threshold: float | None, otherwise: Action
    ) -> Decision:
        confidence = self._estimator.confidence(signals, checkpoint)
        unsure = threshold is not None and confidence.value < threshold
        escalate = unsure and self._can_escalate and not (self._told and otherwise is Action.CONTINUE)
        self._told = self._told or escalate
        return Decision(
            Action.ESCALATE if escalate else otherwise,
            self._reason(confidence, signals, checkpoint, unsure=unsure),
            confidence,
            threshold if self._can_escalate else None,
            gain(confidence.value, self._remote),
            self._answer.count,
            signals,
        )

    def _reason(self, confidence: Confidence, signals: Mapping[str, float], checkpoint: str, *, unsure: bool) -> str:
        for name, sentence in _TRIGGERS.items():
            if signals.get(name):
                return f"{sentence}: {confidence.value:.0%} likely to be right"
        when = "at the end" if checkpoint == END else f"after {_tokens(self._answer.count)}"
        if not unsure and checkpoint != END:
            return f"the local model goes on: {confidence.value:.0%} likely to be right {when}"
        if confidence.basis == "text" and not unsure:
            return (
                f"the local answer shows no sign of failure, but the server gives no logprobs: {confidence.value:.0%}"
            )
        if not unsure:
            return f"the local model is sure enough: {confidence.value:.0%} {when}"
        return f"the local model is unsure: {confidence.value:.0%} {when}{self._doubt(confidence)}"

    def _doubt(self, confidence: Confidence) -> str:
        if confidence.basis == "text":
            return " (read from the text alone)"
        token = "".join(filter(str.isprintable, self._answer.least_sure)).strip()[:24]
        return f" (least sure of '{token}')" if token else ""


def _tokens(count: int) -> str:
    return "1 token" if count == 1 else f"{count} tokens"
