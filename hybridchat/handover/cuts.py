"""What is left of a conversation for the local model where the user cut it: older turns as a summary, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hybridchat.context import in_turns
from hybridchat.handover.summary import as_message
from hybridchat.messages import Message
from hybridchat.store.contexts import Cut


@dataclass(frozen=True, slots=True)
class Shortened:
    """A path as it is given to the local model: without ``covered``, for which its ``cut``'s summary may stand."""

    path: tuple[Message, ...]
    covered: tuple[Message, ...] = ()
    cut: Cut | None = None

    @property
    def turns(self) -> int:
        """How many turns are covered."""
        return len(in_turns(self.covered))


def shortened(path: Sequence[Message], cuts: Sequence[Cut]) -> Shortened:
    """Return ``path`` after the last made of ``cuts`` that lies on it; those of other branches do not count."""
    places = {message.id: place for place, message in enumerate(path)}
    cut = next((cut for cut in reversed(cuts) if cut.message_id in places), None)
    if cut is None:
        return Shortened(tuple(path))
    first = places[cut.message_id] + 1
    covered, kept = tuple(path[:first]), tuple(path[first:])
    head = () if cut.summary is None else (as_message(cut.summary, path[0]),)
    return Shortened((*head, *kept), covered, cut)
