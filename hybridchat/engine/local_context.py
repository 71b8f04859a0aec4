"""What the local model is given of a conversation, and how the user shortens it; nothing of it is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hybridchat.context import in_turns
from hybridchat.engine.condenser import condensed, older_turns
from hybridchat.errors import InputError
from hybridchat.events import ContextCondensed, ContextTrimmed
from hybridchat.handover import verbatim
from hybridchat.handover.cuts import Shortened, shortened
from hybridchat.handover.summary import as_message
from hybridchat.messages import Place

if TYPE_CHECKING:
    from hybridchat.context import PromptMeter
    from hybridchat.engine.resources import Resources
    from hybridchat.messages import Message
    from hybridchat.store.contexts import Cut
    from hybridchat.store.database import Store


class LocalContext:
    """The cuts of all conversations that are open; one for the life of the program."""

    def __init__(self, store: Store, meter: PromptMeter) -> None:
        self._store = store
        self._meter = meter
        self._cuts: dict[str, list[Cut]] = {}

    async def load(self, conversation_id: str) -> None:
        """Read a conversation's cuts, which ``of`` needs to know."""
        self._cuts[conversation_id] = await self._store.contexts.cuts(conversation_id)

    def of(self, path: Sequence[Message]) -> Shortened:
        """Return what the local model is given of ``path``."""
        return shortened(path, self._cuts.get(path[0].conversation_id, ()) if path else ())

    def event(self, found: Shortened) -> ContextCondensed | ContextTrimmed | None:
        """Return what tells of a cut, None where there is none."""
        turns, messages = found.turns, len(found.covered)
        if found.cut is None:
            return None
        if found.cut.summary is None:
            return ContextTrimmed(Place.LOCAL, turns, messages, 0)
        before, after = self._meter(verbatim(found.covered)), self._meter(verbatim(found.path[:1]))
        return ContextCondensed(Place.LOCAL, turns, messages, before, after)


async def condense(resources: Resources, path: Sequence[Message]) -> ContextCondensed:
    """Let a summary stand for all turns of ``path`` but the last in what the local model is given.

    Raises ``InputError`` where there is nothing to condense or a summary is no shorter, and what the local model's
    backend raises.
    """
    await resources.condensing.aclose()  # the local model does one thing at a time
    older = older_turns(path)
    if not older:
        raise InputError("there is no older turn to condense", hint="Go on: only the last turn stays as it is.")
    summary = await condensed(resources, older)
    head = as_message(summary.text, path[0])
    before, after = resources.local_meter(verbatim(older)), resources.local_meter(verbatim([head]))
    if after >= before:
        raise InputError(
            f"a summary of the older turns is no shorter than they are: about {after} tokens instead of {before}",
            hint="Go on, or leave turns out.",
        )
    await resources.store.contexts.keep_cut(summary.message_id, condensed=True)
    event = await _reload(resources, path)
    assert isinstance(event, ContextCondensed)
    return event


async def trim(resources: Resources, path: Sequence[Message], turns: int) -> ContextTrimmed:
    """Leave the oldest ``turns`` of what the local model is still given out of it, and any summary before them.

    Raises ``InputError`` where there are not so many.
    """
    covered = len(resources.local_context.of(path).covered)
    left = in_turns(path[covered:])
    if not 1 <= turns <= len(left):
        there = f"there are {len(left)}" if left else "there is none"
        raise InputError(f"{turns} turns cannot be left out: {there}", hint="Name how many of the oldest to leave out.")
    await resources.store.contexts.keep_cut(left[turns - 1][-1].id, condensed=False)
    event = await _reload(resources, path)
    assert isinstance(event, ContextTrimmed)
    return event


async def undo(resources: Resources, path: Sequence[Message]) -> bool:
    """Take back the last of the cuts on ``path``; return whether there was one."""
    cut = resources.local_context.of(path).cut
    if cut is None:
        return False
    await resources.store.contexts.drop_cut(cut.message_id)
    await _reload(resources, path)
    return True


async def _reload(resources: Resources, path: Sequence[Message]) -> ContextCondensed | ContextTrimmed | None:
    context = resources.local_context
    await context.load(path[0].conversation_id)
    return context.event(context.of(path))
