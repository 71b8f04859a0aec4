"""What remains wrong when only the surest answers are kept.

Risk-coverage curve: Geifman and El-Yaniv, *Selective classification for deep neural networks* (2017). E-AURC: Geifman,
Uziel and El-Yaniv, *Bias-reduced uncertainty estimation* (2019). Accuracy-rejection: Nadeem, Zucker and Hanczar (2010).
"""

from __future__ import annotations

from collections.abc import Sequence

from hybridchat.evaluation.ties import same_length, tied


def risk_coverage(confidence: Sequence[float], right: Sequence[bool]) -> list[float]:
    """Return the share of errors among the ``k`` surest answers, for ``k`` = 1 to n."""
    same_length(confidence, right)
    risks: list[float] = []
    errors = 0.0
    for group in tied(confidence, descending=True):
        rate = sum(not right[i] for i in group) / len(group)
        for _ in group:
            errors += rate
            risks.append(errors / (len(risks) + 1))
    return risks


def risk_at(confidence: Sequence[float], right: Sequence[bool], coverage: float) -> float:
    """Return the share of errors among the surest ``coverage`` (over 0, at most 1) of the answers."""
    return risk_among(risk_coverage(confidence, right), coverage)


def risk_among(risks: Sequence[float], coverage: float) -> float:
    """Return the risk at ``coverage`` (over 0, at most 1) of a risk-coverage curve."""
    if not 0 < coverage <= 1:
        raise ValueError("coverage must be over 0 and at most 1")
    return risks[max(1, round(coverage * len(risks))) - 1]


def aurc(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """Return the area under the risk-coverage curve: the mean of its n risks."""
    risks = risk_coverage(confidence, right)
    return sum(risks) / len(risks)


def e_aurc(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """Return by how much the AURC exceeds that of a perfect ranking with as many errors."""
    return aurc(confidence, right) - aurc([float(bool(r)) for r in right], right)


def auarc(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """Return the area under the accuracy-rejection curve, ``1 - AURC``."""
    return 1 - aurc(confidence, right)
