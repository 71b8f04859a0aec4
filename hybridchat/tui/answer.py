"""A message that streams in: rendered Markdown, one widget for each top-level block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget

from hybridchat.text import StreamCleaner
from hybridchat.tui.block_view import BlockView
from hybridchat.tui.blocks import Block, Definitions, parse
from hybridchat.tui.doubts import within
from hybridchat.tui.pacer import Pacer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from hybridchat.tui.doubts import Doubt

_DRAFT = "-draft"


class Answer(Widget, inherit_css=False, can_focus=False):
    """Shows Markdown that grows at its end.

    A new piece can change the block it falls into and the one before (a third item may join a list that a blank line
    seemed to have ended), and no other. So each update parses and draws from the last block but one, and costs the
    same however much stands above. A draft is dim, until it is found good.
    """

    DEFAULT_CSS = """
    Answer {
        layout: stream;
        height: auto;
        width: 1fr;
    }
    Answer.-draft {
        text-style: dim;
    }
    """

    BLANK: ClassVar[bool] = True  # all that shows is the background between the blocks: half of what drawing costs

    def __init__(self, source: str = "", *, draft: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id, classes=_DRAFT if draft else None)
        self._cleaner = StreamCleaner()
        self._pacer = Pacer(self._draw_paced)
        self._source = ""
        self._views: list[BlockView] = []
        self._settled: Definitions = Definitions()
        self._tail_line = 0
        self._tail_start = 0
        self._settled_views = 0
        self._composed = False
        self.append(source)

    @property
    def source(self) -> str:
        """The Markdown received so far, drawn or not."""
        return self._source + self._pacer.pending

    @property
    def blocks(self) -> list[Block]:
        """The top-level blocks that are drawn, from top to bottom."""
        return [view.block for view in self._views]

    @property
    def draft(self) -> bool:
        """Whether this is provisional, and dim."""
        return self.has_class(_DRAFT)

    @draft.setter
    def draft(self, draft: bool) -> None:
        self.set_class(draft, _DRAFT)

    def code_block(self, number: int) -> str | None:
        """Return the code of fence ``number`` (from 1) as written, without its fences; None if there are not so many.

        Fences in lists and quotes count, too.
        """
        codes = [code for block in parse(self.source)[0] for code in block.fences()]
        return codes[number - 1] if 1 <= number <= len(codes) else None

    def compose(self) -> ComposeResult:
        """Yield what came before mounting."""
        yield from self._views
        self._composed = True

    def feed(self, text: str) -> None:
        """Take in a piece of the stream; it is drawn as soon as drawing keeps up."""
        self._pacer.feed(self._cleaner.feed(text))

    def hold(self) -> None:
        """Collect what is fed without drawing it, until ``release``."""
        self._pacer.hold()

    def release(self) -> None:
        """Draw what is fed, again."""
        self._pacer.release()

    def append(self, text: str) -> None:
        """Append ``text`` and draw it now."""
        self._draw(self._cleaner.feed(text))

    def finish(self) -> None:
        """Draw the rest, and what only the whole text tells: links whose addresses came after them."""
        self._pacer.flush()
        self._draw(self._cleaner.flush())
        whole, definitions = parse(self._source) if self._settled or "]:" in self._source else ([], Definitions())
        if definitions:
            self._show(whole, 0)

    def mark(self, doubted: Sequence[Doubt] | None) -> None:
        """Underline parts of the source, in characters from its beginning, in what is drawn of them; None: nothing."""
        lines = [0, *(match.end() for match in re.finditer("\n", self._source))]
        for view in self._views:
            start = lines[view.block.first_line]
            view.mark(None if doubted is None else within(doubted, start, start + len(view.block.source)))

    def _draw_paced(self, text: str) -> None:
        self._draw(text)
        # Not mounted, nothing is drawn: there is nothing to wait for.
        if not (self.is_mounted and self.call_after_refresh(self._pacer.drawn)):
            self._pacer.drawn()

    def _draw(self, text: str) -> None:
        if not text:
            return
        self._source += text
        changed, definitions = parse(self._source[self._tail_start :], self._tail_line, self._settled)
        self._show(changed, self._settled_views)
        self._settle(definitions)

    def _show(self, changed: list[Block], keep: int) -> None:
        """Draw ``changed`` after the first ``keep`` views, reusing the widgets that are there."""
        for view, block in zip(self._views[keep:], changed, strict=False):
            view.update(block)
        surplus = self._views[keep + len(changed) :]
        del self._views[keep + len(changed) :]
        missing = [BlockView(block) for block in changed[len(self._views) - keep :]]
        self._views += missing
        if surplus and self._composed:
            self.remove_children(surplus)
        if missing and self._composed:
            self.mount_all(missing)

    def _settle(self, definitions: Definitions) -> None:
        """Move the line before which nothing can change any more to the last block but one."""
        self._settled_views = max(0, len(self._views) - 2)
        line = self._views[-2].block.first_line if self._settled_views else 0
        if line < self._tail_line:  # the last block turned out to be a definition, which is not drawn
            self._tail_line = self._tail_start = 0
        for _ in range(line - self._tail_line):
            self._tail_start = self._source.index("\n", self._tail_start) + 1
        self._tail_line = line
        self._settled = definitions.before(line)
