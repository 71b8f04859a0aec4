"""The part of the chat screen that holds a conversation: opens and draws it, and loses nothing that is written."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from textual import getters, on
from textual.screen import Screen
from textual.widgets import Static, TextArea

from hybridchat.errors import HybridChatError
from hybridchat.messages import Role
from hybridchat.tui.completion import CompletionList
from hybridchat.tui.composer import Composer
from hybridchat.tui.conversation import OpenConversation
from hybridchat.tui.resting import Resting
from hybridchat.tui.status import StatusLine
from hybridchat.tui.transcript import Transcript
from hybridchat.tui.turn_view import stored
from hybridchat.tui.unsent import Unsent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from textual.app import ComposeResult
    from textual.widget import Widget

    from hybridchat.assistant import Assistant
    from hybridchat.events import Failed
    from hybridchat.messages import Conversation

_PROMPTS = 500  # of all conversations, that the arrow keys bring back
_FIRST_SHOWN = 20  # turns that are drawn when a conversation is opened; the others come with "load earlier"


class ConversationScreen(Screen[None]):
    """Transcript above, composer below."""

    transcript = getters.query_one(Transcript)
    composer = getters.query_one(Composer)
    status = getters.query_one(StatusLine)
    waiting = getters.query_one("#waiting", Static)

    def __init__(self, *, folder: Path | None = None) -> None:
        super().__init__()
        self.folder = folder or Path.cwd()
        self._assistant: Assistant | None = None
        self._conversation: OpenConversation | None = None
        self._unsent: Unsent | None = None
        self._resting: Resting | None = None
        self._warned = False

    def compose(self) -> ComposeResult:
        """Yield the parts from top to bottom."""
        yield Transcript()
        yield Static("", id="waiting", markup=False)
        yield CompletionList()
        yield Composer()
        yield StatusLine()
        yield Static("", id="too-small", markup=False)

    def on_mount(self) -> None:
        """Begin where the user writes."""
        self.composer.focus()

    @property
    def assistant(self) -> Assistant:
        """The assistant, once it is there."""
        assert self._assistant is not None
        return self._assistant

    @property
    def conversation(self) -> OpenConversation:
        """The open conversation, once the assistant is there."""
        assert self._conversation is not None
        return self._conversation

    @property
    def is_ready(self) -> bool:
        """Whether the assistant is there."""
        return self._assistant is not None

    @property
    def queued(self) -> tuple[str, ...]:
        """Prompts that wait for their turn."""
        return ()

    async def start_with(self, assistant: Assistant, conversation: Conversation | None = None) -> None:
        """Take the assistant, and open ``conversation``."""
        self._assistant = assistant
        self._conversation = OpenConversation(assistant)
        self._unsent = Unsent(assistant, self._conversation, self.composer, lambda: self.queued, self._is_not_kept)
        self._resting = Resting(self.status, assistant)
        await self.attempt(self._resting.begin)
        await self.attempt(self._remember_prompts)
        if conversation is not None:
            await self.conversation.open(conversation)
            await self.redraw()
        await self._unsent.enter()

    async def show(self, conversation: Conversation) -> None:
        """Open ``conversation`` where the user last stood in it."""
        async with self.going_elsewhere():
            await self.conversation.open(conversation)
            await self.redraw()

    def _is_not_kept(self, error: HybridChatError) -> None:
        self.tell(f"what you write is not kept until you send it: {error.message}")

    @asynccontextmanager
    async def going_elsewhere(self) -> AsyncIterator[None]:
        """Leave what is written with the conversation that is left, and take up what was with the one gone to."""
        assert self._unsent is not None
        await self._unsent.leave()
        yield
        await self._unsent.enter()

    async def redraw(self) -> None:
        """Draw the open conversation's branch anew."""
        exchanges = self.conversation.branches.exchanges()

        async def load(first: int, last: int) -> list[list[Widget]]:
            return [stored(exchange) for exchange in self.conversation.branches.exchanges()[first:last]]

        shown = max(0, len(exchanges) - _FIRST_SHOWN)
        old = self.transcript
        new = Transcript(load, earlier=shown)
        with self.app.batch_update():
            await old.remove()
            await self.mount(new, before=self.waiting)
            for exchange in exchanges[shown:]:
                await new.begin_turn(*stored(exchange))
        self.composer.prompts.prefer(one.question.content for one in exchanges if not one.question.goes_on)
        self.show_window()

    @on(TextArea.Changed)
    def keep_soon(self) -> None:
        """Keep what is written, once nothing changes for a moment."""
        if self._unsent is not None:
            self._unsent.changed()

    def complain(self, error: HybridChatError | Failed) -> None:
        """Tell an error, and what to do."""
        self.app.notify(f"{error.message}\n{error.hint}".strip(), severity="error", markup=False, timeout=10)

    def tell(self, text: str) -> None:
        """Tell something in passing."""
        self.app.notify(text, markup=False)

    async def attempt(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Do ``work``; tell its error instead of raising it. Return whether it went well."""
        try:
            await work()
        except HybridChatError as error:
            self.complain(error)
            return False
        return True

    def show_window(self) -> None:
        """Tell how full the local model's window is, and warn before it overflows."""
        use = self.conversation.window_use
        self.status.show_window(use)
        if use.is_nearly_full and not self._warned:
            self.tell(
                f"the conversation takes {use.share:.0%} of what the local model can read; beyond, the oldest turns "
                "are left out. /condense lets a summary stand for them, /trim leaves them out, /escalate brings in the "
                "remote model."
            )
        self._warned = use.is_nearly_full

    async def _remember_prompts(self) -> None:
        newest = await self.assistant.newest(Role.USER, _PROMPTS)
        self.composer.prompts.prefer(one.content for one in reversed(newest) if not one.goes_on)
