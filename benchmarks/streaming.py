"""What it costs to draw an answer as it streams in, against stock Textual Markdown fed through its own MarkdownStream.

``python -m benchmarks.streaming [--json] [--quick]``. Both screens in one run, on the same generated 20,000-token
document, 120 x 40 cells, every frame encoded as for a terminal:

- whole: all tokens arrive at 1,000 a second; CPU time until the last is on the screen, and how long that is after the
  last arrived;
- reading: 100 tokens a second stream into a 20,000-token conversation (20 messages) while keys are pressed from
  another thread; time from a key to the frame that shows it, and how long the event loop makes others wait, looked at
  every 5 ms (a stall of 100 ms counts for all 20 looks that it swallows); three runs, the median of each number;
- depth: CPU time for each appended token, drawn, over one section of the document, 1,000 and 19,000 tokens in;
- open: CPU time of an append to a list of 60 items, and to a table of 60 rows.

Each measurement has a process of its own. CPU time is the UI thread's. Other work on the machine moves single numbers;
the ratios are what counts. --quick takes a quarter of the tokens and one run: it shows that the benchmark works, not
what the numbers are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from benchmarks.markdown_document import open_list, open_table, sections, split, tokens
from benchmarks.streaming_screens import EncodingDriver, Ours, Screen, Stock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

Result = TypeVar("Result")

SIZE = (120, 40)
_LOOK = 0.005
_KEY_EVERY = 0.15
_TOKENS_PER_APPEND = 3
_MESSAGES = 20


@dataclass(frozen=True)
class Row:
    """A number of both screens, and the ratio that is aimed at; ``other`` is what ours is compared with."""

    name: str
    unit: str
    ours: float
    other: float
    target: float
    versus: str = "stock"

    @property
    def ratio(self) -> float:
        """Ours to the other."""
        return self.ours / self.other if self.other else float("inf")

    @property
    def met(self) -> bool:
        """Whether the aim is reached."""
        return self.ratio <= self.target


@asynccontextmanager
async def running(screen: Callable[[], Screen]) -> AsyncIterator[Screen]:
    """Run a screen until it is shown."""
    app = screen()
    async with app.run_test(headless=False, size=SIZE) as pilot:
        await pilot.pause()
        yield app


async def whole(screen: Callable[[], Screen], text: list[str], rate: float) -> dict[str, float]:
    """Stream ``text`` at ``rate`` tokens/s into an empty screen."""
    async with running(screen) as app:
        await app.open_message()
        cpu, began = time.thread_time(), time.perf_counter()
        await _stream(app, text, rate)
        arrived = time.perf_counter()
        await app.end()
        return {
            "cpu": time.thread_time() - cpu,
            "arrived": arrived - began,
            "behind": time.perf_counter() - arrived,
            "frames": float(EncodingDriver.frames),
        }


async def reading(screen: Callable[[], Screen], above: list[str], text: list[str], rate: float) -> dict[str, float]:
    """Stream ``text`` at ``rate`` tokens/s below the conversation ``above``, with keys pressed meanwhile."""
    size = len(above) // _MESSAGES
    async with running(screen) as app:
        for start in range(0, len(above), size):
            await app.open_message("".join(above[start : start + size]))
        await app.open_message()
        await app.painted(app.screen)
        waits = _Waits()
        watcher = asyncio.create_task(waits.look_every(_LOOK))
        pressed: dict[int, float] = {}
        stop = threading.Event()
        keys = threading.Thread(target=_press_keys, args=(app, asyncio.get_running_loop(), pressed, stop))
        keys.start()
        cpu, began = time.thread_time(), time.perf_counter()
        await _stream(app, text, rate)
        used = (time.thread_time() - cpu) / (time.perf_counter() - began)
        watcher.cancel()
        stop.set()
        await asyncio.to_thread(keys.join)
        await app.end()
        seen = [EncodingDriver.painted[key] - at for key, at in pressed.items() if key in EncodingDriver.painted]
        return {
            "key_p50": statistics.median(seen) * 1000,
            "stall_p99": _percentile_99(waits.clock),
            "stall_cpu_p99": _percentile_99(waits.cpu),
            "stall_max": max(waits.clock) * 1000,
            "cpu": used,
        }


async def depth(screen: Callable[[], Screen], text: list[str], at: int, count: int) -> float:
    """Return the CPU ms for each token of the ``count`` that are appended after the first ``at``."""
    async with running(screen) as app:
        await app.open_message("".join(text[:at]))
        await app.painted(app.screen)
        cpu = time.thread_time()
        for start in range(at, at + count, _TOKENS_PER_APPEND):
            await app.append("".join(text[start : start + _TOKENS_PER_APPEND]))
        return (time.thread_time() - cpu) / count * 1000


async def growing(screen: Callable[[], Screen], block: str, appends: int) -> float:
    """Return the CPU ms of one append to the open ``block``."""
    async with running(screen) as app:
        await app.open_message(block)
        await app.painted(app.screen)
        cpu = time.thread_time()
        for _ in range(appends):
            await app.append(" more and more")
        return (time.thread_time() - cpu) / appends * 1000


async def _stream(app: Screen, text: list[str], rate: float) -> None:
    """Write tokens when they are due; what came due during a stall comes at once, as from a socket."""
    began, sent = time.perf_counter(), 0
    while sent < len(text):
        due = min(len(text), int((time.perf_counter() - began) * rate) + 1)
        for token in text[sent:due]:
            await app.write(token)
        sent = due
        await asyncio.sleep(max(0.0, began + sent / rate - time.perf_counter()))


class _Waits:
    """How late a task ran that was due every few milliseconds: on the clock, and in CPU time of what held it up."""

    def __init__(self) -> None:
        self.clock: list[float] = []
        self.cpu: list[float] = []

    async def look_every(self, seconds: float) -> None:
        due = time.perf_counter()
        while True:
            due += seconds
            busy = time.thread_time()
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            late, used = time.perf_counter() - due, time.thread_time() - busy
            for missed in range(int(late / seconds) + 1):
                self.clock.append(late - missed * seconds)
                self.cpu.append(max(0.0, min(late, used) - missed * seconds))
            due += seconds * int(late / seconds)


def _percentile_99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98] * 1000


def _press_keys(app: Screen, loop: asyncio.AbstractEventLoop, pressed: dict[int, float], stop: threading.Event) -> None:
    from textual import events  # noqa: PLC0415 - only this thread needs it

    number = 0
    while not stop.wait(_KEY_EVERY):
        number += 1
        pressed[number] = time.perf_counter()
        loop.call_soon_threadsafe(app.post_message, events.Key("f9", None))


def alone(scenario: Callable[..., Coroutine[None, None, Result]], *arguments: object) -> Result:
    """Run ``scenario`` in a process of its own: what one screen leaves behind would slow the other's collections."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        result = pool.submit(_run, scenario, arguments).result()
    print(scenario.__name__, getattr(arguments[0], "__name__", ""), result, file=sys.stderr, flush=True)
    return result


