"""The line at the bottom: who is at work and from where, how full the window is, how to get help."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from hybridchat import phrases
from hybridchat.messages import Place, Provenance
from hybridchat.text import one_line

if TYPE_CHECKING:
    from textual.timer import Timer

    from hybridchat.assistant import WindowUse

_LONGEST_NAME = 24
_TICK = 0.5  # seconds between two looks at the clock while an answer is under way; idle, there is no timer


@dataclass
class Work:
    """An answer under way, of which ``tokens`` were heard from ``since`` to ``until`` so far.

    ``paused`` says that a question to the user stood between them: what was said meanwhile came all at once, and no
    speed can be read from that.
    """

    model: str
    place: Place
    doing: str = "is asked"
    tokens: int = 0
    since: float | None = None
    until: float = 0.0
    confidence: str = ""
    paused: bool = False

    def hear(self, tokens: int) -> None:
        """Count tokens that have come."""
        self.until = time.monotonic()
        if self.since is None:
            self.since = self.until
            self.doing = "answers"
        self.tokens += tokens

    def __str__(self) -> str:
        parts = [f"{_short(self.model)} {self.doing}", phrases.where(self.place)]
        if self.since is not None:
            seconds = self.until - self.since
            speed = f", {self.tokens / seconds:.0f}/s" if seconds > 1 and not self.paused else ""
            parts.append(phrases.counted(self.tokens, "token") + speed)
        if self.confidence:
            parts.append(self.confidence)
        return " · ".join(parts)


class StatusLine(Widget):
    """Draws itself; what does not fit is left out from its end."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; color: $text-muted; background: $panel; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, hint: str = "") -> None:
        super().__init__()
        self._idle = "starting"
        self._window = ""
        self._hint = hint
        self._work: Work | None = None
        self._timer: Timer | None = None

    @property
    def work(self) -> Work | None:
        """The answer under way."""
        return self._work

    def begin(self, work: Work) -> None:
        """Follow an answer that is under way."""
        self._work = work
        if self._timer is None:
            self._timer = self.set_interval(_TICK, self.refresh)
        self.refresh()

    def end(self) -> None:
        """Rest: no answer is under way any more."""
        self._work = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.refresh()

    def rest(self, text: str) -> None:
        """Say ``text`` while nothing is under way."""
        self._idle = text
        self.refresh()

    def hint(self, text: str) -> None:
        """Say at the right how to go on."""
        self._hint = text
        self.refresh()

    def show_window(self, use: WindowUse) -> None:
        """Tell how full the local model's window is, with a word where it is nearly or more than full."""
        share = use.share
        if share is None:
            self._window = ""
        else:
            word = " over: oldest turns left out" if share > 1 else " nearly full" if use.is_nearly_full else ""
            self._window = f"context {share:.0%}{word}"
        self.refresh()

    def render(self) -> Content:
        """Return the line."""
        left = str(self._work) if self._work else self._idle
        parts = [left, self._window] if self._window else [left]
        width = self.content_size.width
        text = one_line(" · ".join(parts), max(width, 1))
        room = width - len(text) - 2
        hint = self._hint if len(self._hint) <= room else ""
        return Content(text + " " * (width - len(text) - len(hint)) + hint)


def at_rest(model: str, last: Provenance | None) -> str:
    """Return what to say of the local ``model`` between answers; ``last`` is its latest answer in this session."""
    name = f"{_short(last.model if last else model)} · {phrases.where(Place.LOCAL)}"
    if last is None or last.first_token_seconds is None:
        return f"{name} · cold"
    warm = max(last.first_token_seconds - (last.load_seconds or 0.0), 0.0)
    return f"{name} · warm: first token in about {warm:.1f} s"


def _short(model: str) -> str:
    return one_line(phrases.short_model(model), _LONGEST_NAME)
