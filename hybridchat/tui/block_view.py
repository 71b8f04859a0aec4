"""One top-level block on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual
from textual.widget import Widget

from hybridchat.tui.doubts import GUTTER, underlined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Size
    from textual.selection import Selection

    from hybridchat.tui.blocks import Block
    from hybridchat.tui.doubts import Doubt
    from hybridchat.tui.lines import Line


class BlockView(Widget, inherit_css=False, can_focus=False):
    """Draws one block, line by line; what an update leaves alone is neither laid out nor drawn again."""

    DEFAULT_CSS = """
    BlockView {
        height: auto;
        margin: 0 0 1 0;
    }
    BlockView.-code {
        padding: 0 2;
        background: $surface;
    }
    """

    def __init__(self, block: Block) -> None:
        super().__init__(classes=f"-{block.kind}")
        self._block = block
        self._laid_out_for = 0
        self._lines: tuple[Line, ...] = ()
        self._strips: list[Strip | None] = []
        self._doubted: Sequence[Doubt] | None = None

    @property
    def block(self) -> Block:
        """What is drawn."""
        return self._block

    def update(self, block: Block) -> None:
        """Draw ``block`` instead, as far as it looks different."""
        if block.looks_like(self._block):
            self._block = block
            return
        if block.kind is not self._block.kind:
            self.set_classes(f"-{block.kind}")
        self._block = block
        if not self._laid_out_for:
            return
        height, kept = len(self._lines), self._lay_out(self._laid_out_for)
        if len(self._lines) != height:
            self.refresh(layout=True)
        elif kept < height:
            self.refresh(Region(0, self.gutter.top + kept, self.size.width, height - kept))

    def mark(self, doubted: Sequence[Doubt] | None) -> None:
        """Underline parts of the block's source in what is drawn of it; None: nothing."""
        if doubted == self._doubted:
            return
        self._doubted = doubted
        if self._laid_out_for:
            self._lay_out(self._laid_out_for)
            self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - Textual's signature
        """Take all the room there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Lay the block out for ``width`` cells and return how many lines that makes."""
        if width != self._laid_out_for:
            self._laid_out_for = width
            self._lay_out(width)
        return len(self._lines)

    def render(self) -> Content:
        """Return all lines; only measuring asks for it, drawing goes by the line."""
        return self._block.layout(self._laid_out_for)

    def render_line(self, y: int) -> Strip:
        """Return line ``y`` as it is sent to the screen."""
        if y >= len(self._lines):
            return Strip.blank(self.content_size.width, self.visual_style.rich_style)
        strip = self._strips[y]
        if strip is None:
            strip = self._strips[y] = self._draw(y)
        return strip

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, without what the layout put in: wraps, hanging indents, bars and rules."""
        text: list[str] = []
        for y, line in enumerate(self._lines):
            if (span := selection.get_span(y)) is None:
                continue
            plain = line.content.plain
            start, end = span
            reaches_end = end == -1 or end > len(plain)
            text.append(plain[max(start, line.skip) : None if reaches_end else end])
            if end == -1 and y + 1 < len(self._lines):
                text.append(line.glue)
        return "".join(text), "\n\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self._forget_strips()
        super().selection_updated(selection)

    def notify_style_update(self) -> None:
        """Draw anew in other colours."""
        self._forget_strips()
        super().notify_style_update()

    def _lay_out(self, width: int) -> int:
        """Lay out for ``width``; return how many lines from the top are as they were."""
        before = self._lines
        if self._doubted is None:
            self._lines = self._block.lines(width)
        else:
            self._lines = underlined(self._block.lines(width - GUTTER), self._block.source, self._doubted)
        kept = 0
        for old, new in zip(before, self._lines, strict=False):
            if not new.same(old):
                break
            kept += 1
        self._strips[kept:] = [None] * (len(self._lines) - kept)
        return kept

    def _draw(self, y: int) -> Strip:
        content = self._lines[y].content
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(y)) is not None:
            start, end = span
            chosen = Style.from_styles(self.screen.get_component_styles("screen--selection"))
            content = content.stylize(chosen, start, None if end == -1 else end)
        width = max(self.content_size.width, content.cell_length, 1)
        strips = Visual.to_strips(self, content, width, 1, self.visual_style, apply_selection=False)
        return strips[0].apply_offsets(0, y)

    def _forget_strips(self) -> None:
        self._strips = [None] * len(self._lines)
