"""Finds what an answer states to be the answer, letter for letter: the output of a program, a symbol, a letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"```[^\n]*\n(.*?)```", re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_QUOTED = re.compile(r"\"([^\"\n]+)\"|(?<!\w)'([^'\n]+)'(?!\w)")
_STRONG = re.compile(r"\*\*([^*\n]+)\*\*")
_SAYS = re.compile(
    r"\b(?:prints?|printed|outputs?|returns?|displays?|is|are|be|answer|result|as"
    r"|(?:represented|denoted|abbreviated|given|written|symboli[sz]ed) (?:by|with)"
    r"|(?:uses?|has)(?= the (?:chemical )?symbol))\b"
    r"\s*(?:the (?:(?:chemical )?symbol|value|number|string|result|list|letters?|following)\b\s*)?:?\s*|[:=]\s*",
    re.IGNORECASE,
)
_REST = re.compile(r"\.?\s*$|[.,;]?\s+(?!or\b|and\b)[A-Za-z(]|\s*\(|[,;]\s+(?=[a-z]{3})")
_EDGES = " \t\n\"'`*_()\u201c\u201d"


def statements(answer: str, question: str = "") -> Iterator[str]:
    """Yield what ``answer`` may be stating: its last code block, the last marked word, what follows "is" or "prints".

    The whole answer and its last line count too. What the question quotes is no statement.
    """
    prose = _FENCE.sub("\n", answer)
    asked = {_bare(block) for block in _FENCE.findall(question)}
    yield from [block for block in map(_bare, _FENCE.findall(answer)) if block not in asked][-1:]
    lines = [line for line in prose.splitlines() if line.strip()]
    yield from (_bare(text) for text in (prose, *lines[-1:], *lines[:1]))
    for pattern in (_SPAN, _QUOTED, _STRONG):
        marked = [_bare("".join(filter(None, found))) for found in map(_groups, pattern.finditer(prose))]
        new = [text for text in marked if text not in _words(question)]
        yield from new[-1:]
    for line in lines:
        says = list(_SAYS.finditer(line))
        for match in says:
            yield from _leading(line[match.end() :])


def _groups(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(group or "" for group in match.groups())


def _leading(text: str) -> Iterator[str]:
    """Yield what ``text`` begins with, up to where a sentence goes on: all of it, or its first words."""
    yield _bare(text)
    text = text.lstrip(_EDGES)
    if (mark := re.match(r"([^\s,;]+)(.*)", text, re.DOTALL)) and (_REST.match(mark[2]) or not mark[2].strip()):
        yield _bare(mark[1])


def _bare(text: str) -> str:
    """Return ``text`` without quotes, marks and a full stop around it."""
    bare = text.strip(_EDGES)
    return bare.removesuffix(".").strip(_EDGES) if not bare.endswith("..") else bare


def _words(question: str) -> set[str]:
    return {_bare("".join(_groups(match))) for match in _QUOTED.finditer(_FENCE.sub("", question))}
