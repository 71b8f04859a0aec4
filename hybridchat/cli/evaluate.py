"""``hybridchat evaluate``: how good the confidence is, and what escalating on it buys."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from hybridchat.config.settings import Bias


class Parts(StrEnum):
    """The parts that are left out in turn."""

    TENTHS = "tenths"
    FAMILIES = "families"


def evaluate(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="TRACES", help="Files of recorded turns (JSON Lines, plain, gzip or xz)."),
    ] = None,
    *,
    bias: Annotated[Bias | None, typer.Option("--bias", help="What the remote model is worth.")] = None,
    min_confidence: Annotated[
        str | None,
        typer.Option("--min-confidence", metavar="P", help="Keep no local answer that is less sure (0 to 1)."),
    ] = None,
    calibration: Annotated[
        str | None, typer.Option("--calibration", metavar="FILE", help="A calibration to use, in place of the prior.")
    ] = None,
    cross_fit: Annotated[
        Parts | None,
        typer.Option("--cross-fit", help="Calibrate on these turns, each without the part that it belongs to."),
    ] = None,
    resamples: Annotated[
        int, typer.Option("--resamples", metavar="N", min=0, help="How many resamples the intervals come from.")
    ] = 200,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write one JSON object (docs/evaluation.schema.json).")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell nothing but errors.")] = False,
) -> None:
    """Measure the routing on recorded turns, with the policy that decides live.

    Turns are recorded by `hybridchat calibrate`, and by --record of `hybridchat ask` and `hybridchat chat`. What leaves
    the machine: nothing.
    """
    from hybridchat.cli import evaluating  # noqa: PLC0415 -- `--help` measures nothing
    from hybridchat.config.loading import Flag  # noqa: PLC0415 -- the same

    flags = {
        "routing.bias": Flag("--bias", bias),
        "routing.min_confidence": Flag("--min-confidence", min_confidence),
    }
    call = evaluating.Call(tuple(files or ()), flags, resamples, calibration, cross_fit, as_json=as_json, quiet=quiet)
    raise typer.Exit(evaluating.run(call))
