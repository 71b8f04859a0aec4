"""The line at the bottom: who is at work and from where, how full the window is, how to get help."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from hybridchat import phrases
from hybridchat.messages import Place
from hybridchat.text import one_line
from hybridchat.tui.segments import Segment, fitted

if TYPE_CHECKING:
    from textual.timer import Timer

    from hybridchat.assistant import WindowUse
    from hybridchat.messages import Confidence
    from hybridchat.tui.warmth import Forecast

_LONGEST_NAME, _SHORTER_NAME = 24, 12
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
    confidence: tuple[str, ...] = ()
    paused: bool = False

    def hear(self, tokens: int) -> None:
        """Count tokens that have come."""
        self.until = time.monotonic()
        if self.since is None:
            self.since = self.until
            self.doing = "answers"
        self.tokens += tokens

    def segments(self) -> list[Segment]:
        """Return what is told, in ever fewer words; how sure the model is, and where it runs, is never left out."""
        name, shorter = _short(self.model), _short(self.model, _SHORTER_NAME)
        doing = one_line(self.doing, 2 * _LONGEST_NAME)
        segments = [
            Segment((f"{name} {doing}", f"{shorter} {doing}", shorter), rank=3),
            Segment((phrases.where(self.place), str(self.place)), rank=2),
        ]
        if self.since is not None:
            seconds = self.until - self.since
            speed = f"{self.tokens / seconds:.0f}/s" if seconds > 1 and not self.paused else ""
            tokens = phrases.counted(self.tokens, "token")
            segments.append(Segment((", ".join(filter(None, [tokens, speed])), speed, ""), rank=1))
        if self.confidence:
            segments.append(Segment(self.confidence, rank=0))
        return segments


class StatusLine(Widget):
    """Draws itself. Where there is little room, it says less; the way to help is the last to go."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; color: $text-muted; background: $panel; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, hint: str = "") -> None:
        super().__init__()
        self._idle = [Segment(("starting",))]
        self._window: list[Segment] = []
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

    def rest(self, *segments: Segment) -> None:
        """Say this while nothing is under way."""
        self._idle = list(segments)
        self.refresh()

    def hint(self, text: str) -> None:
        """Say at the right how to go on."""
        self._hint = text
        self.refresh()

    def show_window(self, use: WindowUse) -> None:
        """Tell how full the local model's window is, with a word where it is nearly or more than full."""
        share = use.share
        if share is None:
            self._window = []
        else:
            said = f"context {share:.0%}"
            near = use.is_nearly_full
            word = "over: oldest turns left out" if share > 1 else "nearly full: /condense" if near else ""
            shorter = "over" if share > 1 else "full" if near else ""
            self._window = [Segment((f"{said} {word}".rstrip(), f"{said} {shorter}".rstrip()), rank=4)]
        self.refresh()

    def render(self) -> Content:
        """Return the line."""
        said = self._work.segments() if self._work else self._idle
        width = self.content_size.width
        hint = self._hint if len(self._hint) * 2 < width else ""
        text = fitted([*said, *self._window], width - len(hint) - 2 * bool(hint))
        return Content(text + " " * (width - len(text) - len(hint)) + hint)


def at_rest(forecast: Forecast) -> list[Segment]:
    """Return what to say of the local model between answers."""
    until = f" until {forecast.until.astimezone():%H:%M}" if forecast.until else ""
    state = "warm" if forecast.warm else "cold"
    told: tuple[str, ...] = (f"{state}{until}", state)
    if forecast.first_token is not None:
        soon = f"{forecast.first_token:.1f} s"
        told = (f"{state}{until}: first token in about {soon}", f"{state}: about {soon}", state)
    return [
        Segment((_short(forecast.model), _short(forecast.model, _SHORTER_NAME)), rank=1),
        Segment((phrases.where(Place.LOCAL), str(Place.LOCAL)), rank=0),
        Segment(told, rank=2),
    ]


def confidence_forms(confidence: Confidence, threshold: float | None) -> tuple[str, ...]:
    """Return a running answer's confidence and what it is held against, in ever fewer words."""
    whole = phrases.confidence(confidence, threshold)
    word, _, _ = whole.partition(" (")
    if threshold is None:
        return whole, f"{word} {phrases.percent(confidence)}"
    number, against = phrases.percentages(confidence.value, threshold)
    limit = f"asks remote below {against}"
    return f"{whole}, {limit}", f"{word} {number}, {limit}", f"{word} {number}"


def _short(model: str, longest: int = _LONGEST_NAME) -> str:
    return one_line(phrases.short_model(model), longest)
