from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS

ROOT = Path(__file__).parents[2]
OPTIONS = ("-runs=1500", "-seed=1", "-max_len=400")


@pytest.mark.parametrize("name", TARGETS)
def test_the_promise_holds_for_known_hard_cases_and_parts_of_them(name: str) -> None:
    for seed in SEEDS[name]:
        for length in range(len(seed) + 1):
            TARGETS[name](seed[:length])


@pytest.mark.parametrize("name", TARGETS)
def test_the_promise_holds_for_any_bytes(name: str) -> None:
    fragments = st.lists(st.sampled_from(SEEDS[name]) | st.binary(max_size=8), max_size=6).map(b"".join)

    @settings(max_examples=100)
    @given(fragments | st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "ignore")))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()


@pytest.mark.skipif(
    sys.platform != "linux" or not importlib.util.find_spec("atheris"), reason="atheris is not installed"
)
@pytest.mark.parametrize("name", TARGETS)
def test_a_search_led_by_coverage_finds_nothing(name: str, tmp_path: Path) -> None:
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz",
            name,
            "-runs=1500",
            "-seed=1",
            "-max_len=400",
            f"-artifact_prefix={tmp_path}/",
        ],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    assert "Done 1500 runs" in found.stdout + found.stderr
