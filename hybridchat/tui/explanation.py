"""Puts into words why a model answered. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridchat import phrases

if TYPE_CHECKING:
    from hybridchat.events import Measured
    from hybridchat.messages import Provenance


def explanation(source: Provenance, reading: Measured | None) -> str:
    """Return a text about an answer; ``reading`` is the last one of the local model's confidence in this session."""
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
    if reading is None:
        lines += ["", "The signals of the local answer are shown for answers of this session."]
        return "\n".join(lines)
    value = reading.confidence.value
    lines += ["", f"The local answer was read at {phrases.counted(reading.tokens, 'token')}:"]
    lines.append(_row("confidence", phrases.confidence(reading.confidence)))
    if reading.threshold is None:
        lines.append(_row("threshold", "none: no remote answer was possible"))
    else:
        verdict = "above: the local answer stands" if value >= reading.threshold else "below: the remote model is asked"
        lines.append(_row("threshold", f"{reading.threshold:.0%}, {verdict}"))
    if reading.signals:
        lines += ["", "Signals:"]
        lines += [_row(f"  {name.replace('_', ' ')}", f"{number:.4g}") for name, number in reading.signals.items()]
    return "\n".join(lines)


def _row(name: str, value: str) -> str:
    return f"{name:<28} {value}" if name.startswith("  ") else f"{name:<12} {value}"
