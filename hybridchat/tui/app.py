"""The full-screen program: draws its first frame at once, and gets the assistant afterwards."""

from __future__ import annotations

import asyncio
import difflib
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App

from hybridchat.errors import BadConfiguration, HybridChatError
from hybridchat.tui.keys import BY_NAME, keymap, readable
from hybridchat.tui.opening import EarlyKeys, OpeningScreen
from hybridchat.tui.themes import DEFAULT, THEMES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.binding import Binding
    from textual.dom import DOMNode

    from hybridchat.assistant import Assistant
    from hybridchat.config.settings import ChatSettings
    from hybridchat.messages import Conversation
    from hybridchat.tui.chat import ChatScreen

_OPENING, _CHAT = "opening", "chat"


class ChatApp(App[None]):
    """Shows the chat, whose parts are loaded once its outline stands.

    ``build`` makes the assistant; it may take its time and block, for it runs in a thread after the first frame.
    ``choose`` then says which conversation to open. ``failure`` is the error that ended the program, None if none did.
    Raises ``BadConfiguration`` for a theme or a key that does not exist.
    """

    CSS_PATH = "styles.tcss"
    TITLE = "hybridchat"
    DEFAULT_MODE = _OPENING
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
        keys = keymap(settings.keys)
        self.set_keymap(keys)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._known(settings.theme or DEFAULT)
        self._opening = OpeningScreen(f"{readable(keys.get('help', BY_NAME['help'].keys))} help")
        self.add_mode(_OPENING, lambda: self._opening)
        self._early = EarlyKeys()
        self._chat: ChatScreen | None = None

    @property
    def chat(self) -> ChatScreen:
        """The chat, once it is there."""
        assert self._chat is not None
        return self._chat

    @property
    def is_opening(self) -> bool:
        """Whether the chat is still being loaded."""
        return self._chat is None

    @property
    def is_ready(self) -> bool:
        """Whether the chat has its assistant, so that a prompt is sent at once."""
        return self._chat is not None and self._chat.is_ready

    def on_mount(self) -> None:
        """Get the rest as soon as the first frame is drawn."""
        self.call_after_refresh(self.run_worker, self._get_ready(), group="start")

    async def on_event(self, event: events.Event) -> None:
        """Let what is typed or pasted on the chat screen be written, wherever a click or Tab put the focus."""
        if self._chat is None and self._early.keep(event):
            return
        written = isinstance(event, events.Paste) or (isinstance(event, events.Key) and event.is_printable)
        if written and not event.is_forwarded and self._chat is not None and self._chat.is_active:
            self._chat.set_focus(self._chat.composer)
        await super().on_event(event)

    async def converse(self) -> None:
        """Run until the user leaves, and close everything. Raises what ended the program otherwise."""
        try:
            await self.run_async()
        finally:
            if self._chat is not None:
                await self._chat.close_turn()
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
        if self._chat is not None and self._chat.is_busy:
            self._chat.action_stop()
        else:
            self.notify("Ctrl+Q leaves; everything is kept", markup=False)

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:  # noqa: ARG002 -- Textual's
        """Say that a changed key takes another one's place."""
        names = ", ".join(sorted(binding.description for binding in clashed_bindings))
        self.notify(f"chat.keys: a changed key hides {names}", severity="warning", markup=False)

    async def _get_ready(self) -> None:
        try:
            await asyncio.to_thread(_load_chat)
            await self._hand_over()
            self._built = assistant = await asyncio.to_thread(self._build)
            await assistant.__aenter__()
            await asyncio.to_thread(_load_parsers)
            conversation = await self._choose(assistant) if self._choose else None
            await self.chat.start_with(assistant, conversation)
            self.chat.look_for_models()
        except HybridChatError as error:
            self.leave(error)

    async def _hand_over(self) -> None:
        """Put the chat in the opening's place; what was typed stays where it is, and no key is lost or overtaken."""
        from hybridchat.tui.chat import ChatScreen  # noqa: PLC0415 -- the first frame does without

        written = asyncio.Event()

        def keep_everything() -> None:
            self._early.everything = True
            self._opening.composer.call_later(written.set)

        self.call_later(keep_everything)  # this queue and then the composer's: behind every key that came before
        await written.wait()
        chat, draft = ChatScreen(), self._opening.composer
        self.add_mode(_CHAT, lambda: chat)
        with self.batch_update():
            await self.switch_mode(_CHAT)
            chat.composer.take(draft.text)
            chat.composer.move_cursor(draft.cursor_location)
        self.call_later(self._give_keys, chat)
        await self.remove_mode(_OPENING)

    async def _give_keys(self, chat: ChatScreen) -> None:
        self._chat = chat
        for event in self._early.take():
            await self.on_event(event)

    async def _copy(self, text: str) -> None:
        from hybridchat.tui.clipboard import copy  # noqa: PLC0415 -- the first frame copies nothing

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


def _load_chat() -> None:
    import_module("hybridchat.tui.chat")


def _load_parsers() -> None:
    """Load what the first answer is drawn with, so that its first word need not wait for it."""
    from hybridchat.tui.code import highlighted  # noqa: PLC0415 -- the first frame draws no answer
    from hybridchat.tui.inline import inline  # noqa: PLC0415 -- the same
    from hybridchat.tui.tree import parse_tree  # noqa: PLC0415 -- the same

    parse_tree("", {})
    inline("*", ())
    highlighted("", "text")
