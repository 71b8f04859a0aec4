"""``hybridchat calibrate``: makes the confidence mean what it says, on the user's own model."""

from __future__ import annotations

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
    WhatMayLeave,
)


def calibrate(  # noqa: PLR0913 -- each argument is an option of the command
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="QUESTIONS",
            help='Your own questions (JSON Lines: {"question": "...", "answer": "..."}); else the shipped set.',
        ),
    ] = None,
    *,
    limit: HowMany = None,
    remote_sample: RemoteSample = 0,
    allow_remote: AllowSample = False,
    data_policy: WhatMayLeave = None,
    offline: Offline = False,
    model: LocalModel = None,
    local_url: LocalUrl = None,
    local_backend: LocalBackend = None,
    max_tokens: Annotated[
        str | None, typer.Option("--max-tokens", metavar="N", help="The longest answer, in tokens.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show what is calibrated, and whether it still holds.")] = False,
    from_history: Annotated[
        bool, typer.Option("--from-history", help="Show what was learned from use; ask nothing.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell nothing but the result and errors.")] = False,
) -> None:
    """Ask the local model questions of known answer, and learn how far its confidence can be trusted.

    What was answered is kept: stopped with Ctrl-C, the same command goes on from there. What leaves the machine:
    nothing, but for a sample that you ask for with --remote-sample and agree to.
    """
    from hybridchat.cli import calibrating  # noqa: PLC0415 -- `--help` asks nothing
    from hybridchat.config.loading import Flag  # noqa: PLC0415 -- the same

    call = calibrating.Call(
        file=file,
        limit=limit,
        remote_sample=remote_sample,
        allow_remote=allow_remote,
        quiet=quiet,
        flags={
            "local.model": Flag("--model", model),
            "local.url": Flag("--local-url", local_url),
            "local.backend": Flag("--local-backend", local_backend),
            "answer.max_tokens": Flag("--max-tokens", max_tokens),
            "privacy.data_policy": Flag("--data-policy", data_policy),
            "privacy.offline": Flag("--offline", offline or None),
        },
    )
    work = calibrating.show if show else calibrating.from_history if from_history else calibrating.run
    raise typer.Exit(work(call))
