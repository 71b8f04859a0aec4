"""Markdown nodes cut into display lines, from a heading to a list in a quote in a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from textual.content import Content

from hybridchat.tui.code import code_lines
from hybridchat.tui.inline import References, inline
from hybridchat.tui.kept import kept
from hybridchat.tui.lines import BLANK, MUTED, Line, bar, decoration, hang, narrower, wrap
from hybridchat.tui.tables import table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hybridchat.tui.tree import Node

_HEADINGS: Final = {
    "h1": "$text-primary bold underline",
    "h2": "$text-primary bold",
    "h3": "bold",
    "h4": "bold italic",
    "h5": "italic",
    "h6": "italic",
}
_MARKER: Final = "$text-primary"
_BULLETS: Final = "•◦▪"
_BAR: Final = Content.styled("▌ ", MUTED)
_CODE_INDENT: Final = Content("  ")
_TASK = re.compile(r"\[([ xX])\]\s+(?=\S)")


def node_lines(node: Node, width: int, references: References, depth: int = 0) -> Iterator[Line]:
    """Lay out one block-level node; ``depth`` counts the lists around it."""
    match node.type:
        case "paragraph":
            yield from _text(node.text(), width, references, "")
        case "heading":
            yield from _text(node.text(), width, references, _HEADINGS[node.token.tag])
        case "bullet_list" | "ordered_list":
            yield from _list(node, width, references, depth)
        case "table":
            yield from table_lines(node, width, references)
        case "fence" | "code_block":
            yield from code_lines(node.content, node.token.info, width, growing=is_open_fence(node))
        case "blockquote":
            inner = narrower(width, len(_BAR))
            yield from bar(_stacked(node.children, inner, references, depth, tight=False), _BAR)
        case "hr":
            yield decoration("─" * width, MUTED)
        case _:
            yield from wrap(Content.styled(node.content.rstrip("\n").expandtabs(4), MUTED), width)


def is_open_fence(node: Node) -> bool:
    """Whether ``node`` is fenced code that has no closing line yet: a closed one has two lines more than its code."""
    first, after = node.lines
    code = node.content.removesuffix("\n")
    return node.type == "fence" and after - first < code.count("\n") + bool(node.content) + 2


@kept(4096)
def _text(text: str, width: int, references: References, style: str) -> tuple[Line, ...]:
    return tuple(wrap(inline(text, references).stylize_before(style), width))


def _stacked(nodes: Sequence[Node], width: int, references: References, depth: int, *, tight: bool) -> Iterator[Line]:
    for position, node in enumerate(nodes):
        if position and not tight:
            yield BLANK
        if node.type in {"fence", "code_block"}:
            code = node_lines(node, narrower(width, len(_CODE_INDENT)), references, depth)
            yield from hang(code, _CODE_INDENT, _CODE_INDENT)
        else:
            yield from node_lines(node, width, references, depth)


def _list(node: Node, width: int, references: References, depth: int) -> Iterator[Line]:
    items = node.children
    tight = not any(part.type == "paragraph" and not part.token.hidden for item in items for part in item.children)
    start = int(node.token.attrs.get("start", 1))
    digits = len(str(start + len(items) - 1))
    for position, item in enumerate(items):
        if position and not tight:
            yield BLANK
        if node.type == "ordered_list":
            marker = f"{start + position}.".rjust(digits + 1) + " "
        else:
            marker = _BULLETS[depth % len(_BULLETS)] + " "
        parts, task = item.children, None
        if parts and parts[0].type == "paragraph":
            task = _TASK.match(parts[0].text())
        if task is not None:
            marker = ("☐ " if task[1] == " " else "☑ ") if marker[0] in _BULLETS else marker
        inner = narrower(width, len(marker))
        lines = _item(parts, inner, references, depth + 1, tight=tight, drop=task.end() if task else 0)
        yield from hang(lines, Content.styled(marker, _MARKER), Content(" " * len(marker)))


def _item(
    parts: Sequence[Node], width: int, references: References, depth: int, *, tight: bool, drop: int
) -> Iterator[Line]:
    if not parts:
        yield BLANK
    if drop:
        yield from _text(parts[0].text()[drop:], width, references, "")
        parts = parts[1:]
        if parts and not tight:
            yield BLANK
    yield from _stacked(parts, width, references, depth, tight=tight)