def _run(scenario: Callable[..., Coroutine[None, None, Result]], arguments: tuple[object, ...]) -> Result:
    return asyncio.run(scenario(*arguments))


def _both(
    scenario: Callable[..., Coroutine[None, None, dict[str, float]]], *arguments: object
) -> list[dict[str, float]]:
    return [alone(scenario, screen, *arguments) for screen in (Ours, Stock)]


def measure(*, quick: bool) -> list[Row]:
    """Run everything; single results go to standard error."""
    count = 5_000 if quick else 20_000
    runs = 1 if quick else 3
    text = tokens(count)
    ours, stock = _both(whole, text, 1000)
    rows = [
        Row(f"{count} tokens at 1,000/s: CPU", "s", ours["cpu"], stock["cpu"], 1 / 5),
        Row("  all of it drawn", "s", ours["arrived"] + ours["behind"], count / 1000, 1.05, "arrival"),
    ]
    pairs = [_both(reading, text, text[:600], 100) for _ in range(runs)]
    for key, name, target in (
        ("key_p50", "key to painted, p50", 1 / 4),
        ("stall_p99", "event-loop stall, p99, clock", 1 / 5),
        ("stall_cpu_p99", "event-loop stall, p99, CPU", 1 / 5),
    ):
        medians = [statistics.median(pair[side][key] for pair in pairs) for side in (0, 1)]
        rows.append(Row(f"100 tokens/s below {count}: {name}", "ms", medians[0], medians[1], target))
    section = len(split(next(sections())))
    long = tokens(count + section)
    near, far = (min(alone(depth, Ours, long, at, section) for _ in range(runs)) for at in (1000, count - 1000))
    rows.append(Row(f"a token, {count - 1000} in against 1,000 in: CPU", "ms", far, near, 2, "near"))
    for name, block in (("list of 60", open_list(60)), ("table of 60", open_table(60).removesuffix(" |"))):
        results = [alone(growing, screen, block, 20) for screen in (Ours, Stock)]
        rows.append(Row(f"append to an open {name}: CPU", "ms", results[0], results[1], 1 / 10))
    return rows


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rows = measure(quick=options.quick)
    if options.json:
        print(json.dumps([{**vars(row), "ratio": row.ratio, "met": row.met} for row in rows], indent=2))
        return
    for row in rows:
        print(
            f"{row.name:<52} {row.ours:9.2f} {row.unit:<2}  {row.versus} {row.other:9.2f} {row.unit:<2}"
            f"  ratio {row.ratio:.3f} (aim {row.target:.3g}) {'met' if row.met else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
