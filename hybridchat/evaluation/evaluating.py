"""Puts a policy through recorded answers and measures what it knows, what it does, and what that buys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hybridchat.config.settings import Bias
from hybridchat.evaluation.answers import KINDS, Answers
from hybridchat.evaluation.deferral import DeferralCurve
from hybridchat.evaluation.earliness import TOKENS, earliness_metrics, known_by, unfinished_metrics
from hybridchat.evaluation.estimates import Estimate, Measure, estimates
from hybridchat.evaluation.honesty import ideal_ece, reliability
from hybridchat.evaluation.metrics import (
    confidence_metrics,
    curve_metrics,
    honesty_metrics,
    oracle_scores,
    random_scores,
)
from hybridchat.evaluation.operating import (
    Course,
    Outcome,
    PolicyFor,
    course_of,
    courses_reaching,
    curve_of,
    decision_metrics,
    timing_metrics,
)
from hybridchat.evaluation.ranking import auroc
from hybridchat.evaluation.replay import replayed
from hybridchat.evaluation.report import VERSION, Bin, Earliness, Estimates, Point, Report, Setting, Source
from hybridchat.evaluation.selective import aurc, risk_coverage
from hybridchat.evaluation.traces import Trace
from hybridchat.evaluation.undefined import reasons
from hybridchat.routing.worth import PRICES

RESAMPLES = 200
TARGET = 0.98
"""The part of the remote model's quality that the operating point ``98%`` is to reach."""

BUDGETS = (0.05, 0.1, 0.2, 0.3, 0.5)
_GRID = 100


@dataclass(frozen=True)
class Subject:
    """What is evaluated: a policy at each price, set to ``bias``, and a sentence on where its confidence comes from."""

    policy_for: PolicyFor
    confidence: str
    bias: Bias = Bias.BALANCED
    min_confidence: float | None = None


@dataclass(frozen=True)
class Row:
    """One way to route: the larger the score, the sooner to the remote model; ``sure`` is P(local right), if any."""

    score: list[float]
    sure: list[float] | None


def evaluate(
    traces: Sequence[Trace], subject: Subject, files: Sequence[str] = (), resamples: int = RESAMPLES
) -> Report:
    """Replay ``traces`` (at least one) and measure. What cannot be measured is null, with a reason."""
    return _Evaluation(traces, subject, resamples).report(files)


