"""The metrics of a router and of a confidence, all at once and by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybridchat.evaluation.deferral import DeferralCurve, deferral_curve
from hybridchat.evaluation.honesty import brier, ece, log_loss
from hybridchat.evaluation.ranking import auprc, auroc
from hybridchat.evaluation.selective import risk_among, risk_coverage

Metrics = Mapping[str, float | None]


def routing_metrics(scores: Sequence[float], local: Sequence[bool], remote: Sequence[bool]) -> dict[str, float | None]:
    """Return what sending answers by descending score buys, and how well the score finds errors and gains.

    ``auroc_wrong`` finds wrong local answers, ``auroc_gain`` those that are wrong and right remotely.
    """
    return {
        **curve_metrics(deferral_curve(scores, local, remote)),
        "auroc_wrong": auroc(scores, [not right for right in local]),
        "auroc_gain": auroc(scores, [bool(there) and not here for here, there in zip(local, remote, strict=True)]),
    }


def curve_metrics(curve: DeferralCurve) -> dict[str, float | None]:
    """Return what a curve of quality against remote calls amounts to."""
    return {
        "apgr": curve.apgr(),
        "cpt50": curve.cpt(0.5),
        "cpt80": curve.cpt(0.8),
        "aiq": curve.aiq(),
        **{f"saved{percent}": curve.saved(percent / 100) for percent in (95, 98, 99, 100)},
    }


def confidence_metrics(probabilities: Sequence[float], right: Sequence[bool]) -> dict[str, float | None]:
    """Return how well a probability ranks, and whether it means what it says."""
    wrong = [not r for r in right]
    doubt = [-p for p in probabilities]
    risks = risk_coverage(probabilities, right)
    least = risk_coverage([float(bool(r)) for r in right], right)
    area, perfect = sum(risks) / len(risks), sum(least) / len(least)
    return {
        "auroc": auroc(probabilities, right),
        "auprc_wrong": auprc(doubt, wrong),
        "auarc": 1 - area,
        "aurc": area,
        "e_aurc": area - perfect,
        **{f"risk{percent}": risk_among(risks, percent / 100) for percent in (50, 80, 90)},
        **honesty_metrics(probabilities, right),
    }


def honesty_metrics(probabilities: Sequence[float], right: Sequence[bool]) -> dict[str, float | None]:
    """Return whether a probability means what it says."""
    return {
        "ece": ece(probabilities, right),
        "brier": brier(probabilities, right),
        "log_loss": log_loss(probabilities, right),
    }


def oracle_scores(local: Sequence[bool], remote: Sequence[bool]) -> list[float]:
    """Return the scores of a router that knows both outcomes: 1 for a gain, -1 for a loss, else 0."""
    return [float(bool(there)) - float(bool(here)) for here, there in zip(local, remote, strict=True)]


def random_scores(n: int) -> list[float]:
    """Return the scores of a router that knows nothing: all equal, so that the order is random."""
    return [0.0] * n
