from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.redaction import BrokenCorpus, accuracy, read
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
        {"text": "to bob@example.com", "spans": [{"start": 3, "end": 18, "kind": "email"}]},
        {"text": "the tiger sleeps", "spans": [{"start": 4, "end": 9, "kind": "animal"}]},
        {"text": "key AKIAABCDEFGHIJKLMNOP", "spans": [{"start": 4, "end": 24, "kind": "cloud"}]},
        {"text": "ann@example.com"},
    ]
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert accuracy(list(read(corpus)), ()) == {
        "ANIMAL": {"true": 1, "redacted": 0, "precision": None, "recall": 0.0},
        "CLOUD": {"true": 1, "redacted": 0, "precision": None, "recall": 1.0},
        "EMAIL": {"true": 1, "redacted": 2, "precision": 0.5, "recall": 1.0},
        "KEY": {"true": 0, "redacted": 1, "precision": 1.0, "recall": None},
        "all": {"true": 3, "redacted": 3, "precision": 0.6667, "recall": 0.6667},
    }


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "1", '{"text": 1}', '{"spans": []}', '{"text": "a", "spans": [{"start": 0}]}',
     '{"text": "a", "spans": [{"start": 0, "end": 2, "kind": "email"}]}', '{"text": "a", "spans": 1}'],
)  # fmt: skip
def test_a_broken_line_of_a_corpus_is_named(tmp_path: Path, line: str) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"text": "fine"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(BrokenCorpus, match="line 3"):
        list(read(corpus))


def test_a_line_of_a_corpus_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_bytes(b'{"text": "fine"}\n{"text": "\xff"}\n')
    with pytest.raises(BrokenCorpus, match="line 2"):
        list(read(corpus))
