"""Says in one sentence why an answer was kept, set aside, or goes on."""

from __future__ import annotations

from collections.abc import Mapping

from hybridchat.messages import Confidence

TRIGGERS = {
    "refusal": "the local model declines or does not know",
    "loop": "the local model repeats itself",
    "empty": "the local model gave no answer",
    "broken_json": "the local model's JSON is invalid",
}
"""The signs that all but decide, by the name of their signal."""


def reason(
    confidence: Confidence, signals: Mapping[str, float], *, tokens: int | None, unsure: bool, least_sure: str
) -> str:
    """Return the sentence about an answer after ``tokens`` tokens, None at its end; ``least_sure`` is a token of it."""
    for name, sentence in TRIGGERS.items():
        if signals.get(name):
            return f"{sentence}: {confidence.value:.0%} likely to be right"
    when = "at the end" if tokens is None else f"after {'1 token' if tokens == 1 else f'{tokens} tokens'}"
    if unsure:
        return f"the local model is unsure: {confidence.value:.0%} {when}{_doubt(confidence, least_sure)}"
    if tokens is not None:
        return f"the local model goes on: {confidence.value:.0%} likely to be right {when}"
    if confidence.basis == "text":
        return f"the local answer shows no sign of failure, but the server gives no logprobs: {confidence.value:.0%}"
    return f"the local model is sure enough: {confidence.value:.0%} {when}"


def _doubt(confidence: Confidence, least_sure: str) -> str:
    if confidence.basis == "text":
        return " (read from the text alone)"
    token = "".join(filter(str.isprintable, least_sure)).strip()[:24]
    return f" (least sure of '{token}')" if token else ""
