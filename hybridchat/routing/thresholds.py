"""The confidence below which the remote model is asked: the gain that a call must bring, and what moves it.

What moves it is said in the reason, so that a user can see why the same confidence was enough yesterday.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridchat.messages import Place
from hybridchat.routing.policy import Question
from hybridchat.routing.prior import Remote
from hybridchat.routing.steadiness import margin
from hybridchat.routing.worth import paced, worthwhile_below

GREY = 0.1
"""Within so much of the threshold, a confidence decides little: a second look may."""

_WORTH_SAYING = 0.005


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What one answer's confidence is held against.

    ``worthwhile`` is the confidence below which a call is worth its price now, and ``usual`` what it would be with
    nothing but the bias. At the end of an answer ``at_end`` holds, which follow-ups and what was learned move, too.
    """

    usual: float
    worthwhile: float
    follow_up: float = 0.0
    learned: float = 0.0
    stale: bool = False
    asked_for: float | None = None

    @classmethod
    def of(cls, question: Question, price: float, remote: Remote) -> Thresholds:
        """Return the thresholds for the answer to ``question`` at the bias's ``price``."""
        return cls(
            worthwhile_below(price, remote),
            worthwhile_below(paced(price, question.ahead), remote),
            margin(question.turns_since_remote),
            question.learned.threshold_moves_by,
            question.learned.stale,
            question.min_confidence,
        )

    @property
    def moved(self) -> float:
        """The confidence below which a call is worth it at the end; 0 where it is too dear at any confidence."""
        if self.worthwhile <= 0:
            return 0.0
        return max(0.0, min(1.0, self.worthwhile + self.follow_up + self.learned))

    def at_end(self, *, by_gain: bool) -> float | None:
        """Return the threshold of a whole answer; None where nothing can be held against it.

        Not ``by_gain``: too little is known to estimate a gain, and only a confidence that was asked for counts.
        """
        parts = [] if self.asked_for is None else [self.asked_for]
        if by_gain:
            parts.append(self.moved)
        return max(parts, default=None)

    def grey(self, confidence: float) -> bool:
        """Whether a confidence lies so near the threshold of the end that it decides little."""
        threshold = self.at_end(by_gain=True)
        return threshold is not None and 0 < threshold < 1 and abs(confidence - threshold) <= GREY

    def remarks(self, confidence: float, *, asks: bool) -> str:
        """Say in brackets what moved the threshold and mattered; empty where nothing did."""
        said = []
        if self.follow_up > _WORTH_SAYING and self.worthwhile > 0:
            said.append(f"{100 * self.follow_up:.0f} points stricter, since the remote model answered before")
        if self.stale:
            said.append("stricter, since the model is another version of the one that was learned about")
        elif abs(self.learned) > _WORTH_SAYING:
            word = "stricter" if self.learned > 0 else "milder"
            said.append(f"{100 * abs(self.learned):.0f} points {word} by what you made of earlier answers")
        if not asks and self.worthwhile < self.usual and confidence < self.usual + self.follow_up + self.learned:
            said.append("a call costs more now: the month's budget is being spent ahead of the calendar")
        return f" ({'; '.join(said)})" if said else ""


def may_ask(question: Question) -> bool:
    """Return whether the remote model may be brought in beside the local one."""
    return question.can_escalate and question.choice is not Place.LOCAL
