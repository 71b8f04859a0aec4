"""The full-screen program: draws its first frame at once, and gets the assistant afterwards."""

from __future__ import annotations

import asyncio
import difflib
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App

from hybridchat.errors import BadConfiguration, HybridChatError
from hybridchat.tui.chat import ChatScreen
from hybridchat.tui.clipboard import copy
from hybridchat.tui.code import highlighted
from hybridchat.tui.inline import inline
from hybridchat.tui.keys import keymap
from hybridchat.tui.themes import DEFAULT, THEMES
from hybridchat.tui.tree import parse_tree

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.binding import Binding
    from textual.dom import DOMNode
    from textual.screen import Screen

    from hybridchat.assistant import Assistant
    from hybridchat.config.settings import ChatSettings
    from hybridchat.messages import Conversation


class ChatApp(App[None]):
    """Shows the chat.

    ``build`` makes the assistant; it may take its time and block, for it runs in a thread after the first frame.
    ``choose`` then says which conversation to open. ``failure`` is the error that ended the program, None if none did.
    Raises ``BadConfiguration`` for a theme or a key that does not exist.
    """

    CSS_PATH = "styles.tcss"
    TITLE = "hybridchat"
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS: ClassVar = set()  # the chat's own say it all

    def __init__(
        self,
        build: Callable[[], Assistant],
        settings: ChatSettings,
        choose: Callable[[Assistant], Awaitable[Conversation | None]] | None = None,
    ) -> None:
        super().__init__()
        self._build = build
        self._choose = choose
        self._built: Assistant | None = None
        self.failure: Exception | None = None
        self.set_keymap(keymap(settings.keys))
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._known(settings.theme or DEFAULT)
        self.chat = ChatScreen()

    def get_default_screen(self) -> Screen[None]:
        """Begin with the chat."""
        return self.chat

    def on_mount(self) -> None:
        """Get the assistant as soon as the first frame is drawn."""
        self.call_after_refresh(self.run_worker, self._get_ready(), group="start")

    async def on_event(self, event: events.Event) -> None:
        """Let what is typed or pasted on the chat screen be written, wherever a click or Tab put the focus."""
        written = isinstance(event, events.Paste) or (isinstance(event, events.Key) and event.is_printable)
        if written and not event.is_forwarded and self.chat.is_mounted and self.chat.is_active:
            self.chat.set_focus(self.chat.composer)
        await super().on_event(event)

    async def converse(self) -> None:
        """Run until the user leaves, and close everything. Raises what ended the program otherwise."""
        try:
            await self.run_async()
        finally:
            await self.chat.close_turn()
            if self._built is not None:
                await self._built.__aexit__(None, None, None)
        if self.failure is not None:
            raise self.failure

    def leave(self, error: HybridChatError) -> None:
        """Leave because of ``error``, which ``converse`` then raises."""
        self.failure = self.failure or error
        self.exit()

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a selection, and say how sure that is."""
        self._clipboard = text
        self.run_worker(self._copy(text), group="copy", exclusive=True)

    def action_help_quit(self) -> None:
        """Stop the answer, which Ctrl+C means everywhere else; without one, say how to leave."""
        if self.chat.is_busy:
            self.chat.action_stop()
        else:
            self.notify("Ctrl+Q leaves; everything is kept", markup=False)

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:  # noqa: ARG002 -- Textual's
        """Say that a changed key takes another one's place."""
        names = ", ".join(sorted(binding.description for binding in clashed_bindings))
        self.notify(f"chat.keys: a changed key hides {names}", severity="warning", markup=False)

    async def _get_ready(self) -> None:
        try:
            self._built = assistant = await asyncio.to_thread(self._build)
            await asyncio.to_thread(_load_parsers)
            conversation = await self._choose(assistant) if self._choose else None
            await self.chat.start_with(assistant, conversation)
            self.chat.look_for_models()
        except HybridChatError as error:
            self.leave(error)

    async def _copy(self, text: str) -> None:
        copied = await copy(text, self.chat.write_to_terminal)
        self.notify(copied.message, severity="information" if copied.verified else "warning", markup=False)

    def _known(self, theme: str) -> str:
        if theme in self.available_themes:
            return theme
        near = difflib.get_close_matches(theme, self.available_themes, 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(self.available_themes))}."
        raise BadConfiguration(f"chat.theme: there is no theme {theme!r}", hint=hint)

    def _handle_exception(self, error: Exception) -> None:
        """Leave without a traceback on the terminal: whoever runs the program tells what happened."""
        self.failure = self.failure or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()


def _load_parsers() -> None:
    """Load what the first answer is drawn with, so that its first word need not wait for it."""
    parse_tree("", {})
    inline("*", ())
    highlighted("", "text")
