"""Fits a confidence to graded answers: the score, and what makes it a probability.

The score is a logistic model over the checkpoints of the stream. With few labels the one that is known already is kept
as it is; from ``REFIT_FROM`` labels on it is refitted, drawn towards the known one. It becomes a probability by a
calibration, which sees only scores of models that were fitted without the answer at hand. What is reported was computed
without it altogether: neither the score nor its calibration has seen the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from zlib import crc32

import msgspec

from hybridchat.evaluation.logistic import Coefficients, fit
from hybridchat.evaluation.ranking import auroc
from hybridchat.evaluation.replay import pieces
from hybridchat.evaluation.traces import Trace
from hybridchat.routing.answer_signals import AnswerSignals
from hybridchat.routing.calibration import Calibration, calibrate
from hybridchat.routing.estimator import logit, standardise
from hybridchat.routing.prior import CHECKPOINTS, END, Checkpoint, Head

Signals = Mapping[str, float]

SIGNS = {
    "opening_certainty": 1,
    "opening_logprob": 1,
    "first_certainty": 1,
    "first_margin": 1,
    "first_two": 1,
    "min": 1,
    "q10": 1,
    "q20": 1,
    "mean": 1,
    "window8": 1,
    "window16": 1,
    "cusum": -1,
    "mean_entropy": -1,
    "max_entropy": -1,
    "hedges": -1,
    "repairs": -1,
    "repetition": -1,
}
"""The sign that a feature's weight must have: doubt in a token, or in words, never raises a confidence."""

REFIT_FROM = 250
"""Labels from which the score is refitted, if at least ``EACH_CLASS`` of them are right and as many wrong."""

EACH_CLASS = 50

OWN_MAP_FROM = 40
"""Labels from which a checkpoint gets a calibration of its own; one with fewer takes that of all checkpoints."""

FOLDS = 10
FEWEST_FAMILIES = 6
FAMILY_FOLDS = 8
"""From so many families of questions on whole families are held out, in so many parts; else answers are, in ``FOLDS``
parts."""

FALSE_ABORTS = 0.05
"""The share of right answers that may be set aside before their end, over the whole path."""

FEWEST_RIGHT = 15
"""Right answers that must have come to a checkpoint for an answer to be set aside there."""


def signals_of(trace: Trace, *, logprobs: bool = True) -> dict[str, Signals]:
    """Replay the local answer of a trace; return its signals at each checkpoint that it reached, and at the end."""
    answer, found, ahead = AnswerSignals(trace.question), dict[str, Signals](), list(CHECKPOINTS)
    for text, tokens in pieces(trace.local):
        answer.add_text(text)
        for token in tokens if logprobs else ():
            answer.add_token(token)
        while ahead and answer.count >= ahead[0]:
            found[str(ahead.pop(0))] = answer.snapshot()
    found[END] = answer.finished(trace.local.finish)
    return found


@dataclass(frozen=True)
class Sample:
    """Graded answers: the signals of each at its checkpoints, whether it is right, and the fold it is held out with."""

    signals: Sequence[Mapping[str, Signals]]
    right: Sequence[bool]
    folds: Sequence[str]

    @classmethod
    def of(cls, traces: Sequence[Trace], *, logprobs: bool) -> Sample:
        """Gather the graded ones of ``traces``; whole families are held out where there are several."""
        graded = [trace for trace in traces if trace.local.right is not None]
        families = sorted({trace.family for trace in graded})
        fold_of = {family: str(rank % FAMILY_FOLDS) for rank, family in enumerate(families)}
        by_family = len(families) >= FEWEST_FAMILIES
        return cls(
            [signals_of(trace, logprobs=logprobs) for trace in graded],
            [bool(trace.local.right) for trace in graded],
            [fold_of[trace.family] if by_family else str(crc32(trace.id.encode()) % FOLDS) for trace in graded],
        )

    def __len__(self) -> int:
        return len(self.right)

    @property
    def refits(self) -> bool:
        """Whether there are enough labels to refit the score."""
        right = sum(self.right)
        return len(self) >= REFIT_FROM and min(right, len(self) - right) >= EACH_CLASS


Scores = list[dict[str, float]]
"""For each answer its number at each checkpoint that it reached."""


