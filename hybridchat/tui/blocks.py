"""Markdown as a list of top-level blocks, each of which can lay itself out for a width. Pure: no app, no widget."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from textual.content import Content

from hybridchat.tui.block_layout import node_lines
from hybridchat.tui.lines import NARROWEST, Line
from hybridchat.tui.tree import Node, parse_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hybridchat.tui.inline import References


class Kind(StrEnum):
    """What a block is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    LIST = "list"
    TABLE = "table"
    CODE = "code"
    QUOTE = "quote"
    RULE = "rule"
    HTML = "html"


_KINDS: Final = {
    "paragraph": Kind.PARAGRAPH,
    "heading": Kind.HEADING,
    "bullet_list": Kind.LIST,
    "ordered_list": Kind.LIST,
    "table": Kind.TABLE,
    "fence": Kind.CODE,
    "code_block": Kind.CODE,
    "blockquote": Kind.QUOTE,
    "hr": Kind.RULE,
    "html_block": Kind.HTML,
}


class Block:
    """One top-level block: its kind, the line of the text it starts in (from 0), and its source.

    Its parse tree is let go once it is laid out, and made anew for another width: a long conversation would keep
    hundreds of thousands of small objects alive, and each full garbage collection stops the screen to visit them.
    """

    __slots__ = ("_laid_out", "_node", "_references", "first_line", "kind", "source")

    def __init__(self, node: Node, source: str, first_line: int, references: References) -> None:
        self.kind = _KINDS[node.type]
        self.first_line = first_line
        self.source = source
        self._node: Node | None = node
        self._references = references
        self._laid_out: tuple[int, tuple[Line, ...]] = (-1, ())

    def lines(self, width: int) -> tuple[Line, ...]:
        """Return the lines to draw, none wider than ``width`` cells (or the narrowest that can be read)."""
        width = max(NARROWEST, width)
        if self._laid_out[0] != width:
            node = self._node or parse_tree(self.source, {})[0]
            self._laid_out = (width, tuple(node_lines(node, width, self._references)))
            self._node = None
        return self._laid_out[1]

    def layout(self, width: int) -> Content:
        """Return the whole block as drawn for ``width`` cells: wrapped, with line breaks."""
        return Content("\n").join(line.content for line in self.lines(width))

    def looks_like(self, other: Block) -> bool:
        """Whether both are drawn alike at any width."""
        return self.kind is other.kind and self.source == other.source and self._references == other._references

    def fences(self) -> Iterator[str]:
        """Yield the code of each fence in this block, those in lists and quotes too."""
        for top in parse_tree(self.source, {}):
            for node in top.walk():
                if node.type == "fence":
                    yield node.content


class Definitions(dict[str, tuple[str, int]]):
    """Link reference definitions: address by normalised label, and the line after the definition. The first counts."""

    def hashable(self) -> References:
        """Return labels and addresses as something that can be a key."""
        return tuple((label, href) for label, (href, _) in self.items())

    def before(self, line: int) -> Definitions:
        """Return those that end before ``line``."""
        return Definitions({label: known for label, known in self.items() if known[1] <= line})


def blocks(source: str, first_line: int = 0) -> list[Block]:
    r"""Return the top-level blocks of ``source``, whose lines end in ``\n`` alone, counting from ``first_line``."""
    return parse(source, first_line)[0]


def parse(
    source: str, first_line: int = 0, known: Mapping[str, tuple[str, int]] | None = None
) -> tuple[list[Block], Definitions]:
    """Return the blocks of ``source`` and the definitions that hold in it: those ``known`` from above, and its own."""
    env: dict[str, Any] = {}
    nodes = parse_tree(source, env)
    definitions = Definitions(known or {})
    for label, found in env.get("references", {}).items():
        definitions.setdefault(label, (found["href"], first_line + found["map"][1]))
    references = definitions.hashable()
    lines = source.split("\n")
    found_blocks = []
    for node in nodes:
        start, end = node.lines
        text = "\n".join(lines[start:end]).rstrip("\n")
        found_blocks.append(Block(node, text, first_line + start, references))
    return found_blocks, definitions
