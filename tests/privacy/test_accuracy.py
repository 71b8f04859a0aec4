from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.redaction import accuracy, read
from benchmarks.redaction_corpus import USER_WORDS, generate


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_generated_corpus_is_redacted_almost_without_fault(seed: int) -> None:
    by_kind = accuracy(list(generate(seed, 500)), USER_WORDS)
    assert set(by_kind) >= {"EMAIL", "KEY", "PASSWORD", "PRIVATE_KEY", "WORD"}
    for row in by_kind.values():
        assert row["true"]
        assert (row["precision"] or 0) >= 0.97
        assert (row["recall"] or 0) >= 0.98


def test_a_corpus_is_read_from_json_lines_and_misses_are_counted(tmp_path: Path) -> None:
    rows = [
        {"text": "to bob@example.com", "spans": [{"start": 3, "end": 18, "kind": "EMAIL"}]},
        {"text": "call 555-0100", "spans": [{"start": 5, "end": 13, "kind": "PHONE"}]},
        {"text": "ann@example.com", "spans": []},
    ]
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert accuracy(list(read(corpus)), ()) == {
        "EMAIL": {"true": 1, "redacted": 2, "precision": 0.5, "recall": 1.0},
        "PHONE": {"true": 1, "redacted": 0, "precision": None, "recall": 0.0},
    }
