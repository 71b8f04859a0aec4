"""``hybridchat calibrate``: makes the confidence mean what it says, on the user's own model."""

from __future__ import annotations

from typing import Annotated

import typer

from hybridchat.messages import DataPolicy


def calibrate(  # noqa: PLR0913 -- each argument is an option of the command
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="QUESTIONS",
            help='Your own questions (JSON Lines: {"question": "...", "answer": "..."}); else the shipped set.',
        ),
    ] = None,
    *,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="Ask only N questions.")] = None,
    remote_sample: Annotated[
        int,
        typer.Option("--remote-sample", metavar="N", min=0, help="Put N of them to the remote model, too, if I agree."),
    ] = 0,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let that sample leave the machine without asking me.")
    ] = False,
    data_policy: Annotated[DataPolicy | None, typer.Option("--data-policy", help="What may leave the machine.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Let nothing leave the machine.")] = False,
    model: Annotated[str | None, typer.Option("--model", "-m", metavar="NAME", help="The local model.")] = None,
    local_url: Annotated[str | None, typer.Option("--local-url", metavar="URL", help="The local server.")] = None,
    local_backend: Annotated[
        str | None, typer.Option("--local-backend", metavar="NAME", help="auto, ollama, embedded, or a kind of server.")
    ] = None,
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
