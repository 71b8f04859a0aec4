"""What a running turn asks the user, and what the local model thinks of its answer after the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridchat.events import Consent, ConsentRequested, Event, ModelChoiceRequested, Reply
from hybridchat.tui.consent import ConsentDialog
from hybridchat.tui.dialogs import ChoiceDialog, model_choice
from hybridchat.tui.provenance import Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from hybridchat.engine import Turn
    from hybridchat.engine.second_look import SecondLook
    from hybridchat.tui.turns import TurnScreen


class TurnQuestions:
    """Puts the questions of ``turn`` before the user, one at a time.

    What is ``typed`` while one appears is meant for another place.
    """

    def __init__(self, app: App[None], turn: Turn, typed: Callable[[str], None]) -> None:
        self._app = app
        self._turn = turn
        self._typed = typed
        self._open: ConsentDialog | ChoiceDialog | None = None

    def consider(self, event: Event) -> None:
        """Ask what ``event`` asks, if it asks anything; after a change, show what would leave now."""
        match event:
            case ConsentRequested(outgoing) if isinstance(self._open, ConsentDialog):
                self._open.show(outgoing)
            case ConsentRequested(outgoing):
                self._open = consent = ConsentDialog(outgoing, self._typed, self._turn.answer)
                self._app.push_screen(consent, self._take)
            case ModelChoiceRequested():
                self._open = choice = model_choice(event)
                self._app.push_screen(choice, self._take)

    def withdraw(self) -> None:
        """Take the question away: the turn has ended."""
        if self._open is not None and self._open.is_current:
            self._open.dismiss()

    def _take(self, reply: Consent | str | None) -> None:
        self._open = None
        answer: Reply = reply
        self._turn.answer(answer)


async def look_again(screen: TurnScreen, looks: SecondLook) -> None:
    """Tell below the last answer what the local model finds when it looks at it again, while the user reads."""
    note: Note | None = None
    async for seen in looks:
        if screen.is_busy:  # the next turn has begun below
            return
        said = f"looked again: {seen.reason}"
        if seen.advises and screen.assistant.has_remote:
            said += " (/escalate asks the remote model)"
        screen.conversation.branches.add(await screen.assistant.message(seen.message_id))
        if note is None:
            note = Note(said)
            await screen.transcript.add(note)
        else:
            note.say(said)
