"""A turn as text: the answer on standard output, what happens to it on standard error."""

from __future__ import annotations

from hybridchat import phrases
from hybridchat.errors import HybridChatError
from hybridchat.events import (
    ContextCondensed,
    ContextTrimmed,
    Delta,
    Escalated,
    Event,
    Failed,
    Finished,
    FollowUp,
    KeptLocal,
    Loading,
    Opened,
    Routed,
    SetAside,
)
from hybridchat.messages import Place
from hybridchat.plain.streams import Narration, Output, OutputRefused, tell_error


class TextFace:
    """Shows a turn as text.

    Where standard output is no terminal, what is written cannot be taken back: local text is then held until no
    other answer can replace it. On a terminal it is written at once, and a seam is told where it is set aside.
    ``hold`` holds every answer until it is whole; ``raw`` writes the answer alone, without as much as a final newline,
    wherever it goes.
    """

    waits_for_questions = True  # text must not run through a question that stands on the terminal

    def __init__(
        self, output: Output, narration: Narration, *, saved: bool = True, hold: bool = False, raw: bool = False
    ) -> None:
        self._output = output
        self._narration = narration
        self.saved = saved  # whether what is said is kept
        self._hold_all = hold
        self._raw = raw
        self._hold_local = False
        self._held = ""  # of the same message, not written yet
        self._written = ""  # of the message that is being written
        self._message_id: str | None = None
        self._line_open = False  # the last line on standard output lacks its end
        self._seam: SetAside | None = None
        self._thinking = False
        self._loading: Loading | None = None

    def show(self, event: Event) -> None:
        """Show one event. Raises ``ReaderGone`` and ``CannotWrite`` from standard output."""
        if self._seam is not None:
            self._tell_seam(event)
        match event:
            case Routed():
                self._hold_local = event.can_escalate and (self._raw or not self._output.is_terminal)
            case Delta():
                self._delta(event)
            case SetAside():
                self._set_aside(event)
            case KeptLocal():
                self._kept_local(event)
            case Finished():
                self._finished(event)
            case Failed():
                self._failed(event)
            case _:
                self._narrate(event)

    def fail(self, error: HybridChatError) -> None:
        """Tell an error that belongs to no turn, or to standard output itself."""
        self._close_lines()
        tell_error(self._narration, error)
        if self.saved and isinstance(error, OutputRefused):
            self._narration.insist("  The answer is kept: see `hybridchat history list`.")

    def _delta(self, event: Delta) -> None:
        if event.thinking:
            if self._narration.verbose:
                self._thinking = True
                self._narration.aside(event.text)
            return
        self._end_thinking()
        if self._message_id != event.message_id:
            self._message_id, self._written, self._held = event.message_id, "", ""
        self._held += event.text
        if not self._hold_all and not (self._hold_local and event.place is Place.LOCAL):
            self._release()

    def _release(self) -> None:
        text, self._held = self._held, ""
        self._written += text
        self._write(text)

    def _set_aside(self, event: SetAside) -> None:
        self._seam = event
        self._held = ""
        self._end_line()

    def _kept_local(self, event: KeptLocal) -> None:
        self._say(event.reason)
        if event.hint:
            self._say(f"  {event.hint}")
        self._hold_local = False  # a turn tries to escalate once: nothing can replace the local answer any more
        if not self._hold_all:
            self._release()

    def _tell_seam(self, event: Event) -> None:
        seam, self._seam = self._seam, None
        assert seam is not None
        sure = "" if seam.confidence is None else f" ({phrases.percent(seam.confidence)} sure)"
        line = f"local draft set aside after {phrases.counted(seam.tokens, 'token')}{sure}: {seam.reason}"
        if isinstance(event, Escalated):
            line += f" -> {phrases.short_model(event.model)}"
        self._say(line)

    def _narrate(self, event: Event) -> None:
        match event:
            case Opened(stand_in=sentence) if sentence:
                self._say(sentence)
            case Loading() if (self._narration.is_terminal or self._narration.verbose) and event != self._loading:
                self._loading = event
                self._say(f"{phrases.short_model(event.model)}: {event.reason}")
            case Escalated():
                if event.from_message_id is None:  # nothing was set aside: the local model could not even begin
                    self._say(f"{event.reason} -> {phrases.short_model(event.model)}")
                if replaced := phrases.redactions(event.redactions):
                    self._say(f"sent with placeholders for {replaced}")
            case ContextTrimmed():
                self._say(phrases.trimmed(event.place, event.turns, event.window))
            case ContextCondensed():
                self._say(phrases.condensed(event.place, event.turns, event.tokens_before, event.tokens_after))
            case FollowUp(answer=None):
                self._say(f"the remote model asks about {event.document}: {event.question}")
            case FollowUp():
                self._say(f"  the local model answers from it: {event.answer}")

    def _finished(self, event: Finished) -> None:
        already = self._written if self._message_id == event.message_id else ""
        if event.text.startswith(already):
            self._write(event.text[len(already) :])
        self._close_lines()
        for note in event.notes:
            self._say(note)
        if self._narration.is_terminal or self._narration.verbose:
            self._say(f"[{phrases.provenance(event.provenance)}]")

    def _failed(self, event: Failed) -> None:
        self._close_lines()
        if event.code == "interrupted":
            self._narration.insist(
                f"hybridchat: {event.message}" + (f". {event.hint}" if self.saved and event.hint else "")
            )
        else:
            tell_error(self._narration, event)

    def _say(self, line: str) -> None:
        self._end_thinking()
        if self._line_open and self._output.is_terminal and self._narration.is_terminal and not self._narration.quiet:
            self._narration.write("\n")
            self._line_open = False
        self._narration.say(line)

    def _write(self, text: str) -> None:
        if text:
            self._output.write(text)
            self._line_open = not text.endswith("\n")

    def _end_line(self) -> None:
        if self._line_open and not self._raw:
            self._line_open = False
            self._output.write("\n")

    def _close_lines(self) -> None:
        self._end_thinking()
        self._end_line()

    def _end_thinking(self) -> None:
        if self._thinking:
            self._thinking = False
            self._narration.write("\n")
