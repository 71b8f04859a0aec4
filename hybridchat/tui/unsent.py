"""Keeps what is written and not sent, so that not even a violent end loses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridchat.errors import HybridChatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer

    from hybridchat.assistant import Assistant
    from hybridchat.tui.composer import Composer
    from hybridchat.tui.conversation import OpenConversation

_STILL = 0.4  # seconds without a change before it is kept


class Unsent:
    """Follows the composer and the prompts that wait, and keeps them with the conversation that is open.

    ``refused`` is told the first time that nothing can be kept, and again once it could be meanwhile.
    """

    def __init__(
        self,
        assistant: Assistant,
        conversation: OpenConversation,
        composer: Composer,
        waiting: Callable[[], tuple[str, ...]],
        refused: Callable[[HybridChatError], None],
    ) -> None:
        self._assistant = assistant
        self._conversation = conversation
        self._composer = composer
        self._waiting = waiting
        self._refused = refused
        self._is_refused = False
        self._place = conversation.id
        self._kept = ""
        self._timer: Timer | None = None

    def changed(self) -> None:
        """Keep it soon, once nothing changes for a moment."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._composer.set_timer(_STILL, self.keep)

    async def keep(self) -> None:
        """Keep it now. Where that fails, it is told once, and the next attempt may not: typing is not disturbed."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        place, text = self._conversation.id, "\n".join(filter(None, [*self._waiting(), self._composer.unsent]))
        try:
            if place != self._place and self._kept:  # the first question has begun a conversation
                await self._assistant.keep_draft(self._place, "")
                self._kept = ""
            if text != self._kept:
                await self._assistant.keep_draft(place, text)
            self._place, self._kept, self._is_refused = place, text, False
        except HybridChatError as error:
            if not self._is_refused:
                self._is_refused = True
                self._refused(error)

    async def leave(self) -> None:
        """Keep it with the conversation that is left, and empty the composer."""
        self._composer.leave_edit()
        await self.keep()
        self._composer.load_text("")

    async def enter(self) -> None:
        """Write again what was kept with the conversation that is open now, before what was typed meanwhile."""
        self._place = self._conversation.id
        try:
            self._kept = await self._assistant.draft(self._place)
        except HybridChatError:
            self._kept = ""
        if self._kept:
            self._composer.give_back(self._kept)
