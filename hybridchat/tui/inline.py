"""Inline Markdown (emphasis, code, links) as styled text in which nothing is interpreted a second time."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from textual.content import Content, Span

from hybridchat.tui.kept import kept
from hybridchat.tui.lines import MUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

References = tuple[tuple[str, str], ...]
"""Link reference definitions: normalised labels and their addresses. Hashable, so that what hangs on it is kept."""

_STYLES: Final = {
    "strong_open": "bold",
    "em_open": "italic",
    "s_open": "strike",
    "link_open": "$text-primary underline",
}
_CODE: Final = "reverse" if os.environ.get("NO_COLOR") else "$text-warning on $boost"
_IMAGE: Final = "italic"
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_MARKUP = re.compile(r"[\\`*_~\[\]!<&\n]")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 -- the first frame parses nothing

    return MarkdownIt("commonmark").enable("strikethrough")


@kept(4096)
def inline(text: str, references: References) -> Content:
    r"""Return ``text`` styled; hard line breaks are ``\n``. HTML stays as it is written, pictures are their alt text.

    A link shows its address behind its text, so that nobody is led elsewhere than it reads.
    """
    if _MARKUP.search(text) is None:
        return Content(text)
    env: dict[str, Any] = {"references": {label: {"href": href, "title": ""} for label, href in references}}
    content = _Styled()
    for token in _parser().parseInline(text, env):
        content.add(token.children or ())
    return Content("".join(content.text), content.spans)


class _Styled:
    """Text and its spans, built from tokens in one pass."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.spans: list[Span] = []
        self._length = 0
        self._open: list[tuple[int, str, str]] = []

    def add(self, tokens: Sequence[Token]) -> None:
        """Append ``tokens``, which open and close in pairs."""
        for token in tokens:
            if token.nesting > 0:
                self._open.append((self._length, _STYLES.get(token.type, ""), str(token.attrs.get("href", ""))))
            elif token.nesting < 0:
                self._close()
            else:
                self._leaf(token)

    def _leaf(self, token: Token) -> None:
        match token.type:
            case "softbreak":
                self._write(" ")
            case "hardbreak":
                self._write("\n")
            case "code_inline":
                self._write(token.content, _CODE)
            case "image":
                self._write(f"image: {token.content}", _IMAGE)
                self._write(f" ({token.attrs.get('src', '')})", MUTED)
            case "html_inline" if _LINE_BREAK.fullmatch(token.content):
                self._write("\n")
            case _:
                self._write(token.content)

    def _write(self, text: str, style: str = "") -> None:
        start, self._length = self._length, self._length + len(text)
        self.text.append(text)
        if style and text:
            self.spans.append(Span(start, self._length, style))

    def _close(self) -> None:
        start, style, href = self._open.pop()
        if style and self._length > start:
            self.spans.append(Span(start, self._length, style))
        if href and "".join(self.text)[start:] not in {href, href.removeprefix("mailto:")}:
            self._write(f" ({href})", MUTED)
