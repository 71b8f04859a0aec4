"""Routing policies that decide what a test tells them to."""

from __future__ import annotations

from collections.abc import Sequence

from hybridchat.messages import Confidence, FinishReason, Place, TokenLogprob
from hybridchat.routing.learning import Label, Learned, learn
from hybridchat.routing.policy import Action, Decision, LocalModel, Question

UNSURE = Confidence(0.2)
SURE = Confidence(0.9)


class ScriptedPolicy:
    """Escalates after ``doubt_after`` observed pieces (0: at the end; None: never)."""

    def __init__(self, doubt_after: int | None = None, confidence: Confidence = UNSURE) -> None:
        self.doubt_after = doubt_after
        self.confidence = confidence
        self.questions: list[Question] = []

    def pre(self, question: Question) -> Decision:
        self.questions.append(question)
        if question.choice is Place.REMOTE:
            return Decision(Action.REMOTE, "you asked for the remote model")
        if not question.fits_local and question.can_escalate:
            return Decision(Action.REMOTE, "the question is too long for the local model")
        return Decision(Action.LOCAL, "the local model answers first")

    def watch(self, question: Question) -> ScriptedWatch:
        return ScriptedWatch(self.doubt_after if question.can_escalate else None, self.confidence)

    def scored_by(self, model: LocalModel) -> str:
        return model.digest or model.name

    def feedback(self, labels: Sequence[Label]) -> Learned:
        return learn(labels)


class ScriptedWatch:
    def __init__(self, doubt_after: int | None, confidence: Confidence) -> None:
        self._doubt_after = doubt_after
        self._confidence = confidence
        self._pieces = 0
        self._tokens = 0

    def observe(self, text: str, logprobs: Sequence[TokenLogprob]) -> Decision | None:
        self._pieces += 1
        self._tokens += len(logprobs)
        if self._pieces == self._doubt_after:
            return Decision(Action.ESCALATE, "the local model is unsure", self._confidence, 0.5, 0.7, self._tokens)
        return Decision(Action.CONTINUE, "", self._confidence, 0.5, tokens=self._tokens) if self._pieces == 1 else None

    def post(self, finish_reason: FinishReason) -> Decision:
        action = Action.ESCALATE if self._doubt_after == 0 else Action.KEEP
        return Decision(action, "the local model is unsure", self._confidence, 0.5, tokens=self._tokens)
