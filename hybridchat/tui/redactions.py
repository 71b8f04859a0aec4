"""Marks the placeholders of redacted text. Pure."""

from __future__ import annotations

from textual.content import Content

from hybridchat.privacy.placeholders import FORM


def marked(text: str) -> Content:
    """Return ``text`` with its placeholders in reverse: seen without colour, too."""
    content = Content(text)
    for match in FORM.finditer(text):
        content = content.stylize("reverse bold", match.start(), match.end())
    return content
