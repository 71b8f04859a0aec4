"""Escalates where it is expected to buy something: on gain, not on doubt (``worth`` has the arithmetic)."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hybridchat.config.settings import Bias
from hybridchat.messages import Confidence, FinishReason, Place, TokenLogprob
from hybridchat.routing.answer_signals import AnswerSignals
from hybridchat.routing.estimator import Estimator, remote_given
from hybridchat.routing.learning import Label, Learned, learn
from hybridchat.routing.policy import Action, Decision, LocalModel, Question
from hybridchat.routing.prior import CHECKPOINTS, END, Prior, shipped
from hybridchat.routing.question_features import question_features
from hybridchat.routing.reasons import TRIGGERS, reason
from hybridchat.routing.thresholds import GREY, Thresholds, may_ask
from hybridchat.routing.worth import PRICES, gain, worthwhile_below

__all__ = ["PRICES", "SCORED", "GainPolicy", "GainWatch", "gain", "worthwhile_below"]

SCORED = 8
"""Answer tokens that must have been scored before doubt alone may set an answer aside."""


FindCalibration = Callable[[LocalModel], Prior | None]


class GainPolicy:
    """The routing policy: the user's choice, then what fits, then the expected gain.

    ``calibrated`` finds what was fitted on the model that answers; where there is nothing, the prior is used. ``price``
    takes the place of the bias's own.
    """

    def __init__(
        self,
        prior: Prior | None = None,
        bias: Bias = Bias.BALANCED,
        calibrated: FindCalibration | None = None,
        *,
        price: float | None = None,
    ) -> None:
        self._prior = prior or shipped()
        self._price = PRICES[bias] if price is None else price
        self._calibrated = calibrated

    def pre(self, question: Question) -> Decision:
        """Decide by the explicit choice, else by capability; how hard a question looks decides nothing.

        Data policy, offline mode and budget come first: they are what ``can_escalate`` says. An explicit choice is
        returned as it is, even where that is false: whoever asks for the remote model must be refused it, not be
        answered by another one unawares.
        """
        signals = question_features(question.text)
        action, why = _before(question)
        return Decision(action, why, signals=signals)

    def watch(self, question: Question) -> GainWatch:
        """Follow the local answer to ``question``."""
        return GainWatch(question, self._fitted_on(question.model), self._price, self._prior)

    def scored_by(self, model: LocalModel) -> str:
        """Name the model's weights and what its signals are scored with."""
        fitted = self._fitted_on(model)
        return f"{model.digest or model.name}, {'calibration' if fitted.model else 'prior'} of {fitted.date}"

    def feedback(self, labels: Sequence[Label]) -> Learned:
        """Return what ``labels`` teach; see ``learning``."""
        return learn(labels)

    def _fitted_on(self, model: LocalModel | None) -> Prior:
        found = self._calibrated(model) if self._calibrated is not None and model is not None else None
        return found or self._prior


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


class GainWatch:
    """Follows one local answer: measures at checkpoints, and says once when to bring in the remote model.

    Give it the answer's text and tokens only, not those of a thinking channel.
    """

    def __init__(self, question: Question, prior: Prior, price: float, otherwise: Prior | None = None) -> None:
        self._estimator = Estimator(prior, otherwise)
        self._question = question
        self._price = price
        self._any_remote = self._remote = prior.remote
        self._learned = question.learned
        self._thresholds = Thresholds.of(question, price, prior.remote)
        self._can_escalate = may_ask(question)
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
            signals = answer.snapshot()
            self._weigh(signals, str(self._checkpoint))
            decisions.append(self._decide(str(self._checkpoint), signals, self._thresholds.worthwhile, Action.CONTINUE))
        taken = [decision for decision in decisions if decision is not None]
        escalations = (decision for decision in taken if decision.action is Action.ESCALATE)
        return next(escalations, taken[-1] if taken else None)

    def post(self, finish_reason: FinishReason) -> Decision:
        """Decide about the whole answer; where ``min_confidence`` was asked for, no answer below it is kept.

        Without logprobs hardly anything is known, least of all the gain: then only a plain sign of failure or
        ``min_confidence`` escalates.
        """
        signals = self._answer.finished(finish_reason)
        fails = any(signals[name] for name in TRIGGERS)
        self._weigh(signals, END)
        threshold = self._thresholds.at_end(by_gain=bool(self._answer.scored) or fails)
        decision = self._decide(END, signals, threshold, Action.KEEP)
        assert decision.confidence is not None
        grey = self._can_escalate and not fails and self._thresholds.grey(decision.confidence.value)
        if not grey or decision.action is not Action.KEEP:
            return decision
        return replace(decision, doubtful=True, look_again_at=self._thresholds.at_end(by_gain=True))

    def _at_checkpoint(self) -> Decision | None:
        count = self._answer.count
        if count < self._next:
            return None
        passed = bisect_right(CHECKPOINTS, count)
        self._checkpoint = checkpoint = CHECKPOINTS[passed - 1]
        self._next = CHECKPOINTS[passed] if passed < len(CHECKPOINTS) else sys.maxsize
        signals = self._answer.snapshot()
        self._weigh(signals, str(checkpoint))
        abort_below = self._estimator.abort_below(signals, str(checkpoint))
        may_abort = abort_below is not None and count >= SCORED
        threshold = min(abort_below, self._thresholds.worthwhile) if may_abort and abort_below is not None else None
        decision = self._decide(str(checkpoint), signals, threshold, Action.CONTINUE)
        assert decision.confidence is not None
        near = self._thresholds.moved + GREY if self._thresholds.moved else 0.0
        return replace(decision, doubtful=self._can_escalate and decision.confidence.value < near)

    def _weigh(self, signals: Mapping[str, float], checkpoint: str) -> None:
        """Look at what the remote model is worth on this question, as far as the answer has come.

        A plain sign of failure, such as a refusal, says nothing about the remote model's chances.
        """
        if self._any_remote.where_wrong is None:
            return
        fails = any(signals.get(name) for name in TRIGGERS)
        confidence = self._learned.applied(self._estimator.confidence(signals, checkpoint).value)
        self._remote = self._any_remote if fails else remote_given(self._any_remote, signals, confidence)
        self._thresholds = Thresholds.of(self._question, self._price, self._remote)

    def _decide(
        self, checkpoint: str, signals: Mapping[str, float], threshold: float | None, otherwise: Action
    ) -> Decision:
        scored = self._estimator.confidence(signals, checkpoint)
        confidence = replace(scored, value=self._learned.applied(scored.value))
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
            scored.value,
        )

    def _reason(self, confidence: Confidence, signals: Mapping[str, float], checkpoint: str, *, unsure: bool) -> str:
        at_end = checkpoint == END
        tokens = None if at_end else self._answer.count
        said = reason(confidence, signals, tokens=tokens, unsure=unsure, least_sure=self._answer.least_sure)
        if not (at_end and self._can_escalate and self._answer.scored):
            return said
        return said + self._thresholds.remarks(confidence.value, asks=unsure)
