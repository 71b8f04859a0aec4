"""The replayed answers as columns, and which of them can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hybridchat.evaluation.baselines import length_only, question_only
from hybridchat.evaluation.operating import Outcome
from hybridchat.evaluation.replay import Replayed
from hybridchat.evaluation.traces import Trace

KINDS = ("all", "short", "long")


@dataclass(frozen=True)
class Answers:
    """Replayed traces; the lists below hold indices into ``replays``."""

    replays: Sequence[Replayed]

    @cached_property
    def labelled(self) -> list[int]:
        """The answers of which it is known whether they are right."""
        return [i for i, one in enumerate(self.replays) if one.trace.local.right is not None]

    @cached_property
    def paired(self) -> list[int]:
        """The labelled answers of which the same is known of the remote one."""
        return [i for i in self.labelled if _remote_right(self.replays[i].trace) is not None]

    def of_kind(self, kind: str, indices: Sequence[int]) -> list[int]:
        """Return those of ``indices`` whose answers are of this kind: ``all``, ``short`` or ``long``."""
        return [i for i in indices if kind in ("all", self.replays[i].trace.length)]

    def right(self, indices: Sequence[int]) -> list[bool]:
        """Return whether the local answers are right."""
        return [bool(self.replays[i].trace.local.right) for i in indices]

    def outcomes(self, indices: Sequence[int]) -> list[Outcome]:
        """Return who is right, of paired answers."""
        return [_outcome(self.replays[i].trace) for i in indices]

    def confidence(self, indices: Sequence[int]) -> list[float]:
        """Return the final confidences."""
        return [self.replays[i].confidence for i in indices]

    @cached_property
    def baselines(self) -> dict[str, dict[int, float]]:
        """The probability of being right by question or length alone, by row and index; without rows of no use."""
        traces = [self.replays[i].trace for i in self.labelled]
        right = self.right(self.labelled)
        fitted = {"question-only": question_only(traces, right), "answer-length-only": length_only(traces, right)}
        return {name: dict(zip(self.labelled, found, strict=True)) for name, found in fitted.items() if found}


def _remote_right(trace: Trace) -> bool | None:
    return trace.remote.right if trace.remote else None


def _outcome(trace: Trace) -> Outcome:
    cost = trace.remote.cost if trace.remote else None
    return Outcome(bool(trace.local.right), bool(_remote_right(trace)), cost)