class _Evaluation:
    def __init__(self, traces: Sequence[Trace], subject: Subject, resamples: int) -> None:
        self._subject = subject
        self._resamples = resamples
        self._eager = Answers([replayed(trace, subject.policy_for(trace, 0.0)) for trace in traces])
        self._courses = {str(bias): self._courses_at(bias, traces) for bias in Bias}
        self._paired = self._eager.paired
        self._outcomes = self._eager.outcomes(self._paired)
        self._at_target: dict[int, Course] = {}
        if self._paired:
            eager = [self._eager.replays[i] for i in self._paired]
            reached = courses_reaching(eager, self._outcomes, subject.policy_for, TARGET)
            self._at_target = dict(zip(self._paired, reached, strict=True))

    def _courses_at(self, bias: Bias, traces: Sequence[Trace]) -> list[Course]:
        subject = self._subject
        least = subject.min_confidence if bias is subject.bias else None
        return [course_of(replayed(trace, subject.policy_for(trace, PRICES[bias]), least)) for trace in traces]

    def report(self, files: Sequence[str]) -> Report:
        answers, labelled = self._eager, self._eager.labelled
        right, sure = answers.right(labelled), answers.confidence(labelled)
        risks = risk_coverage(sure, right) if labelled else []
        rows = self._rows()
        source = self._source(files)
        return Report(
            VERSION,
            source,
            Setting(str(self._subject.bias), self._subject.min_confidence, self._subject.confidence, self._resamples),
            {kind: self._confidence(answers.of_kind(kind, labelled)) for kind in KINDS},
            [Bin(b.count, b.confidence, b.accuracy) for b in reliability(sure, right, 10)] if labelled else [],
            [(share, risks[max(1, round(share * len(risks))) - 1]) for share in _grid(10)[1:]] if risks else [],
            {**self._constant(), **{name: self._measured(row) for name, row in rows.items()}},
            {name: _points(curve_of(row.score, self._outcomes)) for name, row in rows.items() if self._paired},
            self._decisions(),
            self._budgets(rows),
            {kind: self._earliness(kind) for kind in KINDS},
            reasons(source, answers),
        )

    def _source(self, files: Sequence[str]) -> Source:
        answers = self._eager
        traces = [one.trace for one in answers.replays]
        outcomes = self._outcomes
        n = len(outcomes)
        right = answers.right(answers.labelled)

        def share(of: Callable[[Outcome], bool]) -> float | None:
            return sum(map(of, outcomes)) / n if n else None

        return Source(
            list(files),
            len(traces),
            len(answers.labelled),
            n,
            sum(bool(trace.local.tokens) for trace in traces),
            sum(trace.length == "short" for trace in traces),
            sum(trace.length == "long" for trace in traces),
            sorted({trace.local.model for trace in traces}),
            sorted({trace.remote.model for trace in traces if trace.remote}),
            share(lambda o: o.local) if n else sum(right) / len(right) if right else None,
            share(lambda o: o.remote),
            share(lambda o: o.remote and not o.local),
            share(lambda o: o.local and not o.remote),
            share(lambda o: not o.local and not o.remote),
        )

    def _estimates(self, measure: Measure, n: int) -> Estimates:
        return estimates(measure, n, self._resamples)

    def _confidence(self, indices: Sequence[int]) -> Estimates:
        right, sure = self._eager.right(indices), self._eager.confidence(indices)
        found = self._estimates(
            lambda chosen: confidence_metrics([sure[i] for i in chosen], [right[i] for i in chosen]), len(indices)
        )
        return {**found, "ideal_ece": Estimate(ideal_ece(sure))} if indices else {}

    def _rows(self) -> dict[str, Row]:
        """Return the rows over the paired answers, or over the labelled ones where there is no pair."""
        answers = self._eager
        indices = self._paired or answers.labelled
        if not indices:
            return {}
        n = len(indices)
        right, sure = answers.right(indices), answers.confidence(indices)
        rows = {"random": Row(random_scores(n), [sum(right) / n] * n)}
        if self._paired:
            known = oracle_scores([o.local for o in self._outcomes], [o.remote for o in self._outcomes])
            rows["oracle"] = Row(known, None)
        for name, by_index in answers.baselines.items():
            p = [by_index[i] for i in indices]
            rows[name] = Row([-value for value in p], p)
        rows["confidence"] = Row([-value for value in sure], sure)
        if self._paired:
            rows["policy"] = Row([answers.replays[i].worth for i in indices], sure)
        return rows

    def _constant(self) -> dict[str, Estimates]:
        """Return the rows of the two policies that always do the same."""
        if not self._paired:
            return {}
        n = len(self._paired)
        right = {
            "always-local": [o.local for o in self._outcomes],
            "always-remote": [o.remote for o in self._outcomes],
        }

        def measured(name: str) -> Estimates:
            return self._estimates(
                lambda chosen: {
                    "quality": sum(right[name][i] for i in chosen) / n,
                    "calls": float(name == "always-remote"),
                },
                n,
            )

        return {name: measured(name) for name in right}

    def _measured(self, row: Row) -> Estimates:
        answers, outcomes = self._eager, self._outcomes
        right = answers.right(self._paired or answers.labelled)

        def measure(chosen: Sequence[int]) -> Mapping[str, float | None]:
            score, labels = [row.score[i] for i in chosen], [right[i] for i in chosen]
            found: dict[str, float | None] = {}
            if outcomes:
                some = [outcomes[i] for i in chosen]
                found |= curve_metrics(curve_of(score, some))
                found["auroc_gain"] = auroc(score, [o.remote and not o.local for o in some])
            found["auroc_wrong"] = auroc(score, [not label for label in labels])
            if row.sure is not None:
                sure = [row.sure[i] for i in chosen]
                area = aurc(sure, labels)
                found |= {"auarc": 1 - area, "aurc": area, **honesty_metrics(sure, labels)}
            return found

        return self._estimates(measure, len(right))

    def _decisions(self) -> dict[str, Estimates]:
        if self._paired:
            n = len(self._paired)
            settings = {
                "always-local": [Course()] * n,
                "always-remote": [Course(0)] * n,
                **{bias: [courses[i] for i in self._paired] for bias, courses in self._courses.items()},
                f"{TARGET:.0%}": [self._at_target[i] for i in self._paired],
            }
            return {name: self._estimates(_deciding(courses, self._outcomes), n) for name, courses in settings.items()}
        right = [one.trace.local.right for one in self._eager.replays]
        return {name: self._estimates(_timing(found, right), len(right)) for name, found in self._courses.items()}

    def _budgets(self, rows: Mapping[str, Row]) -> dict[str, Estimates]:
        if not self._paired:
            return {}

        def measure(chosen: Sequence[int]) -> Mapping[str, float | None]:
            some = [self._outcomes[i] for i in chosen]
            curves = {name: curve_of([row.score[i] for i in chosen], some) for name, row in rows.items()}
            found: dict[str, float | None] = {}
            for budget in BUDGETS:
                quality = {name: curve.quality(budget) for name, curve in curves.items()}
                found |= {f"{budget} {name}": value for name, value in quality.items()}
                found[f"{budget} regret"] = quality["oracle"] - quality["policy"]
            return found

        flat = self._estimates(measure, len(self._paired))
        return {
            f"{budget:.0%}": {
                name.split(" ", 1)[1]: value for name, value in flat.items() if name.startswith(f"{budget} ")
            }
            for budget in BUDGETS
        }

    def _earliness(self, kind: str) -> Earliness:
        answers = self._eager
        indices = answers.of_kind(kind, answers.labelled)
        right = answers.right(indices)
        known = [known_by(answers.replays[i]) for i in indices]
        lengths = [answers.replays[i].tokens for i in indices]
        everything = answers.of_kind(kind, range(len(answers.replays)))
        courses = [self._courses[str(self._subject.bias)][i] for i in everything]
        targeted = answers.of_kind(kind, self._paired)
        return Earliness(
            len(indices),
            self._estimates(
                lambda chosen: earliness_metrics([known[i] for i in chosen], [right[i] for i in chosen]), len(indices)
            ),
            self._estimates(
                lambda chosen: unfinished_metrics(
                    [known[i] for i in chosen], [right[i] for i in chosen], [lengths[i] for i in chosen]
                ),
                len(indices),
            ),
            {str(tokens): sum(length > tokens for length in lengths) for tokens in TOKENS},
            self._estimates(_timing(courses, [answers.replays[i].trace.local.right for i in everything]), len(courses)),
            self._estimates(_timing([self._at_target[i] for i in targeted], answers.right(targeted)), len(targeted)),
        )


def _deciding(courses: Sequence[Course], outcomes: Sequence[Outcome]) -> Measure:
    return lambda chosen: decision_metrics([courses[i] for i in chosen], [outcomes[i] for i in chosen])


def _timing(courses: Sequence[Course], right: Sequence[bool | None]) -> Measure:
    return lambda chosen: timing_metrics([courses[i] for i in chosen], [right[i] for i in chosen])


def _grid(steps: int) -> list[float]:
    return [step / steps for step in range(steps + 1)]


def _points(curve: DeferralCurve) -> list[Point]:
    return [(share, round(curve.quality(share), 6)) for share in _grid(_GRID)]
