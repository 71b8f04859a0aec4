from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from hybridchat.errors import CannotWrite, InputError, InputMissing
from hybridchat.evaluation.traces import (
    LocalTrace,
    RemoteTrace,
    Trace,
    encoded,
    read_traces,
    resumed,
    token_rows,
    write_traces,
)
from hybridchat.messages import FinishReason, TokenLogprob

TOKENS = (TokenLogprob("Par", -0.123456, (-0.123456, -2.34567)), TokenLogprob("is", -0.5))
LOCAL = LocalTrace(
    "small", "Paris", FinishReason.STOP, 1.5, True, token_rows(TOKENS), digest="abc", quantisation="Q4_K_M", top_k=2
)
TRACE = Trace("a-1", "What is the capital of France?", LOCAL, "capital", 0.0)
WITH_REMOTE = Trace(
    "a-2", "Why?", LOCAL, length="long", remote=RemoteTrace("large", "So.", FinishReason.LENGTH, 2.0, False, 0.001)
)


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz", "t.jsonl.xz"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    write_traces(tmp_path / name, [TRACE, WITH_REMOTE])
    assert read_traces(tmp_path / name) == [TRACE, WITH_REMOTE]


def test_compression_is_seen_by_content_not_by_name(tmp_path: Path) -> None:
    (tmp_path / "traces").write_bytes(gzip.compress(encoded(TRACE)))
    assert read_traces(tmp_path / "traces") == [TRACE]


def test_logprobs_come_back_as_a_backend_gives_them() -> None:
    first, second = LOCAL.logprobs
    assert first == TokenLogprob("Par", -0.1235, (-0.123, -2.346))
    assert second == TokenLogprob("is", -0.5)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "line 2 of"),
        (b'{"id": "x"}', "missing required field `question`"),
        (encoded(TRACE).replace(b'"stop"', b'"sleepy"'), "sleepy"),
        (b'{"id": "\xff"}', "line 2 of"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: bytes, said: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(encoded(TRACE) + line + b"\n")
    with pytest.raises(InputError, match=said) as caught:
        read_traces(path)
    assert str(path) in caught.value.message
    with pytest.raises(InputError, match="line 2 of"):
        resumed(path)


def test_a_file_that_is_missing_empty_or_cut_short_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match="cannot read"):
        read_traces(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_bytes(b"\n\n")
    with pytest.raises(InputError, match="holds no traces"):
        read_traces(tmp_path / "empty.jsonl")
    for whole in (gzip.compress(encoded(TRACE)), b"\xfd7zXZ\x00" + zlib.compress(b"no")):
        (tmp_path / "cut").write_bytes(whole[:-5])
        with pytest.raises(InputError, match="cannot be decompressed"):
            read_traces(tmp_path / "cut")


def test_a_last_line_cut_by_a_crash_is_dropped_and_the_file_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(encoded(TRACE) + encoded(WITH_REMOTE)[:40])
    assert resumed(path) == [TRACE]
    with path.open("ab") as file:
        file.write(encoded(WITH_REMOTE))
    assert resumed(path) == [TRACE, WITH_REMOTE] == read_traces(path)
    assert resumed(tmp_path / "none.jsonl") == []


def test_a_folder_that_takes_nothing_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="cannot write"):
        write_traces(tmp_path / "no" / "t.jsonl", [TRACE])


def test_logprobs_that_json_cannot_hold_are_left_out_or_bounded() -> None:
    nan, infinite = TokenLogprob("a", float("nan")), TokenLogprob("b", float("-inf"), (-0.0, float("-inf")))
    assert token_rows([nan, infinite]) == (("b", -9999.0, (0.0, -9999.0)),)
