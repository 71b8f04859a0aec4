"""Who speaks: the lines around an answer. No line tells by colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.message import Message as ScreenMessage
from textual.widgets import Static

from hybridchat import phrases
from hybridchat.messages import Confidence, Message, Place, Provenance, Status
from hybridchat.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.binding import BindingType

    from hybridchat.events import SetAside
    from hybridchat.tui.answer import Answer

_SHOWN_LINES = 30
_SHOWN_CHARACTERS = 4_000


class Question(Static, can_focus=True):
    """What the user said; Enter or a click lets it be edited. A long one shows its beginning only."""

    DEFAULT_CSS = """
    Question {
        height: auto;
        margin: 0 0 1 0;
        padding: 0 1;
        background: $boost;
        border-left: outer $primary;
        &:focus { border-left: outer $accent; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("enter", "edit", "Edit")]

    class EditWanted(ScreenMessage):
        """The user wants to edit this question."""

        def __init__(self, message_id: str) -> None:
            super().__init__()
            self.message_id = message_id

    def __init__(self, text: str, message_id: str = "", *, version: str = "") -> None:
        super().__init__(_question(text, version), markup=False)
        self.message_id = message_id

    def action_edit(self) -> None:
        """Ask for an edit."""
        if self.message_id:
            self.post_message(self.EditWanted(self.message_id))


class Speaker(Static):
    """The line above an answer: which model speaks, and from where; before, what is waited for."""

    DEFAULT_CSS = """
    Speaker { height: auto; color: $text-muted; }
    Speaker.-remote { color: $text-warning; text-style: bold; }
    Speaker.-seam { border-top: dashed $surface-lighten-2; }
    """
    ALLOW_SELECT = False

    def __init__(self, waiting_for: str = "", *, goes_on: bool = False, note: str = "") -> None:
        """Say ``note`` behind the name; where an earlier answer ``goes_on``, this is the seam."""
        super().__init__("", classes="-seam" if goes_on else None, markup=False)
        self.speaking = False
        self._goes_on = goes_on
        self._note = note
        self.wait_for(waiting_for)

    @classmethod
    def of(cls, source: Provenance, note: str = "", *, goes_on: bool = False) -> Speaker:
        """Return the line above a stored answer."""
        speaker = cls(goes_on=goes_on, note=note)
        speaker.speak(source.model, source.place, source.endpoint, source.redactions)
        return speaker

    def wait_for(self, what: str) -> None:
        """Say what is waited for."""
        self.update(clean(f"… {what}"))

    def speak(self, model: str, place: Place, endpoint: str, redactions: Mapping[str, int] | None = None) -> None:
        """Say who speaks from now on, and what was replaced before a remote model saw it."""
        self.speaking = True
        remote = place is Place.REMOTE
        self.set_class(remote, "-remote")
        from_where = f"{phrases.where(place)}, {endpoint}" if remote else phrases.where(place)
        replaced = phrases.redactions(redactions or {})
        sent = f", sent with placeholders for {replaced}" if replaced else ""
        name = f"{'continued by ' if self._goes_on else ''}{phrases.short_model(model)}"
        note = f" · {self._note}" if self._note else ""
        self.update(clean(f"{'↗' if remote else '●'} {name} · {from_where}{sent}{note}"))


class Note(Static):
    """A line about what happened, in the program's own voice."""

    DEFAULT_CSS = """
    Note { height: auto; color: $text-muted; margin: 0 0 1 0; }
    Note.-error { color: $text-error; }
    """
    ALLOW_SELECT = False

    def __init__(self, text: str, *, error: bool = False) -> None:
        super().__init__(clean(text), classes="-error" if error else None, markup=False)
        self.text = text

    def say(self, text: str) -> None:
        """Say something else."""
        self.text = text
        self.update(clean(text))


class Fold(Static, can_focus=True):
    """A line that stands for an answer which is not shown, until Enter or a click unfolds it above the line."""

    DEFAULT_CSS = """
    Fold {
        height: auto;
        margin: 0 0 1 0;
        color: $text-muted;
        border-top: dashed $surface-lighten-2;
        &:focus { text-style: underline; }
        &:hover { text-style: underline; }
    }
    """
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [("enter", "unfold", "Unfold")]

    def __init__(self, answer: Answer, line: str, source: str = "") -> None:
        """Hide ``answer``; ``source`` is its text where it is to be drawn only when it is unfolded."""
        self._answer = answer
        self._source = source
        self._line = clean(line)
        answer.display = False
        super().__init__(self._text(), markup=False)

    def action_unfold(self) -> None:
        """Show the answer, or hide it again."""
        self._answer.append(self._source)
        self._source = ""
        self._answer.display = not self._answer.display
        self.update(self._text())

    def reveal(self, answer: Answer) -> bool:
        """Unfold if this hides ``answer``; return whether it did."""
        hidden = answer is self._answer and not answer.display
        if hidden:
            self.action_unfold()
        return hidden

    def on_click(self, event: events.Click) -> None:
        """Do the same."""
        event.stop()
        self.action_unfold()

    def _text(self) -> str:
        return f"{'▾' if self._answer.display else '▸'} {self._line}"


def set_aside(event: SetAside) -> str:
    """Return the line for a draft that another answer replaces."""
    return _set_aside(event.tokens, event.confidence, event.reason)


def other_answer(message: Message) -> str:
    """Return the line for a stored answer that is not the one shown."""
    what = {Status.SET_ASIDE: "local draft set aside", Status.PARTIAL: "another answer, not finished"}
    line = what.get(message.status, "another answer")
    source = message.provenance
    if source is None:
        return line
    if source.withdrawal is not None:
        return _set_aside(source.withdrawal.tokens, source.confidence, source.withdrawal.reason)
    sure = f", {phrases.confidence(source.confidence)}" if source.confidence else ""
    return f"{line}: {phrases.short_model(source.model)}, {phrases.where(source.place)}{sure}"


def summary(message: Message) -> str:
    """Return the line below a stored answer: where it came from and how it ended."""
    ended = "not finished: " if message.status is Status.PARTIAL else ""
    return ended + (phrases.provenance(message.provenance) if message.provenance else "of unknown origin")


def _set_aside(tokens: int, confidence: Confidence | None, reason: str) -> str:
    sure = f", {phrases.confidence(confidence)}" if confidence else ""
    return f"local draft set aside after {phrases.counted(tokens, 'token')}{sure}: {reason}"


def _question(text: str, version: str) -> Content:
    cleaned = clean(text)
    shown = "\n".join(cleaned[:_SHOWN_CHARACTERS].split("\n")[:_SHOWN_LINES])
    left_out = len(cleaned) - len(shown)
    more = f"\n… {left_out:,} more characters" if left_out else ""
    head = f"You {version}: " if version else "You: "
    return Content.assemble((head, "bold"), shown, (more, "$text-muted"))
