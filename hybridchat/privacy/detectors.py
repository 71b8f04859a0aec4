"""Everything that is looked for in a text before it leaves.

A detector is a function from a text to the spans it found. It is deterministic and takes time linear in the text: its
patterns have possessive or bounded quantifiers and start at a literal, or only where a run of their characters begins.
It sees plain text: what is written in another way is read first (``views``, ``encoded``, ``wrapped``).
A new token shape is one row of ``tokens.PREFIXED_TOKENS``, a new number one of ``numbers``, a new word that announces
something one of ``contexts``; a new kind of thing is one function in ``DETECTORS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from hybridchat.privacy.assignments import assigned_secrets
from hybridchat.privacy.columns import in_columns
from hybridchat.privacy.commands import passwords_of_commands
from hybridchat.privacy.contexts import in_context
from hybridchat.privacy.emails import emails
from hybridchat.privacy.encoded import encoded_texts
from hybridchat.privacy.identity import NOBODY, Identity, identity_detectors
from hybridchat.privacy.network import coordinates, machine_addresses
from hybridchat.privacy.numbers import personal_numbers
from hybridchat.privacy.phones import phone_numbers
from hybridchat.privacy.private_keys import private_keys
from hybridchat.privacy.random_strings import random_strings
from hybridchat.privacy.spans import Kind, Span, merged
from hybridchat.privacy.streets import street_addresses
from hybridchat.privacy.tokens import prefixed_tokens, tokens_in_context
from hybridchat.privacy.views import folded, unescaped
from hybridchat.privacy.words import word_detector
from hybridchat.privacy.wrapped import across_lines

__all__ = ["DETECTORS", "Detector", "Kind", "Span", "detect", "detectors", "merged"]

Detector = Callable[[str], Iterable[Span]]

_OF_PLAIN_TEXT: tuple[Detector, ...] = (
    prefixed_tokens, tokens_in_context, emails, personal_numbers, phone_numbers, machine_addresses, coordinates,
    in_context, street_addresses, random_strings,
)  # fmt: skip
_WRAPPED: tuple[Detector, ...] = (prefixed_tokens, tokens_in_context, emails, personal_numbers, random_strings)
DETECTORS: tuple[Detector, ...] = (private_keys, assigned_secrets, passwords_of_commands, in_columns, *_OF_PLAIN_TEXT)
_DEPTH = 2  # encoded texts in encoded texts


def detectors(words: Sequence[str] = (), identity: Identity = NOBODY) -> tuple[Detector, ...]:
    """Return all detectors, with those for the user's own ``words`` and for who the user is."""
    return (*DETECTORS, *identity_detectors(identity), word_detector(words))


def detect(text: str, using: Iterable[Detector] = DETECTORS) -> list[Span]:
    """Return what the detectors find in ``text``, in order and without overlaps."""
    using = tuple(using)
    found = merged(_found(text, using, _DEPTH))
    wrapped = [detector for detector in using if detector in _WRAPPED]
    return merged([*found, *across_lines(folded(text), found, wrapped)])


def _found(text: str, using: tuple[Detector, ...], depth: int) -> Iterator[Span]:
    plain = folded(text)
    for detector in using:
        yield from detector(plain)
    if "\\" in text:
        for detector in using:
            if detector not in _OF_PLAIN_TEXT:
                yield from detector(text)
    for view in unescaped(plain):
        for detector in using:
            yield from (Span(*view.original(span.start, span.end), span.kind) for span in detector(view.text))
    if depth:
        for places, meaning in encoded_texts(plain):
            inside = next(iter(_found(meaning, using, depth - 1)), None)
            if inside is not None:
                yield from (Span(start, end, inside.kind) for start, end in places)
