"""How long ``hybridchat ask`` takes from its start to the first byte on the wire, against a bare interpreter.

``python -m benchmarks.startup [--runs 15] [--json]``. In the same run, in turn: an interpreter that does nothing, one
that sends the question with httpx alone, and ``hybridchat ask``: until its first request (which models are there?),
and until the question itself. Wall-clock medians, with the quartiles as spread.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.loopback import CHAT, ollama

BARE = "bare interpreter"
# as lean as it can be: without certificates, which plain HTTP does not need
_BARE_HTTPX = "import httpx, sys; httpx.Client(trust_env=False, verify=False).post(sys.argv[1], json={})"


def compile_everything() -> None:
    """Compile the package and what it imports, since machines may switch byte-compiling off."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for folder in (Path(__file__).parent.parent / "hybridchat", Path(sysconfig.get_path("purelib"))):
        compileall.compile_dir(folder, quiet=2, workers=0)


def until_exit(command: list[str]) -> float:
    """Return the seconds that ``command`` runs."""
    started = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def until_first_bytes(command: list[str], first_byte: Connection, environ: dict[str, str]) -> tuple[float, float]:
    """Return the seconds from the start of ``command`` to the first byte of its first request, and of its question."""
    arrived: list[tuple[str, float]] = []
    started = time.monotonic()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environ
    ) as process:
        while not arrived or arrived[-1][0] != CHAT:
            if not first_byte.poll(60):
                raise SystemExit(f"no question came from {command}: {process.communicate(timeout=60)[1].decode()}")
            arrived.append(first_byte.recv())
        process.communicate()
        assert process.returncode == 0, command
    return arrived[0][1] - started, arrived[-1][1] - started


def measure(runs: int) -> dict[str, list[float]]:
    """Return the seconds of every run, by what was run; one run of each first, to warm the disk cache."""
    python = sys.executable
    with tempfile.TemporaryDirectory() as home, ollama(tokens=1) as (url, first_byte):
        environ = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home}
        environ |= {"HYBRIDCHAT_LOCAL_BACKEND": "ollama", "HYBRIDCHAT_LOCAL_URL": url}
        ask = [python, "-m", "hybridchat", "ask", "--local", "hi"]
        httpx_alone = [python, "-c", _BARE_HTTPX, url + CHAT]
        seconds: dict[str, list[float]] = {
            name: [] for name in (BARE, "httpx alone", "ask, first request", "ask, question")
        }
        for _ in range(runs + 1):
            seconds[BARE].append(until_exit([python, "-c", "pass"]))
            seconds["httpx alone"].append(until_first_bytes(httpx_alone, first_byte, environ)[1])
            first, question = until_first_bytes(ask, first_byte, environ)
            seconds["ask, first request"].append(first)
            seconds["ask, question"].append(question)
    return {name: values[1:] for name, values in seconds.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    compile_everything()
    rows = {}
    seconds = measure(options.runs)
    bare = statistics.median(seconds[BARE])
    for name, values in seconds.items():
        low, middle, high = statistics.quantiles(values, n=4)
        rows[name] = {"ms": middle * 1e3, "quartiles_ms": [low * 1e3, high * 1e3], "ratio": middle / bare}
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for name, row in rows.items():
        low, high = row["quartiles_ms"]  # type: ignore[misc]
        print(f"{name:18} {row['ms']:7.0f} ms  ({low:.0f} to {high:.0f})  {row['ratio']:5.1f} x a bare interpreter")


if __name__ == "__main__":
    main()
