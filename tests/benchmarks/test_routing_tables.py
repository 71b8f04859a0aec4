from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks.routing_tables import between_marks, main
from hybridchat.errors import InputError
from hybridchat.evaluation.traces import write_traces
from tests.benchmarks.paired_outcomes import records, write
from tests.evaluation.made_traces import traces

PAGE = "before\n<!-- traces -->\nold\n<!-- end of traces -->\nafter\n<!-- pairs --><!-- end of pairs -->\n"


def recorded(folder: Path) -> Path:
    path = folder / "pair.jsonl.gz"
    write_traces(path, [msgspec.structs.replace(one, family=f"f{i % 3}") for i, one in enumerate(traces(80))])
    return path


def check_tables(text: str) -> None:
    widths = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert widths
    for above, below in zip(text.splitlines(), text.splitlines()[1:], strict=False):
        if above.startswith("|") and below.startswith("|"):
            assert above.count("|") == below.count("|")


def test_the_tables_of_recorded_turns_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--traces", str(recorded(tmp_path)), "--resamples", "3"]) == 0
    out = capsys.readouterr().out
    check_tables(out)
    for row in ("oracle", "always-remote", "question-only", "policy, calibrated, new kinds", "prior, long", "regret"):
        assert f"| {row}" in out
    assert "| at 98%: false aborts at most .05 |" in out


def test_the_tables_of_pairs_are_put_into_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "pairs", "sums", records(n=60))
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    arguments = ["--pairs", str(folder), "--into", str(page), "--repeats", "1", "--resamples", "3"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == ""
    once = page.read_text(encoding="utf-8")
    check_tables(once)
    assert "| text+agreement+gain |" in once
    assert "old" in once
    assert main(arguments) == 0
    assert page.read_text(encoding="utf-8") == once


def test_a_page_without_a_place_for_them_is_refused() -> None:
    assert between_marks(PAGE, "traces", "new").startswith(
        "before\n<!-- traces -->\n\nnew\n\n<!-- end of traces -->\nafter"
    )
    with pytest.raises(InputError, match="no place"):
        between_marks("nothing", "traces", "new")


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--traces", str(tmp_path / "none.jsonl")]) == 66
    assert "cannot read" in capsys.readouterr().err
