"""The chat screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import events, getters, on, work
from textual.app import SuspendNotSupported
from textual.binding import BindingType
from textual.widgets import Static, TextArea

from hybridchat import phrases
from hybridchat.errors import HybridChatError
from hybridchat.tui.completion import CompletionList, completions
from hybridchat.tui.composer import Composer
from hybridchat.tui.context_actions import ContextActions
from hybridchat.tui.conversations import ConversationsScreen
from hybridchat.tui.dialogs import LOWEST, NARROWEST, ChoiceDialog, ConfirmDialog, LineDialog, TextDialog
from hybridchat.tui.external_editor import edited
from hybridchat.tui.help import help_text
from hybridchat.tui.keys import ACTIONS, Action, bindings, readable
from hybridchat.tui.palette import ActionProvider
from hybridchat.tui.themes import keep_theme

if TYPE_CHECKING:
    from textual.command import Provider


class ChatScreen(ContextActions):
    """A conversation, and everything around it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(action.name for action in ACTIONS)]
    COMMANDS: ClassVar[set[type[Provider]]] = {ActionProvider}  # type: ignore[assignment]  # narrower than Textual's
    found = getters.query_one(CompletionList)
    too_small = getters.query_one("#too-small", Static)

    def on_mount(self) -> None:
        """Begin where the user writes, and say where help is."""
        super().on_mount()
        self.status.hint(f"{readable(self.key_of('help'))} help")

    def key_of(self, name: str) -> str:
        """Return the key that an action has, changed or not."""
        return next((key for key, active in self.active_bindings.items() if active.binding.id == name), "")

    async def do(self, action: Action, argument: str) -> None:
        """Do what a slash command asks for."""
        method = getattr(self, f"action_{action.method}")
        done = method(argument) if action.argument else method()
        if hasattr(done, "__await__"):
            await done

    @on(TextArea.Changed)
    @on(TextArea.SelectionChanged)
    def complete(self) -> None:
        """Offer what could stand where the cursor is."""
        composer = self.composer
        row, _ = composer.cursor_location
        begun, offered = completions(composer.before_cursor, at_start=row == 0, folder=self.folder)
        self.found.show(begun, offered)
        composer.completing = self.found.display

    @on(Composer.CompletionMoved)
    def mark(self, event: Composer.CompletionMoved) -> None:
        """Mark another completion."""
        event.stop()
        self.found.move(event.step)

    @on(Composer.CompletionWanted)
    @on(CompletionList.OptionSelected)
    def take_completion(self, event: Composer.CompletionWanted | CompletionList.OptionSelected) -> None:
        """Write the completion out."""
        event.stop()
        if (completion := self.found.marked) is not None:
            self.composer.complete_with(self.found.begun, completion.text)

    def on_resize(self, event: events.Resize) -> None:
        """Say so where the terminal is too small to be of use; nothing is lost meanwhile."""
        width, height = event.size
        small = width < NARROWEST or height < LOWEST
        self.too_small.display = small
        if small:
            self.too_small.update(
                f"This terminal has {width}x{height} cells; {NARROWEST}x{LOWEST} are needed. Nothing is lost."
            )

    def action_page(self, step: int) -> None:
        """Scroll the transcript by a page, down (1) or up (-1), while the user goes on writing."""
        if step > 0:
            self.transcript.scroll_page_down(animate=False)
        else:
            self.transcript.scroll_page_up(animate=False)

    def action_follow(self) -> None:
        """Go to the end of the transcript and stay there."""
        self.transcript.follow()

    def action_stop(self) -> None:
        """Close the completions, or stop the answer."""
        if self.composer.completing:
            self.found.show("", [])
            self.composer.completing = False
        else:
            super().action_stop()

    def action_editor(self) -> None:
        """Write in the user's own editor."""
        failure: HybridChatError | None = None
        try:
            with self.app.suspend():
                try:
                    self.composer.take(edited(self.composer.text))
                except (
                    HybridChatError
                ) as error:  # here, for suspend takes the terminal back only where nothing is raised
                    failure = error
        except SuspendNotSupported:
            self.tell("this terminal cannot be lent to an editor")
        if failure is not None:
            self.complain(failure)
        self.app.refresh()

    @work(group="look")
    async def action_conversations(self) -> None:
        """Let the user open another conversation."""
        if not self.is_ready:
            return
        chosen = await self.app.push_screen_wait(ConversationsScreen(self.assistant))
        if chosen is not None and self._may_leave():
            await self.attempt(lambda: self.show(chosen))

    async def action_new(self) -> None:
        """Begin a new conversation."""
        if self._may_leave():
            async with self.going_elsewhere():
                self.conversation.close()
                await self.redraw()
            self.composer.focus()

    @work(group="look")
    async def action_rename(self, title: str = "") -> None:
        """Give this conversation another title."""
        if not self._is_kept():
            return
        new: str | None = title or None
        if new is None:
            new = await self.app.push_screen_wait(LineDialog("The conversation's title", self.conversation.title))
        if new and await self.attempt(lambda: self.conversation.rename(new)):
            self.tell(f"it is now called: {self.conversation.title}")

    @work(group="look")
    async def action_delete(self) -> None:
        """Delete this conversation, if that is really meant."""
        if not (self._is_kept() and self._may_leave()):
            return
        question = f"Delete “{self.conversation.title}” with all its branches? This cannot be undone."
        if await self.app.push_screen_wait(ConfirmDialog(question)) and await self.attempt(
            lambda: self.assistant.delete(self.conversation.id or "")
        ):
            await self.action_new()

    @work(group="look")
    async def action_egress(self) -> None:
        """Show what left the machine."""
        if not self.is_ready:
            return
        try:
            entries = await self.assistant.egress()
        except HybridChatError as error:
            self.complain(error)
            return
        lines = [
            f"{entry.time.astimezone():%Y-%m-%d %H:%M}  {entry.bytes:,} bytes to {entry.model} at {entry.endpoint}: "
            f"{entry.outcome.status if entry.outcome else 'no outcome yet'}, "
            f"replaced {phrases.redactions(entry.placeholders) or 'nothing'}"
            for entry in entries
        ]
        await self.app.push_screen_wait(TextDialog("What left this machine", "\n".join(lines) or "Nothing ever left."))

    @work(group="look")
    async def action_models(self) -> None:
        """Look for local models, and get one."""
        await self._show_models()

    @work(group="look")
    async def look_for_models(self) -> None:
        """Show the way to a first chat where nothing on this machine can answer yet."""
        models = self.assistant.models
        if models is None or (await models.look()).ready:
            return
        if self.composer.text or self.is_busy or self.conversation.id is not None:
            self.tell("no model on this machine can answer yet: /models helps")
        else:
            await self._show_models()

    async def _show_models(self) -> None:
        from hybridchat.tui.first_run import FirstRunScreen  # noqa: PLC0415 -- seldom needed

        if self.is_ready and (models := self.assistant.models) is not None:
            screen = FirstRunScreen(models, has_remote=self.assistant.has_remote, typed=self.composer.type_in)
            await self.app.push_screen_wait(screen)

    @work(group="look")
    async def action_theme(self, name: str = "") -> None:
        """Choose other colours, and keep them in the setting chat.theme."""
        names = sorted(self.app.available_themes)
        chosen: str | None = name or None
        if chosen is None:
            chosen = await self.app.push_screen_wait(ChoiceDialog("Colours", [(one, one) for one in names]))
        if chosen in names:
            self.app.theme = chosen
            if await self.attempt(lambda: asyncio.to_thread(keep_theme, chosen)):
                self.tell(f"{chosen} is kept for the next time")
        elif chosen is not None:
            self.tell(f"there is no theme {chosen}: /theme lists them")

    def action_help(self) -> None:
        """Show keys and commands."""
        self.app.push_screen(TextDialog("Keys and commands", help_text(self.key_of)))

    async def action_quit(self) -> None:
        """Leave, once what was said is kept."""
        await self.close_turn()
        self.app.exit()

    def _may_leave(self) -> bool:
        if self.is_busy:
            self.tell("an answer is under way: stop it first")
        return self.is_ready and not self.is_busy

    def _is_kept(self) -> bool:
        if self.is_ready and self.conversation.id is not None:
            return True
        self.tell("this conversation begins with its first question")
        return False
