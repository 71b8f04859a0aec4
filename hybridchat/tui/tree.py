"""Markdown tokens as a tree, with no more in it than layout needs: it is built anew for each piece that streams in."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# What stands inside paragraphs and cells is parsed when it is laid out, and kept: an open list of sixty items then
# costs one item per update, and not sixty.
_DEEPEST = 100


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 -- the first frame parses nothing

    return MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable("table").disable("inline")


class Node:
    """A block-level element: its type without ``_open``, and what it holds; ``content`` is source text or code."""

    __slots__ = ("children", "content", "token", "type")

    def __init__(self, token: Token) -> None:
        self.token = token
        self.type = token.type.removesuffix("_open")
        self.content = token.content
        self.children: list[Node] = []

    @property
    def lines(self) -> tuple[int, int]:
        """The source lines this comes from: the first, and the one after the last."""
        first, after = self.token.map or (0, 0)
        return first, after

    def text(self) -> str:
        """Return the inline source of a paragraph, heading or cell."""
        return self.children[0].content if self.children else ""

    def walk(self) -> Iterator[Node]:
        """Yield this and all that it holds, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse_tree(source: str, env: dict[str, Any]) -> list[Node]:
    """Parse ``source``; return its top-level nodes and leave its link reference definitions in ``env``.

    Lists and quotes that are nested too deep to be parsed are shown as they are written: nothing is left out.
    """
    top: list[Node] = []
    too_deep: set[Node] = set()
    open_lists = [top]
    for token in _parser().parse(source, env):
        if token.nesting < 0:
            open_lists.pop()
            continue
        node = Node(token)
        open_lists[-1].append(node)
        if token.nesting > 0:
            open_lists.append(node.children)
        if token.level >= _DEEPEST - 2:
            too_deep.add(top[-1])
    for node in too_deep:
        first, after = node.lines
        node.type, node.children = "html_block", []
        node.content = "\n".join(source.split("\n")[first:after])
    return top
