r"""Measures redaction: precision and recall by kind and overall, what it touches of ordinary text, and its time.

``python -m benchmarks.redaction [--json] [--seed N] [--corpus FILE]``. A corpus is JSON Lines of
``{"text": ..., "spans": [{"start": ..., "end": ..., "kind": ...}]}``, offsets in characters, half-open; a text without
spans is clean. A true span is found when every letter and digit of it is redacted. A redacted span is right when it
touches a true span; by kind, one of its own kind or of a kind that we have no name for. Time is told in multiples of
``re.findall(r"\w+", text)`` on the same text.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.redaction_corpus import USER_WORDS, Labelled, canary_lines, clean_texts, generate
from benchmarks.redaction_speed import HOSTILE, hostile_speed, speed
from hybridchat.privacy.detectors import Detector, Kind, Span, detect, detectors

_ALIASES = {
    "PHONE_NUMBER": "PHONE", "TELEPHONE": "PHONE", "CREDIT_CARD": "CARD", "EMAIL_ADDRESS": "EMAIL", "IP_ADDRESS": "IP",
    "IPV4": "IP", "IPV6": "IP", "MAC_ADDRESS": "MAC", "COORDINATES": "LOCATION", "DATE_OF_BIRTH": "BIRTH_DATE",
    "DOB": "BIRTH_DATE",
    "API_KEY": "KEY", "TOKEN": "KEY", "ACCESS_TOKEN": "KEY", "NATIONAL_ID": "ID", "SSN": "ID", "PASSPORT": "ID",
    "STREET_ADDRESS": "ADDRESS", "HOSTNAME": "HOST", "PERSON": "NAME",
}  # fmt: skip
_OURS = {kind.value for kind in Kind}
_INTERCHANGEABLE = {"KEY", "PASSWORD", "SECRET"}  # which of them a secret is called says little

Row = dict[str, float | int | None]


class BrokenCorpus(ValueError):
    """A line of a corpus that cannot be read; the message says which and why."""


def read(path: Path) -> Iterator[Labelled]:
    """Read a corpus in JSON Lines. Raises ``BrokenCorpus``."""
    with path.open("rb") as lines:  # so that a line that is no UTF-8 can be named
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield _labelled(json.loads(line.decode()))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise BrokenCorpus(f"{path}, line {number}: {type(error).__name__}: {error}") from error


def _labelled(row: dict[str, Any]) -> Labelled:
    text = row["text"]
    if not isinstance(text, str):
        raise TypeError("text is no string")
    spans = tuple((int(s["start"]), int(s["end"]), kind_name(str(s["kind"]))) for s in row.get("spans") or ())
    if any(not 0 <= start < end <= len(text) for start, end, _ in spans):
        raise ValueError("a span lies outside of the text")
    return Labelled(text, spans)


def kind_name(kind: str) -> str:
    """Return our name of a kind; a kind that we have no name for keeps its own."""
    name = kind.upper().replace("-", "_").replace(" ", "_")
    return _ALIASES.get(name, name)


def accuracy(corpus: Sequence[Labelled], words: Sequence[str]) -> dict[str, Row]:
    """Return counts, precision and recall by kind, and over all kinds as ``all``."""
    using = detectors(words)
    true, found, redacted, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for labelled in corpus:
        spans = detect(labelled.text, using)
        for start, end, kind in labelled.spans:
            is_found = _is_covered(labelled.text, start, end, spans)
            true.update([kind, "all"])
            found.update({kind: is_found, "all": is_found})
        for span in spans:
            touched = {kind for start, end, kind in labelled.spans if start < span.end and span.start < end}
            redacted.update([span.kind.value, "all"])
            right.update(
                {span.kind.value: any(_agree(span.kind.value, kind) for kind in touched), "all": bool(touched)}
            )
    kinds = [*sorted((set(true) | set(redacted)) - {"all"}), "all"]
    return {kind: _row(true[kind], found[kind], redacted[kind], right[kind]) for kind in kinds}


def _row(true: int, found: int, redacted: int, right: int) -> Row:
    return {
        "true": true,
        "redacted": redacted,
        "precision": round(right / redacted, 4) if redacted else None,
        "recall": round(found / true, 4) if true else None,
    }


def _is_covered(text: str, start: int, end: int, spans: Sequence[Span]) -> bool:
    near = [span for span in spans if span.start < end and start < span.end]
    return all(not text[at].isalnum() or any(s.start <= at < s.end for s in near) for at in range(start, end))


def _agree(ours: str, theirs: str) -> bool:
    return ours == theirs or theirs not in _OURS or {ours, theirs} <= _INTERCHANGEABLE


def touched(texts: Iterable[tuple[str, str]], using: Sequence[Detector]) -> dict[str, dict[str, float | int]]:
    """Return, by the kind of ordinary text and overall, how many characters there are and which share is redacted."""
    characters, covered = Counter[str](), Counter[str]()
    for sort, text in texts:
        inside = sum(span.end - span.start for span in detect(text, using))
        characters.update({sort: len(text), "all": len(text)})
        covered.update({sort: inside, "all": inside})
    return {
        sort: {"characters": characters[sort], "share": round(covered[sort] / characters[sort], 5)}
        for sort in characters
    }


def measure(corpus: Sequence[Labelled], words: Sequence[str], *, own: bool, seed: int) -> dict[str, Any]:
    """Return everything that is measured; ordinary text and held-out shapes only where the corpus is our own."""
    measured: dict[str, Any] = {"kinds": accuracy(corpus, words)}
    if own:
        measured["held_out"] = accuracy(list(canary_lines(seed, 400, held_out=True)), ())
        measured["ordinary"] = touched(clean_texts(seed), detectors())
    measured["speed"] = speed("\n".join(labelled.text for labelled in corpus) or " ", words)
    measured["hostile"] = {name: hostile_speed(piece) for name, piece in HOSTILE.items()}
    return measured


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description="Precision, recall and speed of redaction.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seed", type=int, default=0, help="of the generated corpus")
    parser.add_argument("--corpus", type=Path, help="JSON Lines instead of the generated corpus")
    parser.add_argument("--words", default="", help="the user's own words, with commas (with --corpus)")
    options = parser.parse_args()
    try:
        given = list(read(options.corpus)) if options.corpus else None
    except (OSError, BrokenCorpus) as error:
        sys.exit(f"The corpus cannot be read: {error}")
    words = [word for word in options.words.split(",") if word] if given is not None else USER_WORDS
    own = [*generate(options.seed, 1500), *canary_lines(options.seed, 1500)] if given is None else given
    measured = measure(own, words, own=given is None, seed=options.seed)
    print(json.dumps(measured) if options.json else "\n".join(_report(measured)))


def _report(measured: dict[str, Any]) -> Iterator[str]:
    yield from _table(measured["kinds"])
    if "held_out" in measured:
        yield "\nshapes that no detector was written for:"
        yield from _table(measured["held_out"])
        yield "\nordinary text, share of characters touched:"
        yield from (
            f"{sort:12} {row['characters']:>9} {row['share']:>8.2%}" for sort, row in measured["ordinary"].items()
        )
    timing = measured["speed"]
    yield (
        f"\n{timing['characters']} characters: {timing['redact_ms']} ms to redact, {timing['redact_ratio']} x findall "
        f"({timing['redact_ratio_low']}-{timing['redact_ratio_high']}); {timing['restore_ms']} ms to restore, "
        f"{timing['restore_ratio']} x findall ({timing['findall_ms']} ms)"
    )
    yield "hostile text, ms for 100,000 characters and for 1,000,000:"
    yield from (f"{name:24} {small:>9.1f} {large:>9.1f}" for name, (small, large) in measured["hostile"].items())


def _table(rows: dict[str, Row]) -> Iterator[str]:
    yield f"{'kind':16} {'true':>6} {'redacted':>9} {'precision':>10} {'recall':>8}"
    for kind, row in rows.items():
        cells = ["-" if row[name] is None else f"{row[name]:.4f}" for name in ("precision", "recall")]
        yield f"{kind:16} {row['true']:>6} {row['redacted']:>9} {cells[0]:>10} {cells[1]:>8}"


if __name__ == "__main__":
    main()
