"""Does it help the remote model to see the local one's draft? Remote alone beside remote with the draft.

``python -m benchmarks.draft --traces FILE --remote LARGE.gguf [--out FILE] [--limit N] [--json]`` takes questions with
short answers that both models have answered already (``python -m benchmarks.record_pair``), and asks the large one
again with the small one's answer below the question, exactly as an escalation sends it. Both times greedy, answers of
at most 64 tokens, one thread at the lowest priority. ``--out`` keeps the answers and goes on where it was stopped.
Intervals: 95%, by resampling questions in pairs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.record_pair import model
from hybridchat.errors import HybridChatError
from hybridchat.evaluation.bootstrap import Interval, bootstrap, paired_bootstrap
from hybridchat.evaluation.grading import grade, normalised
from hybridchat.evaluation.items import Item
from hybridchat.evaluation.questions import shipped
from hybridchat.evaluation.recording import Direct
from hybridchat.evaluation.traces import Trace, read_traces
from hybridchat.handover.draft import with_draft
from hybridchat.messages import Place
from tests.servers.llama_cpp import run_llama_server

RESAMPLES = 2000
LONGEST = 700
"""Characters of a question: longer ones take a small machine minutes, and the draft is a small part of them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the draft, the large model alone, and it with the draft were right, and whether it repeats the draft."""

    id: str
    draft: bool
    alone: bool
    with_draft: bool
    repeats: bool


async def ask(items: dict[str, Item], traces: Sequence[Trace], remote: Direct, out: Path | None) -> list[Outcome]:
    """Ask about each trace that ``out`` does not hold yet."""
    known = _kept(out)
    for number, trace in enumerate(traces, 1):
        if trace.id in known:
            continue
        assert trace.remote is not None
        item = items[trace.id]
        asked = Item(item.id, with_draft(item.question, trace.local.text), item.check, item.family, item.level)
        answer = await remote.remote(asked)
        known[trace.id] = Outcome(
            trace.id,
            bool(grade(item, trace.local.text, trace.local.finish)),
            bool(grade(item, trace.remote.text, trace.remote.finish)),
            bool(grade(item, answer.text, answer.finish)),
            normalised(answer.text).strip() == normalised(trace.local.text).strip(),
        )
        _keep(out, known[trace.id])
        if number % 10 == 0:
            print(f"{number} of {len(traces)}", file=sys.stderr, flush=True)
    await remote.backend.aclose()
    return [known[trace.id] for trace in traces]


def _is_asked(trace: Trace) -> bool:
    return (
        trace.length == "short"
        and len(trace.question) <= LONGEST
        and trace.remote is not None
        and bool(trace.local.text.strip())
    )


def _kept(out: Path | None) -> dict[str, Outcome]:
    lines = out.read_text(encoding="utf-8").splitlines() if out is not None and out.exists() else []
    return {outcome.id: outcome for outcome in (Outcome(**json.loads(line)) for line in lines)}


def _keep(out: Path | None, outcome: Outcome) -> None:
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")


def summary(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return accuracies and their difference with intervals, over all and by whether the draft was right."""
    groups = {
        "all": list(outcomes),
        "draft right": [outcome for outcome in outcomes if outcome.draft],
        "draft wrong": [outcome for outcome in outcomes if not outcome.draft],
    }
    return {name: _row(group) for name, group in groups.items() if group}


def _row(group: Sequence[Outcome]) -> dict[str, object]:
    def share(values: Sequence[bool], indices: Sequence[int]) -> float:
        return sum(values[index] for index in indices) / len(indices)

    alone, drafted = [o.alone for o in group], [o.with_draft for o in group]
    n = len(group)
    return {
        "n": n,
        "draft": sum(o.draft for o in group) / n,
        "alone": _with_interval(sum(alone) / n, bootstrap(lambda i: share(alone, i), n, RESAMPLES)),
        "with_draft": _with_interval(sum(drafted) / n, bootstrap(lambda i: share(drafted, i), n, RESAMPLES)),
        "difference": _with_interval(
            (sum(drafted) - sum(alone)) / n,
            paired_bootstrap(lambda i: share(drafted, i), lambda i: share(alone, i), n, RESAMPLES),
        ),
        "repeats_draft": sum(o.repeats for o in group) / n,
    }


def _with_interval(value: float, interval: Interval | None) -> list[float]:
    assert interval is not None
    return [round(number, 3) for number in (value, interval.low, interval.high)]


def table(rows: dict[str, object]) -> str:
    """Return the summary as a Markdown table."""
    lines = [
        "| questions | n | draft right | remote alone | remote with draft | difference | repeats the draft |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        assert isinstance(row, dict)
        cells = [f"{row[key][0]:.2f} ({row[key][1]:.2f} to {row[key][2]:.2f})" for key in ("alone", "with_draft")]
        low, high = row["difference"][1:]
        difference = f"{row['difference'][0]:+.2f} ({low:+.2f} to {high:+.2f})"
        shares = f"{row['draft']:.2f} | {' | '.join(cells)} | {difference} | {row['repeats_draft']:.2f}"
        lines.append(f"| {name} | {row['n']} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, required=True, help="recorded answers of both models")
    parser.add_argument("--remote", type=Path, required=True, help="the large model's GGUF file")
    parser.add_argument("--out", type=Path, help="keeps what was asked; appended to")
    parser.add_argument("--limit", type=int, default=80, help="the most questions (80)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    os.nice(19)
    items = {item.id: item for item in shipped()}
    try:
        traces = [trace for trace in read_traces(options.traces) if trace.id in items and _is_asked(trace)][
            : options.limit
        ]
        with run_llama_server(options.remote) as server:
            remote = model(options.remote, server.url, server.key, Place.REMOTE)
            rows = summary(asyncio.run(ask(items, traces, remote, options.out)))
    except HybridChatError as error:
        sys.exit(f"{error.message}\n{error.hint}")
    print(json.dumps(rows) if options.json else table(rows))


if __name__ == "__main__":
    main()
