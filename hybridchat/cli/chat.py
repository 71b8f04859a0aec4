"""``hybridchat chat``, and ``hybridchat`` alone: a conversation on the screen, or line by line."""

from __future__ import annotations

from typing import Annotated

import typer

from hybridchat.cli.options import (
    ConversationBudget,
    Form,
    LocalBackend,
    LocalModel,
    LocalUrl,
    MonthBudget,
    Offline,
    RemoteWorth,
)
from hybridchat.cli.screen import CONTINUE


def chat(  # noqa: PLR0913 -- each argument is an option of the command
    *,
    go_on: Annotated[bool, typer.Option(*CONTINUE, help="Go on with the most recent conversation.")] = False,
    conversation: Annotated[
        str | None,
        typer.Option("--conversation", metavar="ID", help="Go on with this conversation (a prefix is enough)."),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Line by line, without a screen: for screen readers and simple terminals.")
    ] = False,
    offline: Offline = False,
    bias: RemoteWorth = None,
    min_confidence: Annotated[
        str | None,
        typer.Option(
            "--min-confidence",
            metavar="P",
            help="Keep no local answer that is less sure than P (0 to 1).",
        ),
    ] = None,
    month_budget: MonthBudget = None,
    conversation_budget: ConversationBudget = None,
    handover: Form = None,
    model: LocalModel = None,
    local_backend: LocalBackend = None,
    local_url: LocalUrl = None,
    theme: Annotated[str | None, typer.Option("--theme", metavar="NAME", help="The screen's colours.")] = None,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="FILE", help="Append every turn to FILE, for `hybridchat evaluate`."),
    ] = None,
    no_save: Annotated[bool, typer.Option("--no-save", help="Keep nothing of this.")] = False,
) -> None:
    """Talk in a conversation; ``hybridchat`` alone does the same."""
    from hybridchat.cli import conversing  # noqa: PLC0415 -- `--help` needs no engine
    from hybridchat.cli.limits import limit_flags  # noqa: PLC0415 -- the same
    from hybridchat.config.loading import Flag  # noqa: PLC0415 -- the same
    from hybridchat.config.paths import named_file  # noqa: PLC0415 -- the same
    from hybridchat.errors import UsageError  # noqa: PLC0415 -- the same

    if go_on and conversation is not None:
        raise UsageError("--continue and --conversation exclude each other", hint="Give one of them.")
    flags = {
        "local.model": Flag("--model", model),
        "local.backend": Flag("--local-backend", local_backend),
        "local.url": Flag("--local-url", local_url),
        "privacy.offline": Flag("--offline", offline or None),
        "handover.form": Flag("--handover", handover),
        "routing.bias": Flag("--bias", bias),
        "routing.min_confidence": Flag("--min-confidence", min_confidence),
        **limit_flags("month", "--month-budget", month_budget),
        **limit_flags("conversation", "--conversation-budget", conversation_budget),
        "store.save": Flag("--no-save", False if no_save else None),
        "routing.record": Flag("--record", named_file(record)),
        "chat.theme": Flag("--theme", theme),
    }
    wanted = conversing.Wanted(flags, conversation, latest=go_on)
    raise typer.Exit(conversing.by_line(wanted) if plain else conversing.on_screen(wanted))
