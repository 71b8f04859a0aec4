"""What a policy does at one setting: how often it asks, how early, at what cost, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from hybridchat.evaluation.baselines import folds
from hybridchat.evaluation.bootstrap import quantile
from hybridchat.evaluation.deferral import DeferralCurve, deferral_curve
from hybridchat.evaluation.metrics import oracle_scores
from hybridchat.evaluation.replay import Replayed

EARLY = 32
"""Tokens by which an escalation counts as early."""


@dataclass(frozen=True, slots=True)
class Call:
    """One escalation: after how many tokens of the local answer, and whether that was cut short by it."""

    tokens: int
    bails_out: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A paired question: who is right, and what the remote answer cost (US dollars) where that is known."""

    local: bool
    remote: bool
    cost: float | None = None


def call_of(replayed: Replayed) -> Call | None:
    """Return the escalation that the replayed policy decided on, None where the local answer stands."""
    escalation = replayed.escalation
    return None if escalation is None else Call(escalation.tokens, replayed.bails_out)


def call_at(replayed: Replayed, price: float) -> Call | None:
    """Return the escalation that a policy of this ``price`` would decide on (see ``Replayed.worth``)."""
    asked = replayed.asked_at(price)
    return None if asked is None else Call(asked.tokens, asked is not replayed.end)


def calls_reaching(replays: Sequence[Replayed], outcomes: Sequence[Outcome], share: float) -> list[Call | None]:
    """Return the escalations of a policy whose price is to reach ``share`` of the remote model's quality.

    The price for each tenth of the questions is the highest that reaches it on the other nine.
    """
    worth = [replayed.worth for replayed in replays]
    fold = folds([outcome.local for outcome in outcomes])
    calls: list[Call | None] = [None] * len(replays)
    for number in sorted(set(fold)):
        others = [i for i in range(len(replays)) if fold[i] != number] or list(range(len(replays)))
        price = price_reaching([worth[i] for i in others], [outcomes[i] for i in others], share)
        for i, replayed in enumerate(replays):
            if fold[i] == number:
                calls[i] = call_at(replayed, price)
    return calls


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


def decision_metrics(calls: Sequence[Call | None], outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Return what became of these decisions on paired questions.

    ``random`` and ``oracle`` are the qualities of those two at the same number of calls, ``regret`` what is missing
    to the oracle, ``regret_share`` the same as a part of what lies between the two. ``of_remote`` is the quality as a
    part of the remote model's, ``pgr`` the part of the gap between both models that is closed. ``cost_per_100`` is
    US dollars for 100 turns.
    """
    n = len(calls)
    local, remote = [o.local for o in outcomes], [o.remote for o in outcomes]
    quality = sum(o.remote if call else o.local for call, o in zip(calls, outcomes, strict=True)) / n
    share = sum(call is not None for call in calls) / n
    oracle = curve_of(oracle_scores(local, remote), outcomes).quality(share)
    low, high = sum(local) / n, sum(remote) / n
    chance = low + share * (high - low)
    costs = [o.cost if call else 0.0 for call, o in zip(calls, outcomes, strict=True)]
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
        **timing_metrics(calls, local),
    }


def timing_metrics(calls: Sequence[Call | None], right: Sequence[bool | None]) -> dict[str, float | None]:
    """Return when these decisions fell.

    ``by_32`` is the share of escalations decided by token 32; ``bail_outs`` the share of turns cut short;
    ``false_aborts`` the share of right local answers that were; ``shown`` and ``shown_90`` are the median and the 90th
    percentile of the tokens that had been shown by then.
    """
    made = [call for call in calls if call]
    cut = [call.tokens for call in made if call.bails_out]
    good = [call for call, is_right in zip(calls, right, strict=True) if is_right]
    return {
        "by_32": sum(call.tokens <= EARLY for call in made) / len(made) if made else None,
        "bail_outs": len(cut) / len(calls),
        "false_aborts": sum(call is not None and call.bails_out for call in good) / len(good) if good else None,
        "shown": quantile(cut, 0.5) if cut else None,
        "shown_90": quantile(cut, 0.9) if cut else None,
    }
