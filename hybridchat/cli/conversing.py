"""Runs a conversation: on the screen, or line by line."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridchat.cli.fault_log import FaultHandler
from hybridchat.config.loading import load
from hybridchat.config.paths import database_file
from hybridchat.errors import HybridChatError, InputMissing, Interrupted, UsageError
from hybridchat.plain.streams import is_terminal
from hybridchat.store.header import read_salt

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
    gc.disable()  # hardly anything that a start makes is garbage; `_build_last` turns it on again
    settings = load(wanted.flags).settings
    _unlock(settings)
    from hybridchat.tui.app import ChatApp  # noqa: PLC0415 -- not before it is sure that there is a screen

    logging.getLogger().addHandler(FaultHandler())
    app = ChatApp(lambda: _build_last(settings), settings.chat, wanted.choose)

    async def run() -> None:
        with _told_of_signals(app.leave):
            await app.converse()

    asyncio.run(run())
    return 0


def _unlock(settings: Settings) -> None:
    """Ask for the passphrase of an encrypted store, where it is needed, while there is no screen yet."""
    path = database_file(settings.store)
    if settings.store.save and read_salt(path) is not None:
        from hybridchat.cli import keeping, wiring  # noqa: PLC0415 -- only an encrypted store needs them so early

        keeping.unlock_before_the_screen(path, wiring.new_credentials(settings), settings.store.key_command)


def by_line(wanted: Wanted) -> int:
    """Talk line by line and return the exit code."""
    from hybridchat.plain.chat import converse  # noqa: PLC0415 -- the screen needs no line mode

    settings = load(wanted.flags).settings
    logging.getLogger().addHandler(FaultHandler())

    async def run() -> int:
        async with _build(settings) as assistant:
            return await converse(assistant, await wanted.choose(assistant))

    return asyncio.run(run())


@contextmanager
def _told_of_signals(leave: Callable[[HybridChatError], None]) -> Iterator[None]:
    """Let SIGTERM and SIGHUP call ``leave`` from the event loop; an exception out of a handler would end up in a task.

    A signal that is ignored (``nohup``) stays so.
    """
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGTERM, signal.SIGHUP] if sys.platform != "win32" else []
    before = {number: signal.getsignal(number) for number in numbers}
    taken = [number for number in numbers if before[number] is not signal.SIG_IGN]
    for number in taken:
        loop.add_signal_handler(number, leave, Interrupted("stopped", exit_code=128 + number))
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])


def _build_last(settings: Settings) -> Assistant:
    """Build the assistant, and count all that is there now among what stays: no collection looks at it again."""
    assistant = _build(settings)
    gc.freeze()
    gc.enable()
    return assistant


def _build(settings: Settings) -> Assistant:
    from hybridchat.cli import wiring  # noqa: PLC0415 -- the first frame needs no backend

    return wiring.build(settings)
