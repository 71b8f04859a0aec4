"""Says in plain words what was learned from use, and how often a kept answer turned out to be wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hybridchat.routing.learning import Label, Learned, Signal, learn
from hybridchat.routing.warranty import upper_bound

SURE = 0.9
"""With this probability the share of misses is at most the one that is named."""

_WORDS = {
    Signal.UP: "thumbs up",
    Signal.DOWN: "thumbs down",
    Signal.ESCALATED: "escalated by you",
    Signal.REGENERATED: "answered again",
    Signal.QUIET: "left behind quietly",
    Signal.CONFIRMED: "confirmed by the remote model, asked without need",
    Signal.CONTRADICTED: "contradicted by the remote model, asked without need",
}


@dataclass(frozen=True, slots=True)
class HistorySummary:
    """What was learned of one model: ``counts`` of the signals that count, ``stale`` signals of other versions of it.

    ``checked`` kept answers were also put to the remote model without need; it contradicted ``missed`` of them. Those
    were chosen by chance, so that their share is unbiased, which that of the other signals is not.
    """

    model: str
    counts: dict[Signal, int]
    learned: Learned
    stale: int = 0
    checked: int = 0
    missed: int = 0

    @property
    def missed_at_most(self) -> float | None:
        """The upper bound (Clopper and Pearson) of the share of kept answers that the remote model contradicts."""
        return upper_bound(self.missed, self.checked, 1 - SURE) if self.checked else None

    def lines(self) -> list[str]:
        """Return it as sentences, one a line."""
        if not self.counts:
            old = f"; {self.stale} signals belong to another version of it and do not count" if self.stale else ""
            return [f"{self.model}: nothing was learned yet{old}"]
        learned = self.learned
        said = [f"{self.model}: learned from {learned.labels} answers"]
        said += [f"  {count} {_WORDS[signal]}" for signal, count in sorted(self.counts.items())]
        if self.stale:
            said.append(f"  {self.stale} signals belong to another version of the model and do not count")
        examples = ", ".join(f"{p:.0%} now reads {learned.applied(p):.0%}" for p in (0.3, 0.5, 0.8))
        said.append(f"  confidence: {examples} (slope {learned.slope:.2f}, intercept {learned.intercept:+.2f})")
        said.append(f"  threshold of the remote model: {100 * learned.offset:+.1f} points")
        if self.missed_at_most is None:
            said.append("  how many kept answers are wrong is not known: no shadow escalation was made")
        else:
            said.append(
                f"  of {self.checked} kept answers that were checked by chance, the remote model contradicts "
                f"{self.missed}: at most {self.missed_at_most:.0%} of all, with {SURE:.0%} confidence"
            )
        return said


def summarised(model: str, labels: Sequence[Label], stale: int = 0) -> HistorySummary:
    """Summarise the ``labels`` of the live version of ``model``; ``stale`` is the number of those of others."""
    counts = Counter(label.signal for label in labels)
    missed = counts[Signal.CONTRADICTED]
    checked = missed + counts[Signal.CONFIRMED]
    return HistorySummary(model, dict(counts), learn(labels), stale, checked, missed)
