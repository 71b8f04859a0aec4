"""What ``evaluate`` does: reads traces, replays them, measures, prints."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from hybridchat.config import paths
from hybridchat.config.loading import load
from hybridchat.errors import UsageError
from hybridchat.evaluation.evaluating import Subject, evaluate
from hybridchat.evaluation.report import encoded
from hybridchat.evaluation.tables import as_text
from hybridchat.evaluation.traces import Trace, read_traces
from hybridchat.plain.streams import Narration, Output
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.policy import Policy
from hybridchat.routing.prior import shipped


@dataclass(frozen=True, slots=True)
class Call:
    """The command line of one ``evaluate``; ``flags`` are the options that set a setting."""

    files: tuple[str, ...]
    flags: Mapping[str, object]
    resamples: int
    as_json: bool = False
    quiet: bool = False


def run(call: Call) -> int:
    """Evaluate on standard output and return the exit code.

    Raises ``UsageError`` without a file, and what reading one raises.
    """
    if not call.files:
        raise UsageError(
            "there is nothing to evaluate", hint="Name a file of recorded turns: `hybridchat evaluate FILE`."
        )
    output = Output(sys.stdout, encoding="utf-8" if call.as_json else None)
    narration = Narration(sys.stderr, quiet=call.quiet)
    routing = load(call.flags).settings.routing
    traces: list[Trace] = []
    for name in call.files:
        traces += read_traces(paths.expanded(name))
    if narration.is_terminal:
        narration.say(f"replaying {len(traces)} turns and measuring, with {call.resamples} resamples ...")

    def policy_at(price: float) -> Policy:
        return GainPolicy(price=price)

    subject = Subject(policy_at, f"the shipped prior ({shipped().fitted_on})", routing.bias, routing.min_confidence)
    report = evaluate(traces, subject, call.files, call.resamples)
    output.write(encoded(report) + "\n" if call.as_json else as_text(report))
    return 0
