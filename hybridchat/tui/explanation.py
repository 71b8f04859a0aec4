"""Puts into words why a model answered. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridchat import phrases

if TYPE_CHECKING:
    from hybridchat.messages import Confidence, Provenance, Reading


def explanation(source: Provenance, local: Provenance | None) -> str:
    """Return a text about an answer; ``local`` is the local answer to the same question, maybe the same, if any."""
    facts = [
        ("model", f"{source.model} at {source.endpoint}"),
        ("runs", phrases.where(source.place)),
        ("reason", source.reason),
        ("confidence", phrases.confidence(source.confidence) if source.confidence else ""),
        ("first token", f"{source.first_token_seconds:.2f} s" if source.first_token_seconds is not None else ""),
        ("loading", f"{source.load_seconds:.1f} s" if source.load_seconds else ""),
        ("weights", source.digest or ""),
    ]
    lines = [_row(name, value) for name, value in facts if value]
    if local is None:
        return "\n".join([*lines, "", "No local model answered: there are no signals."])
    if local.withdrawal is not None:
        after = phrases.counted(local.withdrawal.tokens, "token")
        lines += ["", f"The local draft of {local.model} was set aside after {after}: {local.withdrawal.reason}"]
    if local.reading is None or local.confidence is None:
        return "\n".join([*lines, "", "The confidence of the local answer was not read."])
    return "\n".join([*lines, "", *_reading(local.reading, local.confidence)])


def _reading(reading: Reading, confidence: Confidence) -> list[str]:
    lines = [f"The local answer was read at {phrases.counted(reading.tokens, 'token')}:"]
    lines.append(_row("confidence", phrases.confidence(confidence, reading.threshold)))
    if reading.threshold is None:
        lines.append(_row("threshold", "none: no remote answer was possible"))
    else:
        stands = confidence.value >= reading.threshold
        verdict = "above: the local answer stands" if stands else "below: the remote model is asked"
        threshold = phrases.percentages(confidence.value, reading.threshold)[1]
        lines.append(_row("threshold", f"{threshold}, {verdict}"))
    if reading.signals:
        lines += ["", "Signals:"]
        lines += [_row(f"  {name.replace('_', ' ')}", f"{number:.4g}") for name, number in reading.signals.items()]
    return lines


def _row(name: str, value: str) -> str:
    return f"{name:<28} {value}" if name.startswith("  ") else f"{name:<12} {value}"
