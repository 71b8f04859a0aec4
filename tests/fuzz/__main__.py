"""``python -m tests.fuzz TARGET [-runs=N] [-max_total_time=SECONDS]``: search with atheris; ends at the first find."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Fuzz the target that the first argument names; the rest are libFuzzer's options."""
    import atheris  # noqa: PLC0415 - it must be there before what it instruments

    with atheris.instrument_imports(include=["hybridchat"]):
        from tests.fuzz.targets import SEEDS, TARGETS  # noqa: PLC0415 - the same

    name, *options = sys.argv[1:] or [""]
    if name not in TARGETS:
        sys.exit(f"name one of: {', '.join(TARGETS)}")
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[name]):
            (Path(corpus) / str(number)).write_bytes(seed)
        random.seed(0)
        atheris.Setup([sys.argv[0], *options, corpus], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
