"""What ``evaluate`` does: reads traces, replays them, measures, prints."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridchat.config import paths
from hybridchat.config.loading import load
from hybridchat.config.settings import RoutingSettings
from hybridchat.errors import InputMissing, UsageError
from hybridchat.evaluation.evaluating import Subject, evaluate
from hybridchat.evaluation.report import encoded
from hybridchat.evaluation.tables import as_text
from hybridchat.evaluation.traces import Trace, read_traces
from hybridchat.plain.streams import Narration, Output
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.policy import Policy
from hybridchat.routing.prior import Prior, shipped


@dataclass(frozen=True, slots=True)
class Call:
    """The command line of one ``evaluate``.

    ``flags`` are the options that set a setting. ``calibration`` names a file, or nothing for the prior alone;
    ``cross_fit`` says by which parts a calibration is fitted to the traces themselves.
    """

    files: tuple[str, ...]
    flags: Mapping[str, object]
    resamples: int
    calibration: str | None = None
    cross_fit: str | None = None
    as_json: bool = False
    quiet: bool = False


def run(call: Call) -> int:
    """Evaluate on standard output and return the exit code.

    Raises ``UsageError`` without a file, and what reading one raises.
    """
    if call.calibration is not None and call.cross_fit is not None:
        raise UsageError("--calibration and --cross-fit exclude each other", hint="Give one of them.")
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
    subject = _subject(call, traces, routing, narration)
    if narration.is_terminal:
        narration.say(f"replaying {len(traces)} turns and measuring, with {call.resamples} resamples ...")
    report = evaluate(traces, subject, call.files, call.resamples)
    output.write(encoded(report) + "\n" if call.as_json else as_text(report))
    return 0


def _subject(call: Call, traces: Sequence[Trace], routing: RoutingSettings, narration: Narration) -> Subject:
    """Return the policy to evaluate, and where its confidence comes from."""
    if call.cross_fit is not None:
        from hybridchat.evaluation.cross_fit import cross_fitted  # noqa: PLC0415 -- only where it is asked for

        def tell(done: int, of: int) -> None:
            if narration.is_terminal:
                narration.say(f"calibrating on the answers themselves: {done} of {of} parts")

        fitted = cross_fitted(traces, call.cross_fit, tell)
        return Subject(fitted.policy_for, str(fitted), routing.bias, routing.min_confidence)
    prior = _read(paths.expanded(call.calibration)) if call.calibration else shipped()

    def policy_for(_trace: Trace, price: float) -> Policy:
        return GainPolicy(prior, price=price)

    source = "the calibration" if prior.model else "the shipped prior"
    return Subject(policy_for, f"{source} ({prior.fitted_on})", routing.bias, routing.min_confidence)


def _read(path: Path) -> Prior:
    try:
        return Prior.parse(path.read_bytes())
    except OSError as error:
        raise InputMissing(f"cannot read {path}: {error.strerror}", hint="Is the name right?") from error
