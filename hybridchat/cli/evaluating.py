"""What ``evaluate`` does: reads or records traces, replays them, measures, prints."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridchat.cli import calibrating
from hybridchat.cli.live_model import calibrations
from hybridchat.config import paths
from hybridchat.config.loading import load
from hybridchat.config.settings import Settings
from hybridchat.errors import InputMissing, Interrupted, UsageError
from hybridchat.evaluation.evaluating import Subject, evaluate
from hybridchat.evaluation.operating import PolicyFor
from hybridchat.evaluation.report import encoded
from hybridchat.evaluation.tables import as_text
from hybridchat.evaluation.traces import Trace, read_traces
from hybridchat.plain.streams import Narration, Output
from hybridchat.routing.gain import FindCalibration, GainPolicy
from hybridchat.routing.policy import LocalModel, Policy
from hybridchat.routing.prior import Prior, shipped

NO_CALIBRATION = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The command line of one ``evaluate``; ``flags`` are the options that set a setting.

    ``live`` asks the models now, ``questions`` says what, ``record`` where it is kept. ``calibration`` names a file,
    or ``none`` for the prior alone; ``cross_fit`` says by which parts a calibration is fitted to the traces themselves.
    """

    files: tuple[str, ...]
    flags: Mapping[str, object]
    resamples: int
    live: bool = False
    questions: str | None = None
    limit: int | None = None
    remote_sample: int = 0
    allow_remote: bool = False
    record: str | None = None
    calibration: str | None = None
    cross_fit: str | None = None
    as_json: bool = False
    quiet: bool = False


def run(call: Call) -> int:
    """Evaluate on standard output and return the exit code.

    Raises ``UsageError`` without anything to evaluate, and what reading traces and asking models raises.
    """
    _check(call)
    output = Output(sys.stdout, encoding="utf-8" if call.as_json else None)
    narration = Narration(sys.stderr, quiet=call.quiet)
    settings = load(call.flags).settings
    traces = _asked(call, settings, narration) if call.live else []
    for name in call.files:
        traces += read_traces(paths.expanded(name))
    policy_for, source = _policy(call, traces, settings, narration)
    if narration.is_terminal:
        narration.say(f"replaying {len(traces)} turns and measuring, with {call.resamples} resamples ...")
    subject = Subject(policy_for, source, settings.routing.bias, settings.routing.min_confidence)
    report = evaluate(traces, subject, call.files, call.resamples)
    output.write(encoded(report) + "\n" if call.as_json else as_text(report))
    return 0


def _check(call: Call) -> None:
    if call.calibration is not None and call.cross_fit is not None:
        raise UsageError("--calibration and --cross-fit exclude each other", hint="Give one of them.")
    asking = {"--questions": call.questions, "--limit": call.limit, "--record": call.record}
    asking |= {"--remote-sample": call.remote_sample or None, "--allow-remote": call.allow_remote or None}
    for option, given in asking.items():
        if given is not None and not call.live:
            raise UsageError(f"{option} says what is asked, and nothing is", hint="Give --live, too.")
    if not call.files and not call.live:
        raise UsageError(
            "there is nothing to evaluate",
            hint="Name a file of recorded turns: `hybridchat evaluate FILE`; or ask the models now with --live.",
        )


def _asked(call: Call, settings: Settings, narration: Narration) -> list[Trace]:
    """Ask the models what is not answered yet; return their answers."""
    wanted = calibrating.Call(
        flags=call.flags,
        file=call.questions,
        limit=call.limit,
        remote_sample=call.remote_sample,
        allow_remote=call.allow_remote,
        quiet=call.quiet,
    )
    items = calibrating.items_of(wanted)
    into = paths.expanded(call.record) if call.record else None
    asking = calibrating.Asking(wanted, settings, items, narration, into)
    try:
        return asyncio.run(asking.record())
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped: {asking.done} of {len(items)} answers are kept", hint="The same command goes on from there."
        ) from None


def _policy(call: Call, traces: Sequence[Trace], settings: Settings, narration: Narration) -> tuple[PolicyFor, str]:
    """Return the policy to evaluate, and where its confidence comes from."""
    if call.cross_fit is not None:
        from hybridchat.evaluation.cross_fit import cross_fitted  # noqa: PLC0415 -- only where it is asked for

        def tell(done: int, of: int) -> None:
            if narration.is_terminal:
                narration.say(f"calibrating on the answers themselves: {done} of {of} parts")

        fitted = cross_fitted(traces, call.cross_fit, tell)
        return fitted.policy_for, str(fitted)
    if call.calibration is None:
        find = calibrations(settings).find
        return _gain(shipped(), find), _sources(traces, find)
    prior = shipped() if call.calibration == NO_CALIBRATION else _read(paths.expanded(call.calibration))
    return _gain(prior), _source(prior)


def _gain(prior: Prior, find: FindCalibration | None = None) -> PolicyFor:
    def policy_for(_trace: Trace, price: float) -> Policy:
        return GainPolicy(prior, calibrated=find, price=price)

    return policy_for


def _sources(traces: Sequence[Trace], find: FindCalibration) -> str:
    """Say where the confidence in the answers of each model comes from."""
    models = dict.fromkeys(LocalModel(trace.local.model, trace.local.digest) for trace in traces)
    return "; ".join(dict.fromkeys(_source(find(model) or shipped()) for model in models))


def _source(prior: Prior) -> str:
    return f"{'the calibration' if prior.model else 'the shipped prior'} ({prior.fitted_on})"


def _read(path: Path) -> Prior:
    try:
        return Prior.parse(path.read_bytes())
    except OSError as error:
        raise InputMissing(f"cannot read {path}: {error.strerror}", hint="Is the name right?") from error
