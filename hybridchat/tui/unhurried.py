"""A question that takes no answer before it was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.screen import ModalScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.timer import Timer

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter that may be an answer, or the beginning of a word: ``timer`` tells when it was an answer."""

    character: str
    action: str
    timer: Timer


class UnhurriedDialog(ModalScreen[Result]):
    """A dialog that may open while the user is typing.

    What was typed before it was seen is no answer: until nothing was typed for ``QUIET`` seconds, keys go on to
    ``typed``, where they were meant for, and answer nothing; then the focus goes to ``rests_on``. A letter that another
    letter follows within ``HESITATION`` seconds is the beginning of a word, and no answer either.
    """

    QUIET: ClassVar[float] = 0.7
    HESITATION: ClassVar[float] = 0.3
    AUTO_FOCUS = ""

    def __init__(self, typed: Callable[[str], None], *, rests_on: str) -> None:
        super().__init__()
        self._typed = typed
        self._rests_on = rests_on
        self._is_question = True
        self._arming: Timer | None = None
        self._letter: _Letter | None = None
        self.armed = False

    def begin(self, *, is_question: bool) -> None:
        """Wait for a moment of quiet; what is no question, but something to look at, takes every key at once."""
        self._is_question = is_question
        if is_question:
            self._wait_for_quiet()
        else:
            self.arm()

    def arm(self) -> None:
        """Take answers from now on, beginning where nothing happens by chance."""
        if self._arming is not None:
            self._arming.stop()
        self.armed = True
        self.query_one(self._rests_on).focus()
        self.armed_changed()

    def armed_changed(self) -> None:
        """Show whether keys answer now; a dialog that says so does it here."""

    async def on_key(self, event: events.Key) -> None:
        """Pass on what was meant for the composer; a character that is no answer says that the user is typing again."""
        if not self._is_question:
            return
        letter, self._letter = self._letter, None
        if letter is not None:
            letter.timer.stop()
        if not event.is_printable or event.character is None:
            if letter is not None:
                await self.run_action(letter.action)
            if not self.armed:
                event.stop()
                event.prevent_default()
                self._wait_for_quiet()
            return
        event.stop()
        event.prevent_default()
        bound = self.active_bindings.get(event.key)
        if self.armed and bound is not None and (letter is None or letter.character == event.character):
            if letter is not None:
                await self.run_action(letter.action)
            timer = self.set_timer(self.HESITATION, self._take_letter)
            self._letter = _Letter(event.character, bound.binding.action, timer)
            return
        self.armed = False
        self.set_focus(None)
        self.armed_changed()
        self._typed((letter.character if letter else "") + event.character)
        self._wait_for_quiet()

    async def _take_letter(self) -> None:
        letter, self._letter = self._letter, None
        if letter is not None:
            await self.run_action(letter.action)

    def _wait_for_quiet(self) -> None:
        if self._arming is not None:
            self._arming.stop()
        self._arming = self.set_timer(self.QUIET, self.arm)
