"""How fast the chat screen is there, what it costs at rest, and how long a large store holds it up.

``python -m benchmarks.screen [--json] [--quick]``, on Linux. In one run, in turn, everything compiled before:

- first frame: from the start of ``hybridchat chat`` in a real pseudo-terminal until its first frame is written, against
  a bare Textual app with one TextArea;
- idle: CPU time of all threads while nothing happens, a few seconds after the start, against that bare app's;
- opening: the event loop's longest stall while a conversation is opened from the list, 10,000 messages against 100;
- searching: the same while a word is searched for that most messages have, 100,000 messages against 100.

Stores are on disk; each run has a process of its own. Medians, with the smallest and the largest in parentheses.
--quick measures each once and takes a tenth of the messages: it shows that the benchmark works, not what the numbers
are.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.loopback import ollama
from benchmarks.screen_stalls import databases, opening, searching
from benchmarks.screen_terminal import BARE_TEXT, bare_command, terminal
from benchmarks.startup import compile_everything
from benchmarks.streaming import alone

_SETTLING = 3.0
_FIRST_SHOWN = "F1 help"


@dataclass(frozen=True)
class Row:
    """What was measured of the chat and of what it is compared with, one value a run, and the ratio aimed at."""

    name: str
    unit: str
    ours: list[float]
    other: list[float]
    target: float
    versus: str

    @property
    def ratio(self) -> float:
        """The median of ours to the other's."""
        return statistics.median(self.ours) / statistics.median(self.other)

    @property
    def met(self) -> bool:
        """Whether the aim is reached."""
        return self.ratio <= self.target

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return (
            f"{self.name:<28} {_spread(self.ours)} {self.unit}   {self.versus} {_spread(self.other)} {self.unit}"
            f"   ratio {self.ratio:.2f} (aim {self.target:g}) {verdict}"
        )


def in_terminals(runs: int, seconds: float) -> list[Row]:
    """Measure the first frame ``runs`` times and an idle time of ``seconds`` a third as often, both apps in turn."""
    chat, bare = [sys.executable, "-m", "hybridchat", "chat"], bare_command()
    first: dict[str, list[float]] = {"chat": [], "bare": []}
    idle: dict[str, list[float]] = {"chat": [], "bare": []}
    with tempfile.TemporaryDirectory() as home, ollama(tokens=1) as (url, _):
        environ = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home}
        environ |= {"HYBRIDCHAT_LOCAL_BACKEND": "ollama", "HYBRIDCHAT_LOCAL_URL": url}
        for run in range(runs + 1):
            for name, command, shown in (("chat", chat, _FIRST_SHOWN), ("bare", bare, BARE_TEXT)):
                with terminal(command, environ) as app:
                    frame = app.until(shown)
                    if run:  # the first one warms the disk cache
                        first[name].append(frame * 1e3)
                    if run % 3 == 1:
                        app.idle(_SETTLING)
                        idle[name].append(app.idle(seconds) / seconds * 1e3)
    return [
        Row("first frame", "ms", first["chat"], first["bare"], 1.3, "bare app"),
        Row("idle: CPU a second", "ms", idle["chat"], idle["bare"], 1.0, "bare app"),
    ]


def in_stores(runs: int, long: int, many: int) -> list[Row]:
    """Measure the longest stalls while opening a conversation of ``long`` messages and searching ``many``."""
    with tempfile.TemporaryDirectory() as folder:
        paths = databases(Path(folder), long, many)
        rows = []
        for action, scenario, count in (("open", opening, long), ("search", searching, many)):
            results: dict[int, list[dict[str, float]]] = {count: [], 100: []}
            for _ in range(runs):
                for size, found in results.items():
                    found.append(alone(scenario, paths[f"{action} {size}"]))
            for key, name in (("clock", "stall, clock"), ("cpu", "stall, CPU")):
                ours, other = ([result[key] for result in results[size]] for size in (count, 100))
                rows.append(Row(f"{action} {count:,}: {name}", "ms", ours, other, 3.0, "100 messages"))
    return rows


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):7.1f} ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    compile_everything()
    rows = in_terminals(*((1, 2.0) if options.quick else (9, 10.0)))
    rows += in_stores(*((1, 1_000, 10_000) if options.quick else (5, 10_000, 100_000)))
    if options.json:
        print(json.dumps([{**vars(row), "ratio": row.ratio, "met": row.met} for row in rows], indent=2))
    else:
        print(*rows, sep="\n")


if __name__ == "__main__":
    main()