@dataclass
class HeadFit:
    """A head fitted to a sample, and what it says of each answer without having seen it (``held_out``)."""

    known: Head
    sample: Sample
    refits: bool = field(init=False)

    def __post_init__(self) -> None:
        self.refits = self.sample.refits

    @cached_property
    def head(self) -> Head:
        """The fitted head with its calibrations and thresholds; the known one where there is no label at all."""
        if not len(self.sample):
            return self.known
        score = self.score
        maps, thresholds = self._maps(range(len(self.sample))), abort_thresholds(self.held_out, self.sample.right)
        checkpoints = {}
        for name, one in score.checkpoints.items():
            members = [i for i, answer in enumerate(self.held_out) if name in answer]
            scores, right = [self.held_out[i][name] for i in members], [self.sample.right[i] for i in members]
            area = auroc(scores, right) if members else None
            checkpoints[name] = Checkpoint(
                one.intercept,
                one.weights,
                len(members),
                None if area is None else round(area, 3),
                thresholds.get(name),
                maps[name],
            )
        return Head(score.features, score.means, score.scales, checkpoints)

    @cached_property
    def score(self) -> Head:
        """The head with the weights for all answers, and no calibration."""
        return self._score()

    @cached_property
    def held_out(self) -> Scores:
        """Each answer's probabilities by a score and a calibration that were fitted without its fold."""
        found: Scores = [{} for _ in self.sample.right]
        for part in range(FOLDS):
            maps = self._maps([i for i in range(len(found)) if i % FOLDS != part])
            for i in range(part, len(found), FOLDS):
                found[i] = {name: maps[name].probability(score) for name, score in self.held_out_scores[i].items()}
        return found

    @cached_property
    def held_out_scores(self) -> Scores:
        """Each answer's logits, by scores that were fitted without its fold if they were fitted at all.

        Their intercepts are those of the fit to all: one fitted without a family that is mostly wrong would be too high
        for just that family, and turn the order of the families around.
        """
        if not self.refits:
            return [self._read(self.known, answer) for answer in self.sample.signals]
        found: Scores = [{} for _ in self.sample.right]
        whole = self.score
        for fold in sorted(set(self.sample.folds)):
            score = _with_intercepts_of(whole, self._score(without=fold))
            for i, answer in enumerate(self.sample.signals):
                if self.sample.folds[i] == fold:
                    found[i] = self._read(score, answer)
        return found

    @staticmethod
    def _read(head: Head, answer: Mapping[str, Signals]) -> dict[str, float]:
        return {name: logit(head, name, signals) for name, signals in answer.items()}

    def _score(self, without: str | None = None) -> Head:
        """Return the head with the coefficients for all answers but one fold; no calibration is in it."""
        known = {name: msgspec.structs.replace(one, calibration=None) for name, one in self.known.checkpoints.items()}
        if self.refits:
            data: dict[str, tuple[list[list[float]], list[bool]]] = {}
            for i, answer in enumerate(self.sample.signals):
                if self.sample.folds[i] != without:
                    for name, signals in answer.items():
                        rows, labels = data.setdefault(name, ([], []))
                        rows.append(self._row(signals))
                        labels.append(self.sample.right[i])
            start = {name: Coefficients(one.intercept, list(one.weights)) for name, one in known.items()}
            start |= {name: _copy(start[END]) for name in data if name not in start}
            signs = [SIGNS.get(feature, 0) for feature in self.known.features]
            for name, one in fit(data, signs, start).items():
                known[name] = Checkpoint(one.intercept, tuple(one.weights))
        return Head(self.known.features, self.known.means, self.known.scales, known)

    def _row(self, signals: Signals) -> list[float]:
        return standardise(self.known.features, self.known.means, self.known.scales, signals)

    def _maps(self, indices: Sequence[int]) -> dict[str, Calibration]:
        """Fit the calibrations of all checkpoints on these answers' scores."""
        pooled: tuple[list[float], list[bool]] = [], []
        own: dict[str, tuple[list[float], list[bool]]] = {name: ([], []) for name in (*map(str, CHECKPOINTS), END)}
        for i in indices:
            for name, score in self.held_out_scores[i].items():
                for scores, labels in (own[name], pooled):
                    scores.append(score)
                    labels.append(self.sample.right[i])
        shared = calibrate(*pooled)
        return {
            name: calibrate(scores, labels) if len(labels) >= OWN_MAP_FROM or name == END else shared
            for name, (scores, labels) in own.items()
        }


def _with_intercepts_of(whole: Head, part: Head) -> Head:
    checkpoints = {
        name: msgspec.structs.replace(one, intercept=whole.checkpoints[name].intercept)
        for name, one in part.checkpoints.items()
    }
    return msgspec.structs.replace(part, checkpoints=checkpoints)


def _copy(one: Coefficients) -> Coefficients:
    return Coefficients(one.intercept, list(one.weights))


def abort_thresholds(
    held_out: Scores, right: Sequence[bool], first: int = 8, share: float = FALSE_ABORTS
) -> dict[str, float]:
    """Return the confidences below which an answer may be set aside, at the checkpoints from ``first`` tokens on.

    At each it is the same quantile of the right answers; the quantile is the largest at which, over the whole path, no
    more than ``share`` of the right answers that could be would be set aside. Empty where that cannot be told.
    """
    path = [str(checkpoint) for checkpoint in CHECKPOINTS if checkpoint >= first]
    good = [scores for scores, is_right in zip(held_out, right, strict=True) if is_right]
    ordered = {name: sorted(scores[name] for scores in good if name in scores) for name in path}
    ordered = {name: values for name, values in ordered.items() if len(values) >= FEWEST_RIGHT}
    best: dict[str, float] = {}
    for permille in range(1, 500):
        tried = {name: round(values[len(values) * permille // 1000], 4) for name, values in ordered.items()}
        # one more than were seen: the next answer has to be counted, too
        if sum(is_aborted(scores, tried) for scores in good) + 1 > share * (len(good) + 1):
            break
        best = tried
    return best


def is_aborted(scores: Mapping[str, float], thresholds: Mapping[str, float]) -> bool:
    """Return whether an answer with these confidences would be set aside before its end."""
    return any(scores[name] < threshold for name, threshold in thresholds.items() if name in scores)
