"""``hybridchat ask``: one question, one answer."""

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
    WhatMayLeave,
)


def ask(  # noqa: PLR0913 -- each argument is an option of the command
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROMPT", help="The question. Data piped in is added to it; - reads it from there."),
    ] = None,
    *,
    local: Annotated[bool, typer.Option("--local", help="Let only the local model answer.")] = False,
    remote: Annotated[
        bool, typer.Option("--remote", help="Ask the remote model at once (consent still holds).")
    ] = False,
    auto: Annotated[bool, typer.Option("--auto", help="Let the confidence decide who answers (the default).")] = False,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let this question leave the machine without asking me.")
    ] = False,
    offline: Offline = False,
    data_policy: WhatMayLeave = None,
    min_confidence: Annotated[
        str | None,
        typer.Option(
            "--min-confidence", metavar="P", help="Exit with 10 if the local answer is less sure than P (0 to 1)."
        ),
    ] = None,
    bias: RemoteWorth = None,
    month_budget: MonthBudget = None,
    conversation_budget: ConversationBudget = None,
    go_on: Annotated[bool, typer.Option("--continue", "-c", help="Go on with the most recent conversation.")] = False,
    conversation: Annotated[
        str | None,
        typer.Option("--conversation", metavar="ID", help="Go on with this conversation (a prefix is enough)."),
    ] = None,
    system: Annotated[
        str | None, typer.Option("--system", "-s", metavar="TEXT", help="Instructions for the model.")
    ] = None,
    model: LocalModel = None,
    remote_model: Annotated[
        str | None, typer.Option("--remote-model", metavar="NAME", help="The remote model.")
    ] = None,
    remote_url: Annotated[str | None, typer.Option("--remote-url", metavar="URL", help="The remote server.")] = None,
    remote_preset: Annotated[
        str | None, typer.Option("--remote-preset", metavar="NAME", help="The kind of remote server; none for none.")
    ] = None,
    local_url: LocalUrl = None,
    local_backend: LocalBackend = None,
    max_tokens: Annotated[
        str | None, typer.Option("--max-tokens", metavar="N", help="The longest answer, in tokens.")
    ] = None,
    temperature: Annotated[str | None, typer.Option("--temperature", metavar="T", help="From 0 (sober) to 2.")] = None,
    seed: Annotated[str | None, typer.Option("--seed", metavar="N", help="Makes sampling repeatable.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON Lines, one object per event (docs/json-lines.md).")
    ] = False,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Write the answer when it is whole.")] = False,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Write the answer alone, without a final newline; tell nothing but errors."),
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show exactly what would leave for this question, and send nothing.")
    ] = False,
    handover: Form = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Play a recorded turn that escalates; needs no model, sends nothing.")
    ] = False,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="FILE", help="Append the turn to FILE, for `hybridchat evaluate`."),
    ] = None,
    no_save: Annotated[bool, typer.Option("--no-save", help="Keep nothing of this.")] = False,
    no_stdin: Annotated[bool, typer.Option("--no-stdin", help="Leave standard input alone.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell nothing but errors.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell more: provenance, thinking, loading.")] = False,
) -> None:
    """Ask one question.

    The answer goes to standard output, everything else to standard error. The local model answers first; the remote one
    is brought in when that is likely to help and is allowed.
    """
    from hybridchat.cli import one_turn  # noqa: PLC0415 -- `--help` needs no engine
    from hybridchat.cli.limits import limit_flags  # noqa: PLC0415 -- the same
    from hybridchat.config.loading import Flag  # noqa: PLC0415 -- the same
    from hybridchat.config.paths import named_file  # noqa: PLC0415 -- the same

    call = one_turn.Call(
        words=tuple(words or ()),
        flags={
            "local.model": Flag("--model", model),
            "local.url": Flag("--local-url", local_url),
            "local.backend": Flag("--local-backend", local_backend),
            "remote.model": Flag("--remote-model", remote_model),
            "remote.url": Flag("--remote-url", remote_url),
            "remote.preset": Flag("--remote-preset", remote_preset),
            "answer.max_tokens": Flag("--max-tokens", max_tokens),
            "answer.temperature": Flag("--temperature", temperature),
            "answer.seed": Flag("--seed", seed),
            "routing.bias": Flag("--bias", bias),
            "routing.min_confidence": Flag("--min-confidence", min_confidence),
            "routing.record": Flag("--record", named_file(record)),
            "privacy.data_policy": Flag("--data-policy", data_policy),
            "privacy.offline": Flag("--offline", offline or None),
            "handover.form": Flag("--handover", handover),
            "store.save": Flag("--no-save", False if no_save else None),
            **limit_flags("month", "--month-budget", month_budget),
            **limit_flags("conversation", "--conversation-budget", conversation_budget),
        },
        local=local,
        remote=remote,
        auto=auto,
        allow_remote=allow_remote,
        preview=preview,
        data_policy=data_policy,
        go_on=go_on,
        conversation=conversation,
        system=system,
        as_json=as_json,
        no_stream=no_stream,
        raw=raw,
        demo=demo,
        use_stdin=not no_stdin,
        quiet=quiet,
        verbose=verbose,
    )
    raise typer.Exit(one_turn.run(call))
