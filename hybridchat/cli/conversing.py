"""Runs a conversation: on the screen, or line by line."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridchat.cli.fault_log import FaultHandler
from hybridchat.config.loading import load
from hybridchat.errors import InputMissing, UsageError
from hybridchat.plain.streams import is_terminal

if TYPE_CHECKING:
    from hybridchat.assistant import Assistant
    from hybridchat.config.settings import Settings
    from hybridchat.messages import Conversation


@dataclass(frozen=True, slots=True)
class Wanted:
    """``flags`` are the options that set a setting; ``conversation`` is the beginning of an ID, or ``latest``."""

    flags: Mapping[str, object]
    conversation: str | None = None
    latest: bool = False

    async def choose(self, assistant: Assistant) -> Conversation | None:
        """Return the conversation to go on with, None for a new one."""
        if self.conversation is not None:
            return await assistant.conversation(self.conversation)
        if not self.latest:
            return None
        latest = await assistant.latest()
        if latest is None:
            raise InputMissing("there is no conversation to go on with", hint="Run hybridchat without --continue.")
        return latest


def on_screen(wanted: Wanted) -> int:
    """Open the chat screen and return the exit code. Raises ``UsageError`` where there is no terminal for it."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise UsageError(
            "the chat screen needs a terminal for input and output",
            hint="Use `hybridchat chat --plain` line by line, or `hybridchat ask` for one question.",
        )
    settings = load(wanted.flags).settings
    from hybridchat.tui.app import ChatApp  # noqa: PLC0415 -- not before it is sure that there is a screen

    logging.getLogger().addHandler(FaultHandler())
    asyncio.run(ChatApp(lambda: _build(settings), settings.chat, wanted.choose).converse())
    return 0


def by_line(wanted: Wanted) -> int:
    """Talk line by line and return the exit code."""
    from hybridchat.plain.chat import converse  # noqa: PLC0415 -- the screen needs no line mode

    settings = load(wanted.flags).settings
    logging.getLogger().addHandler(FaultHandler())

    async def run() -> int:
        async with _build(settings) as assistant:
            return await converse(assistant, await wanted.choose(assistant))

    return asyncio.run(run())


def _build(settings: Settings) -> Assistant:
    from hybridchat.cli import wiring  # noqa: PLC0415 -- the first frame needs no backend

    return wiring.build(settings)
