"""The metrics of a router and of a confidence, all at once and by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybridchat.evaluation.deferral import deferral_curve
from hybridchat.evaluation.honesty import brier, ece, log_loss
from hybridchat.evaluation.ranking import auprc, auroc
from hybridchat.evaluation.selective import auarc, aurc, e_aurc, risk_at

Metrics = Mapping[str, float | None]


def routing_metrics(scores: Sequence[float], local: Sequence[bool], remote: Sequence[bool]) -> dict[str, float | None]:
    """Return what sending answers by descending score buys, and how well the score finds errors and gains.

    ``auroc_wrong`` finds wrong local answers, ``auroc_gain`` those that are wrong and right remotely.
    """
    curve = deferral_curve(scores, local, remote)
    return {
        "apgr": curve.apgr(),
        "cpt50": curve.cpt(0.5),
        "cpt80": curve.cpt(0.8),
        "aiq": curve.aiq(),
        **{f"saved{percent}": curve.saved(percent / 100) for percent in (95, 98, 99, 100)},
        "auroc_wrong": auroc(scores, [not right for right in local]),
        "auroc_gain": auroc(scores, [bool(there) and not here for here, there in zip(local, remote, strict=True)]),
    }


def confidence_metrics(probabilities: Sequence[float], right: Sequence[bool]) -> dict[str, float | None]:
    """Return how well a probability ranks, and whether it means what it says."""
    wrong = [not r for r in right]
    doubt = [-p for p in probabilities]
    return {
        "auroc": auroc(probabilities, right),
        "auprc_wrong": auprc(doubt, wrong),
        "auarc": auarc(probabilities, right),
        "aurc": aurc(probabilities, right),
        "e_aurc": e_aurc(probabilities, right),
        **{f"risk{percent}": risk_at(probabilities, right, percent / 100) for percent in (50, 80, 90)},
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
