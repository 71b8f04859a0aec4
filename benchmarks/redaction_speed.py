r"""Times redaction against ``re.findall(r"\w+", text)``, on mixed text and on text made to be slow."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Sequence

from hybridchat.privacy.detectors import detect
from hybridchat.privacy.redaction import Redactor

SIZE = 100_000  # characters of the text that is timed
ROUNDS = 9
HOSTILE = {
    "digits": "1234567890",
    "spaced digits": "123 ",
    "at signs": "a@",
    "base64": "QUJDREVGabcd0123+/",
    "percent": "%41%",
    "backslashes": "\\u0041\\",
    "colons": "ab:12:",
    "dots": "1.2.",
    "names of secrets": "password token ",
    "ends of keys": "-----END PRIVATE KEY-----\n",
    "line breaks": "a1_\n",
    "hyphens": "a-1-",
}


def seconds(action: Callable[[], object]) -> float:
    """Return the processor time of one run of an action."""
    begin = time.process_time()
    action()
    return time.process_time() - begin


def speed(text: str, words: Sequence[str]) -> dict[str, float | int]:
    """Time the redaction of 100,000 characters of a text, and its restoration, against a plain word search.

    The three run in turns, so that a busy machine slows them alike; medians, and the quartiles of the ratio.
    """
    text = (text * (1 + SIZE // max(1, len(text))))[:SIZE]
    redactor = Redactor(words)
    redacted = redactor.redact(text).text
    rounds = [
        (
            seconds(lambda: re.findall(r"\w+", text)),
            seconds(lambda: Redactor(words).redact(text)),
            seconds(lambda: redactor.restore(redacted)),
        )
        for _ in range(ROUNDS)
    ]
    ratios = statistics.quantiles((redaction / search for search, redaction, _ in rounds), n=4)
    search, redaction, restoration = (statistics.median(times) for times in zip(*rounds, strict=True))
    return {
        "characters": len(text),
        "findall_ms": round(1e3 * search, 2),
        "redact_ms": round(1e3 * redaction, 2),
        "redact_ratio": round(ratios[1], 1),
        "redact_ratio_low": round(ratios[0], 1),
        "redact_ratio_high": round(ratios[2], 1),
        "restore_ms": round(1e3 * restoration, 2),
        "restore_ratio": round(restoration / search, 2),
    }


def hostile_speed(piece: str) -> tuple[float, float]:
    """Return the milliseconds for 100,000 and for 1,000,000 characters of a repeated piece: linear if tenfold."""
    texts = ((piece * (1 + size // len(piece)))[:size] for size in (SIZE, 10 * SIZE))
    small, large = (1e3 * seconds(lambda text=text: detect(text)) for text in texts)  # type: ignore[misc]
    return small, large
