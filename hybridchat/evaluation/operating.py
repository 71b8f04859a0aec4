"""What a policy does at one setting: how often it asks, how early, at what cost, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from hybridchat.evaluation.baselines import folds
from hybridchat.evaluation.bootstrap import quantile
from hybridchat.evaluation.deferral import DeferralCurve, deferral_curve
from hybridchat.evaluation.metrics import oracle_scores
from hybridchat.evaluation.replay import Replayed, replayed
from hybridchat.evaluation.traces import Trace
from hybridchat.routing.policy import Policy

PolicyFor = Callable[[Trace, float], Policy]
"""Returns the policy that decides about a trace at a price."""

EARLY = 32
"""Tokens by which an escalation counts as early."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a policy made of one turn.

    ``asked_at`` is the number of local tokens after which the remote model was asked, None where the local answer
    stands; ``bails_out``: the local answer was cut short by it. ``second_look``: the confidence in an answer that
    stands is so near the threshold that the local model looks at it again, which costs further passes of it.
    """

    asked_at: int | None = None
    bails_out: bool = False
    second_look: bool = False

    @property
    def asks(self) -> bool:
        """Whether the remote model was asked."""
        return self.asked_at is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A paired question: who is right, and what the remote answer cost (US dollars) where that is known."""

    local: bool
    remote: bool
    cost: float | None = None


def course_of(one: Replayed) -> Course:
    """Return what the replayed policy made of the turn."""
    escalation = one.escalation
    if escalation is None:
        return Course(second_look=one.end.doubtful)
    return Course(escalation.tokens, one.bails_out)


def courses_reaching(
    eager: Sequence[Replayed], outcomes: Sequence[Outcome], policy_for: PolicyFor, share: float
) -> list[Course]:
    """Return what a policy does whose price is to reach ``share`` of the remote model's quality.

    The price for each tenth of the questions is the highest that reaches it on the other nine, and the policy is
    replayed at that price. ``eager`` are replays at the price 0.
    """
    worth = [one.worth for one in eager]
    fold = folds([outcome.local for outcome in outcomes])
    courses = [Course()] * len(eager)
    for number in sorted(set(fold)):
        members = [i for i in range(len(eager)) if fold[i] == number]
        others = [i for i in range(len(eager)) if fold[i] != number] or members
        price = price_reaching([worth[i] for i in others], [outcomes[i] for i in others], share)
        for i in members:
            trace = eager[i].trace
            courses[i] = course_of(replayed(trace, policy_for(trace, price)))
    return courses


def price_reaching(worth: Sequence[float], outcomes: Sequence[Outcome], share: float) -> float:
    """Return the highest price at which a policy reaches ``share`` of the remote model's quality.

    Where no price does, everything is asked.
    """
    curve = curve_of(worth, outcomes)
    needed = curve.calls_for(share * curve.remote)
    ordered = sorted(worth, reverse=True)
    count = len(ordered) if needed is None else ceil(needed * len(ordered) - 1e-9)
    if count == 0:
        return ordered[0]
    lowest = ordered[count - 1]
    below = [value for value in ordered[count:] if value < lowest]
    return (lowest + below[0]) / 2 if below else lowest - 1e-9


def curve_of(scores: Sequence[float], outcomes: Sequence[Outcome]) -> DeferralCurve:
    """Return the curve of sending answers to the remote model by descending score."""
    return deferral_curve(scores, [o.local for o in outcomes], [o.remote for o in outcomes])


def decision_metrics(courses: Sequence[Course], outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Return what became of these decisions on paired questions.

    ``random`` and ``oracle`` are the qualities of those two at the same number of calls, ``regret`` what is missing
    to the oracle, ``regret_share`` the same as a part of what lies between the two. ``of_remote`` is the quality as a
    part of the remote model's, ``pgr`` the part of the gap between both models that is closed. ``cost_per_100`` is
    US dollars for 100 turns.
    """
    n = len(courses)
    local, remote = [o.local for o in outcomes], [o.remote for o in outcomes]
    quality = sum(o.remote if course.asks else o.local for course, o in zip(courses, outcomes, strict=True)) / n
    share = sum(course.asks for course in courses) / n
    oracle = curve_of(oracle_scores(local, remote), outcomes).quality(share)
    low, high = sum(local) / n, sum(remote) / n
    chance = low + share * (high - low)
    costs = [o.cost if course.asks else 0.0 for course, o in zip(courses, outcomes, strict=True)]
    known = [cost for cost in costs if cost is not None]
    return {
        "calls": share,
        "quality": quality,
        "of_remote": quality / high if high else None,
        "pgr": (quality - low) / (high - low) if high > low else None,
        "random": chance,
        "oracle": oracle,
        "regret": oracle - quality,
        "regret_share": (oracle - quality) / (oracle - chance) if oracle - chance > 1e-9 else None,
        "cost_per_100": 100 * sum(known) / n if len(known) == n else None,
        **timing_metrics(courses, local),
    }


def timing_metrics(courses: Sequence[Course], right: Sequence[bool | None]) -> dict[str, float | None]:
    """Return when these decisions fell.

    ``by_32`` is the share of escalations decided by token 32; ``bail_outs`` the share of turns cut short;
    ``false_aborts`` the share of right local answers that were; ``one_pass`` the share of turns for which the local
    model reads nothing a second time; ``shown`` and ``shown_90`` are the median and the 90th percentile of the tokens
    that had been shown when an answer was cut short.
    """
    asked = [course.asked_at for course in courses if course.asked_at is not None]
    cut = [course.asked_at for course in courses if course.bails_out and course.asked_at is not None]
    good = [course for course, is_right in zip(courses, right, strict=True) if is_right]
    return {
        "by_32": sum(tokens <= EARLY for tokens in asked) / len(asked) if asked else None,
        "bail_outs": len(cut) / len(courses),
        "false_aborts": sum(course.bails_out for course in good) / len(good) if good else None,
        "one_pass": 1 - sum(course.second_look for course in courses) / len(courses),
        "shown": quantile(cut, 0.5) if cut else None,
        "shown_90": quantile(cut, 0.9) if cut else None,
    }
