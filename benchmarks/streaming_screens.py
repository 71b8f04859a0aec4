"""Two screens that show the same conversation, ours and stock Textual, and a driver that notes what is painted."""

from __future__ import annotations

import asyncio
import re
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.containers import VerticalScroll
from textual.drivers.headless_driver import HeadlessDriver
from textual.widgets import Markdown, Static

from hybridchat.tui.answer import Answer
from hybridchat.tui.transcript import Transcript

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget
    from textual.widgets.markdown import MarkdownStream

_KEY = re.compile(r"key (\d+) seen")


class EncodingDriver(HeadlessDriver):
    """Makes the app encode each frame as for a real terminal, and notes when a key's echo is in one."""

    frames: ClassVar[int] = 0
    painted: ClassVar[dict[int, float]] = {}

    @property
    def is_headless(self) -> bool:
        """Say that somebody looks: a headless app encodes nothing."""
        return False

    def write(self, data: str) -> None:
        """Count a frame."""
        type(self).frames += 1
        for number in _KEY.findall(data):
            self.painted.setdefault(int(number), time.perf_counter())


class Screen(App[None]):
    """A conversation above a line that echoes the number of keys pressed."""

    CSS = "#echo { dock: bottom; height: 1; }"

    def __init__(self) -> None:
        EncodingDriver.frames = 0
        EncodingDriver.painted.clear()
        super().__init__(driver_class=EncodingDriver)
        self.keys = 0
        self._echo = Static("", id="echo", markup=False)

    def on_key(self, event: events.Key) -> None:
        """Echo; the screens' own bindings for the key used here do nothing."""
        event.stop()
        self.keys += 1
        self._echo.update(f"key {self.keys} seen")

    @abstractmethod
    async def open_message(self, text: str = "") -> None:
        """Add a message at the end; what is written from now on belongs to it."""

    @abstractmethod
    async def write(self, text: str) -> None:
        """Stream ``text`` into the last message, the way the screen is meant to be used."""

    @abstractmethod
    async def append(self, text: str) -> None:
        """Append ``text`` to the last message in one update."""

    @abstractmethod
    async def end(self) -> None:
        """End the last message and return when all of it is drawn."""

    async def painted(self, widget: Widget) -> None:
        """Return when what was changed in ``widget`` is on the screen."""
        done = asyncio.Event()
        self.screen.call_after_refresh(done.set)
        await done.wait()
        done.clear()
        widget.call_after_refresh(done.set)
        await done.wait()


class Stock(Screen):
    """Textual's Markdown, fed through its own stream."""

    def __init__(self) -> None:
        super().__init__()
        self._stream: MarkdownStream | None = None
        self._message = Markdown()
        self._scroll = VerticalScroll()

    def compose(self) -> ComposeResult:
        """Yield the conversation and the echo."""
        yield self._scroll
        yield self._echo

    def on_mount(self) -> None:
        """Stay at the end."""
        self._scroll.anchor()

    async def open_message(self, text: str = "") -> None:
        """Mount another Markdown widget."""
        self._message = Markdown()
        await self._scroll.mount(self._message)
        if text:
            await self._message.append(text)

    async def write(self, text: str) -> None:
        """Write to the message's stream."""
        if self._stream is None:
            self._stream = Markdown.get_stream(self._message)
        await self._stream.write(text)

    async def append(self, text: str) -> None:
        """Append and wait for the frame."""
        await self._message.append(text)
        await self.painted(self._message)

    async def end(self) -> None:
        """Stop the stream, which draws the rest."""
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None
        await self.painted(self._message)


class Ours(Screen):
    """One widget for each block, paced."""

    def __init__(self) -> None:
        super().__init__()
        self._message = Answer()
        self._transcript = Transcript()

    def compose(self) -> ComposeResult:
        """Yield the conversation and the echo."""
        yield self._transcript
        yield self._echo

    async def open_message(self, text: str = "") -> None:
        """Begin a turn."""
        self._message = Answer(text)
        await self._transcript.begin_turn(self._message)

    async def write(self, text: str) -> None:
        """Feed the answer."""
        self._message.feed(text)
        await asyncio.sleep(0)

    async def append(self, text: str) -> None:
        """Append and wait for the frame."""
        self._message.append(text)
        await self.painted(self._message)

    async def end(self) -> None:
        """Draw the rest."""
        self._message.finish()
        await self.painted(self._message)
