"""Options that several commands share, worded once."""

from __future__ import annotations

from typing import Annotated

import typer

from hybridchat.config.settings import Bias
from hybridchat.messages import DataPolicy, HandOver

Offline = Annotated[bool, typer.Option("--offline", help="Let nothing leave the machine.")]
WhatMayLeave = Annotated[DataPolicy | None, typer.Option("--data-policy", help="What may leave the machine.")]
RemoteWorth = Annotated[Bias | None, typer.Option("--bias", help="What the remote model is worth.")]
MonthBudget = Annotated[
    str | None,
    typer.Option("--month-budget", metavar="AMOUNT", help="The most to spend in a month: 5, 20calls, 50000tokens."),
]
ConversationBudget = Annotated[
    str | None,
    typer.Option("--conversation-budget", metavar="AMOUNT", help="The most to spend in this conversation."),
]
Form = Annotated[HandOver | None, typer.Option("--handover", help="What the remote model is sent of the conversation.")]
LocalModel = Annotated[str | None, typer.Option("--model", "-m", metavar="NAME", help="The local model.")]
LocalUrl = Annotated[str | None, typer.Option("--local-url", metavar="URL", help="The local server.")]
LocalBackend = Annotated[
    str | None, typer.Option("--local-backend", metavar="NAME", help="auto, ollama, embedded, or a kind of server.")
]
HowMany = Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="Ask only N questions.")]
RemoteSample = Annotated[
    int,
    typer.Option("--remote-sample", metavar="N", min=0, help="Put N of them to the remote model, too, if I agree."),
]
AllowSample = Annotated[
    bool, typer.Option("--allow-remote", help="Let that sample leave the machine without asking me.")
]
