"""Everything that is looked for in a text before it leaves.

A detector is a function from a text to the spans it found. It is deterministic and takes time linear in the text: its
patterns have possessive or bounded quantifiers and start at a literal, or only where a run of their characters begins.
A new token shape is one row of ``tokens.PREFIXED_TOKENS``; a new kind of thing is one function in ``DETECTORS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hybridchat.privacy.assignments import assigned_secrets
from hybridchat.privacy.emails import emails
from hybridchat.privacy.spans import Kind, Span, merged
from hybridchat.privacy.tokens import prefixed_tokens, private_keys, tokens_in_context
from hybridchat.privacy.words import word_detector

__all__ = ["DETECTORS", "Detector", "Kind", "Span", "detect", "detectors", "merged"]

Detector = Callable[[str], Iterable[Span]]

DETECTORS: tuple[Detector, ...] = (private_keys, prefixed_tokens, tokens_in_context, assigned_secrets, emails)


def detectors(words: Sequence[str] = ()) -> tuple[Detector, ...]:
    """Return all detectors, with one for the user's own ``words``."""
    return (*DETECTORS, word_detector(words))


def detect(text: str, using: Iterable[Detector] = DETECTORS) -> list[Span]:
    """Return what the detectors find in ``text``, in order and without overlaps."""
    return merged(span for detector in using for span in detector(text))
