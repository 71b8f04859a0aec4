r"""Measures redaction: precision and recall by kind, and its time against ``re.findall(r"\w+", text)``.

``python -m benchmarks.redaction [--json] [--seed N] [--corpus FILE]``. A corpus is JSON Lines of
``{"text": ..., "spans": [{"start": ..., "end": ..., "kind": ...}]}``, offsets in characters. A true span is found when
every character of it is redacted; a redacted span is right when it touches a true span of its kind.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.redaction_corpus import USER_WORDS, Labelled, generate
from hybridchat.privacy.detectors import detect, detectors
from hybridchat.privacy.redaction import Redactor

SIZE = 100_000  # characters of the text that is timed
ROUNDS = 21


def read(path: Path) -> Iterator[Labelled]:
    """Read a corpus in JSON Lines."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Labelled(row["text"], tuple((s["start"], s["end"], s["kind"]) for s in row["spans"]))


def accuracy(corpus: Sequence[Labelled], words: Sequence[str]) -> dict[str, dict[str, float | int | None]]:
    """Return counts, precision and recall by kind."""
    using = detectors(words)
    true, found, redacted, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for labelled in corpus:
        spans = detect(labelled.text, using)
        for start, end, kind in labelled.spans:
            true[kind] += 1
            found[kind] += any(span.start <= start and end <= span.end for span in spans)
        for span in spans:
            redacted[span.kind] += 1
            right[span.kind] += any(s < span.end and span.start < e and k == span.kind for s, e, k in labelled.spans)
    return {
        kind: {
            "true": true[kind],
            "redacted": redacted[kind],
            "precision": round(right[kind] / redacted[kind], 4) if redacted[kind] else None,
            "recall": round(found[kind] / true[kind], 4) if true[kind] else None,
        }
        for kind in sorted(set(true) | set(redacted))
    }


def seconds(action: Callable[[], object]) -> float:
    """Return the processor time of one run of an action."""
    begin = time.process_time()
    action()
    return time.process_time() - begin


def speed(corpus: Sequence[Labelled], words: Sequence[str]) -> dict[str, float | int]:
    """Time the redaction of 100,000 characters of the corpus, and its restoration, against a plain word search.

    The three run in turns, so that a busy machine slows them alike; medians, and the quartiles of the ratio.
    """
    text = "\n".join(labelled.text for labelled in corpus)
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


def main() -> None:
    """Print what was measured; the ratio with its quartiles."""
    parser = argparse.ArgumentParser(description="Precision, recall and speed of redaction.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seed", type=int, default=0, help="of the generated corpus")
    parser.add_argument("--corpus", type=Path, help="JSON Lines instead of the generated corpus")
    parser.add_argument("--words", default="", help="the user's own words, with commas (with --corpus)")
    options = parser.parse_args()
    corpus = list(read(options.corpus) if options.corpus else generate(options.seed, 2000))
    words = [w for w in options.words.split(",") if w] if options.corpus else USER_WORDS
    by_kind, timing = accuracy(corpus, words), speed(corpus, words)
    if options.json:
        print(json.dumps({"kinds": by_kind, "speed": timing}))
        return
    print(f"{'kind':12} {'true':>6} {'redacted':>9} {'precision':>10} {'recall':>8}")
    for kind, row in by_kind.items():
        cells = ["-" if row[name] is None else f"{row[name]:.4f}" for name in ("precision", "recall")]
        print(f"{kind:12} {row['true']:>6} {row['redacted']:>9} {cells[0]:>10} {cells[1]:>8}")
    print(
        f"{timing['characters']} characters: {timing['redact_ms']} ms to redact, {timing['redact_ratio']} x findall "
        f"({timing['redact_ratio_low']}-{timing['redact_ratio_high']}); {timing['restore_ms']} ms to restore, "
        f"{timing['restore_ratio']} x findall ({timing['findall_ms']} ms)"
    )


if __name__ == "__main__":
    main()
