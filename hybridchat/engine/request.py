"""What a face asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from hybridchat.messages import DataPolicy, Place


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One turn.

    ``conversation_id`` None begins a conversation; ``parent_id`` None continues it at its head. ``answer_to`` names a
    user message that is already there, to be answered again (``text`` is then ignored); ``edit_of`` one that ``text``
    is another version of: it begins a branch beside it. ``choice`` is the user's explicit choice of model;
    ``allow_remote`` answers data policy ``confirm``; ``data_policy`` is this call's own. ``can_ask`` says that a person
    is there to answer a ``ConsentRequested``. ``min_confidence`` is the confidence below which a kept local answer
    counts as unsure. ``system`` None takes the system prompt of the settings.

    ``selection`` is a piece of the conversation that the remote model is to be sent instead of all of it, with the
    question unless ``with_question`` is false; the local model is given the conversation as ever.
    """

    text: str
    conversation_id: str | None = None
    parent_id: str | None = None
    answer_to: str | None = None
    edit_of: str | None = None
    choice: Place | None = None
    allow_remote: bool = False
    data_policy: DataPolicy | None = None
    can_ask: bool = False
    min_confidence: float | None = None
    system: str | None = None
    selection: str | None = None
    with_question: bool = True
