"""All signals of one answer, gathered as it streams: what the policy reads live and what a model is fitted on."""

from __future__ import annotations

from hybridchat.messages import FinishReason, TokenLogprob
from hybridchat.routing.question_features import question_features
from hybridchat.routing.signals import SignalAccumulator
from hybridchat.routing.text_signals import TextSignals

CHARACTERS_PER_TOKEN = 4
"""For servers that give no logprobs, and so no tokens to count."""


class AnswerSignals:
    """Follows the answer to ``question``."""

    def __init__(self, question: str) -> None:
        self._question = question_features(question)
        self._tokens = SignalAccumulator(question)
        self.text = TextSignals()

    def add_text(self, text: str) -> None:
        """Take in a piece of text."""
        self.text.add(text)

    def add_token(self, token: TokenLogprob) -> None:
        """Take in a token; text and tokens need not come in step."""
        self._tokens.add(token)

    @property
    def scored(self) -> int:
        """How many tokens came with a logprob."""
        return self._tokens.n

    @property
    def count(self) -> int:
        """The answer's tokens so far; an estimate where no logprobs came."""
        return self._tokens.n or self.text.characters // CHARACTERS_PER_TOKEN

    @property
    def least_sure(self) -> str:
        """The least likely token so far."""
        return self._tokens.least_sure

    def snapshot(self) -> dict[str, float]:
        """Return all signals so far by name."""
        return {**self._question, **self.text.snapshot(), **self._tokens.snapshot()}

    def finished(self, reason: FinishReason) -> dict[str, float]:
        """Return the signals of the whole answer."""
        return {**self.snapshot(), **self.text.finished(reason)}
