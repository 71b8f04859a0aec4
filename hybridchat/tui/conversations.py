"""The list of all conversations, searched while the user types."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import getters, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from hybridchat.errors import HybridChatError
from hybridchat.messages import Conversation
from hybridchat.text import clean, one_line

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from hybridchat.assistant import Assistant
    from hybridchat.store.records import Hit

_MOST = 100
_HITS_EACH = 5  # looked for on average: a conversation is listed once, however often the words occur in it
_STILL = 0.15  # seconds without a key before the search begins


class ConversationsScreen(ModalScreen[Conversation | None]):
    """Ends with the conversation to open, None for none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("down", "move(1)", "Down", priority=True),
        Binding("up", "move(-1)", "Up", priority=True),
        Binding("enter", "open", "Open", priority=True),
    ]
    listed = getters.query_one(OptionList)

    def __init__(self, assistant: Assistant) -> None:
        super().__init__()
        self._assistant = assistant
        self._found: list[Conversation] = []

    def compose(self) -> ComposeResult:
        """Yield the search line above the list."""
        with Vertical(classes="dialog wide"):
            yield Input(placeholder="search all conversations", compact=True)
            yield OptionList(markup=False, compact=True)
            yield Static("", id="found", classes="dialog-hint", markup=False)

    def on_mount(self) -> None:
        """List the conversations that were used last."""
        self.search("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search for what is typed."""
        self.search(event.value)

    @work(exclusive=True, group="search")
    async def search(self, text: str) -> None:
        """List what ``text`` finds; a later search ends an earlier one."""
        try:
            if text.strip():
                await asyncio.sleep(_STILL)
                hits = await self._assistant.search(text, _MOST * _HITS_EACH)
                rows = [(hit.conversation, _hit(hit)) for hit in _best_of_each(hits)][:_MOST]
            else:
                rows = [(one, _row(one)) for one in await self._assistant.conversations(_MOST)]
        except HybridChatError as error:
            self.query_one("#found", Static).update(clean(error.message))
            return
        self._found = [conversation for conversation, _ in rows]
        self.listed.clear_options()
        self.listed.add_options([Option(shown) for _, shown in rows])
        self.listed.highlighted = 0 if rows else None
        some = f"{len(rows)}{' or more' if len(rows) == _MOST else ''} found" if rows else "nothing found"
        self.query_one("#found", Static).update(f"{some} · Enter opens, Esc leaves")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open what was clicked."""
        self.dismiss(self._found[event.option_index])

    def action_open(self) -> None:
        """Open the conversation that is marked."""
        if self.listed.highlighted is not None:
            self.dismiss(self._found[self.listed.highlighted])

    def action_move(self, step: int) -> None:
        """Mark the next or the previous one."""
        if self._found:
            self.listed.highlighted = ((self.listed.highlighted or 0) + step) % len(self._found)

    def action_leave(self) -> None:
        """Open none."""
        self.dismiss(None)


def _best_of_each(hits: list[Hit]) -> list[Hit]:
    """Return the first hit of each conversation: the best one."""
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.conversation.id, hit)
    return list(best.values())


def _row(conversation: Conversation) -> Content:
    when = f"{conversation.updated_at.astimezone():%Y-%m-%d %H:%M}  "
    return Content.assemble((when, "$text-muted"), one_line(conversation.title, 80) or "untitled")


def _hit(hit: Hit) -> Content:
    # character by character, so that the marks stay where they are
    snippet = Content("".join(c if c.isprintable() else " " for c in hit.snippet))
    for start, end in hit.marks:
        snippet = snippet.stylize("bold underline", start, end)
    return Content("\n").join([_row(hit.conversation), Content("    ") + snippet])
