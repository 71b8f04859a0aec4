"""Identifiers that sort by time and are quick to type.

Sixteen characters of Crockford's base 32 in lower case: 45 bits of milliseconds since 1970 and 35 random bits. The
first seven characters tell apart what was made more than a second ago from what is made now, so a short prefix is
enough to name a conversation by hand.
"""

from __future__ import annotations

import os
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 16
_RANDOM_BITS = 35
_MISREAD = str.maketrans("ilo", "110")


def new_id() -> str:
    """Return an identifier that no other process has."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(5), "big") & (1 << _RANDOM_BITS) - 1
    number = milliseconds << _RANDOM_BITS | random
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))


def as_typed(text: str) -> str:
    """Return an identifier, or the beginning of one, from what a person typed; empty where it cannot be one."""
    typed = text.strip().lower().translate(_MISREAD)
    return typed if len(typed) <= LENGTH and set(typed) <= set(ALPHABET) else ""
