"""``hybridchat evaluate``: how good the confidence is, and what escalating on it buys."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from hybridchat.cli.options import (
    AllowSample,
    HowMany,
    LocalBackend,
    LocalModel,
    LocalUrl,
    Offline,
    RemoteSample,
    RemoteWorth,
    WhatMayLeave,
)


class Parts(StrEnum):
    """The parts that are left out in turn."""

    TENTHS = "tenths"
    FAMILIES = "families"


def evaluate(  # noqa: PLR0913 -- each argument is an option of the command
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="TRACES", help="Files of recorded turns (JSON Lines, plain, gzip or xz)."),
    ] = None,
    *,
    live: Annotated[bool, typer.Option("--live", help="Ask the models now: the shipped questions, or mine.")] = False,
    questions: Annotated[
        str | None, typer.Option("--questions", metavar="FILE", help="What to ask, as for `hybridchat calibrate`.")
    ] = None,
    limit: HowMany = None,
    remote_sample: RemoteSample = 0,
    allow_remote: AllowSample = False,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="FILE", help="Keep the answers in FILE; what is there is not asked."),
    ] = None,
    bias: RemoteWorth = None,
    min_confidence: Annotated[
        str | None,
        typer.Option("--min-confidence", metavar="P", help="Keep no local answer that is less sure (0 to 1)."),
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option("--calibration", metavar="FILE", help="A calibration to use, not the model's own; none for none."),
    ] = None,
    cross_fit: Annotated[
        Parts | None,
        typer.Option("--cross-fit", help="Calibrate on these turns, each without the part that it belongs to."),
    ] = None,
    resamples: Annotated[
        int, typer.Option("--resamples", metavar="N", min=0, help="How many resamples the intervals come from.")
    ] = 200,
    data_policy: WhatMayLeave = None,
    offline: Offline = False,
    model: LocalModel = None,
    local_url: LocalUrl = None,
    local_backend: LocalBackend = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write one JSON object (docs/evaluation.schema.json).")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell nothing but errors.")] = False,
) -> None:
    """Measure the routing on recorded turns, with the policy that decides live.

    Turns are recorded with --live, and with --record of `hybridchat ask` and `hybridchat chat`. What leaves the
    machine: nothing, but for a sample that you ask for with --remote-sample and agree to.
    """
    from hybridchat.cli import evaluating  # noqa: PLC0415 -- `--help` measures nothing
    from hybridchat.config.loading import Flag  # noqa: PLC0415 -- the same

    call = evaluating.Call(
        files=tuple(files or ()),
        flags={
            "routing.bias": Flag("--bias", bias),
            "routing.min_confidence": Flag("--min-confidence", min_confidence),
            "local.model": Flag("--model", model),
            "local.url": Flag("--local-url", local_url),
            "local.backend": Flag("--local-backend", local_backend),
            "privacy.data_policy": Flag("--data-policy", data_policy),
            "privacy.offline": Flag("--offline", offline or None),
        },
        resamples=resamples,
        live=live,
        questions=questions,
        limit=limit,
        remote_sample=remote_sample,
        allow_remote=allow_remote,
        record=record,
        calibration=calibration,
        cross_fit=cross_fit,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(evaluating.run(call))
