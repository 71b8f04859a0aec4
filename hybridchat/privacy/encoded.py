"""Texts in base64 or hexadecimal digits: read, so that what they say is searched as well."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from functools import lru_cache

RUN = re.compile(r"(?<![A-Za-z0-9_+/=~-])[A-Za-z0-9_+/=.~-]{12,}")
"""What may be a token, a path, a name, or an encoded text."""

_PIECE = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_HEX_RUN = re.compile(r"[0-9a-fA-F]{16,}")
_BETWEEN_LINES = re.compile(r"[ \t]*(?:\\[nr]|\r?\n)+[ \t>]*|[ \t]*[\"'][ \t]*[+\\]?[ \t]*\r?\n[ \t]*[+.]?[ \t]*[\"']")
_SHORTEST_LINE = 40
_URL_SAFE = str.maketrans("-_", "+/")
_SHORTEST_TEXT = 6


def encoded_texts(text: str) -> Iterator[tuple[list[tuple[int, int]], str]]:
    """Yield where an encoded text stands, a range for each line it is wrapped over, and what it says."""
    lines: list[re.Match[str]] = []
    for match in _PIECE.finditer(text):
        if lines and not _goes_on(text, lines[-1], match):
            yield from _read(lines)
            lines = []
        lines.append(match)
    yield from _read(lines)


def _goes_on(text: str, line: re.Match[str], following: re.Match[str]) -> bool:
    return (
        line.end() - line.start() >= _SHORTEST_LINE
        and following.start() - line.end() < 24
        and _BETWEEN_LINES.fullmatch(text, line.end(), following.start()) is not None
    )


def _read(lines: list[re.Match[str]]) -> Iterator[tuple[list[tuple[int, int]], str]]:
    if lines:
        plain = as_text("".join(line[0] for line in lines))
        if plain:
            yield [line.span() for line in lines], plain


@lru_cache(maxsize=1024)
def as_text(run: str) -> str:
    """Return what a run of characters says when it is decoded; empty if that is no text."""
    if _HEXADECIMAL.fullmatch(run):
        return _text(bytes.fromhex(run)) or _base64(run)
    return _base64(run)


def _base64(run: str) -> str:
    body = run.rstrip("=").translate(_URL_SAFE)
    if len(body) % 4 == 1 or body.islower() or body.isdigit():
        return ""
    try:
        return _text(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
    except binascii.Error:
        return ""


def _text(data: bytes) -> str:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" and "\x00" in text:
            continue
        readable = sum(character.isprintable() or character in "\n\r\t" for character in text)
        if len(text) >= _SHORTEST_TEXT and readable >= 0.97 * len(text) and (encoding == "utf-8" or text.isascii()):
            return text
    return ""
