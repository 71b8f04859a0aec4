r"""Other ways to read a text: what stands in it escaped, encoded, in full width or with invisible characters inside.

A detector sees plain characters only. Each view is a text for it to search, with the way back to the original: folding
changes no length; unescaping is done only around the escapes, so that plain text is not searched twice.
"""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

_AROUND = 160  # characters on both sides of an escape that are searched again
_ROUNDS = 3  # of escapes in escapes
_APART = "\n\x01\n"  # between surroundings of escapes that are far apart
_INVISIBLE = (
    "\x00\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-"
    "\u206f\ufe00-\ufe0f\ufeff"
)
_ESCAPE = re.compile(
    rf"""
    %(?:[0-7][0-9A-Fa-f]|u[0-9A-Fa-f]{{4}}|[89A-Fa-f][0-9A-Fa-f](?:%[89A-Fa-f][0-9A-Fa-f]){{0,7}})
    |&(?:\#[0-9]{{1,7}}|\#[xX][0-9A-Fa-f]{{1,6}}|[A-Za-z]{{2,8}});
    |\\{{1,4}}(?:u[dD][89abAB][0-9A-Fa-f]{{2}}\\{{1,4}}u[dD][c-fC-F][0-9A-Fa-f]{{2}}|u[0-9A-Fa-f]{{4}}
      |u\{{[0-9A-Fa-f]{{1,6}}\}}|U[0-9A-Fa-f]{{8}}|x[0-9A-Fa-f]{{2}}|[01][0-7]{{2}}|[/_.@+*~=:&|!\#$-])
    |=(?:20|09)|=(?:(?:0[9AD]|2[0-9A-F]|3[A-F]|40|5[B-F]|60|7[B-E])(?![0-9])|\r?\n|[89A-F][0-9A-F](?:=[89A-F][0-9A-F]){{0,7}})
    |[{_INVISIBLE}]
    """,
    re.VERBOSE,
)
_FOLDED = re.compile(
    "[^\x00-\x7f\xa1-\xac\xae-\u0300\u0370-\u03ff\u0400-\u052f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
)
_HEX = re.compile("[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class View:
    """``text`` as read from an original; ``pieces`` are (start here, end here, start there, end there) of what differs.

    Between two pieces characters correspond one to one; ``base`` is where the view begins in the original, which is the
    text of ``outer`` where that is another view.
    """

    text: str
    pieces: tuple[tuple[int, int, int, int], ...]
    base: int = 0
    outer: View | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in the original of the text between two offsets of the view."""
        start, end = self._place(start)[0], self._place(end - 1)[1]
        return self.outer.original(start, end) if self.outer else (start, end)

    def _place(self, at: int) -> tuple[int, int]:
        index = bisect_right(self.pieces, (at, sys.maxsize)) - 1
        if index < 0:
            return self.base + at, self.base + at + 1
        start, end, there, there_end = self.pieces[index]
        if start <= at < end:
            return there, there_end
        return there_end + at - end, there_end + at - end + 1


def folded(text: str) -> str:
    """Return ``text``, of the same length, with plain characters for others that mean the same.

    Full-width and mathematical letters, foreign digits, all kinds of spaces and dashes; of the commonest escapes in
    strings (line ends, tabs, quotes) the backslash becomes a space.
    """
    if not text.isascii() and _FOLDED.search(text):
        text = text.translate(_plain_characters())
    if "\\" in text:
        for escape, plain in (("\\n", " \n"), ("\\t", " \t"), ("\\r", " \r"), ('\\"', ' "'), ("\\'", " '")):
            text = text.replace(escape, plain)
    return text


def unescaped(text: str) -> Iterator[View]:
    """Yield the surroundings of all that is escaped in ``text`` as one view, and of what is still escaped there."""
    view: View | None = None
    for _ in range(_ROUNDS):
        matches = list(_ESCAPE.finditer(text))
        if not matches:
            return
        view = replace(_around(text, matches), outer=view)
        yield view
        text = view.text


def _around(text: str, matches: list[re.Match[str]]) -> View:
    parts: list[str] = []
    pieces: list[tuple[int, int, int, int]] = []
    length = 0
    position = base = _beginning(text, matches[0].start(), 0)
    for match in matches:
        start = _beginning(text, match.start(), position)
        if start > position + _AROUND:
            until = position + _AROUND
            parts += [text[position:until], _APART]
            length += until - position
            pieces.append((length, length + len(_APART), until, start))
            length, position = length + len(_APART), start
        plain = _meaning(match[0])
        parts += [text[position : match.start()], plain]
        length += match.start() - position
        pieces.append((length, length + len(plain), *match.span()))
        length, position = length + len(plain), match.end()
    return View("".join([*parts, text[position : position + _AROUND]]), tuple(pieces), base)


def _beginning(text: str, escape: int, earliest: int) -> int:
    """Return where the surroundings of an escape begin: with a word."""
    start = escape - _AROUND
    if start <= earliest:
        return earliest
    return max(start, text.rfind(" ", start, min(start + 40, escape)) + 1)


def _meaning(escape: str) -> str:
    if escape[0] in "%=" and escape[1] not in "u\r\n":
        return _utf8(escape)
    if escape[0] == "&":
        return html.unescape(escape)
    if escape[0] in "\\%":
        return _character(escape.lstrip("\\%"))
    return ""  # the soft end of a line, or something invisible


def _character(escape: str) -> str:
    """Return what an escape without its backslash means: ``u0040``, ``x40``, ``100`` (octal) or itself."""
    if escape[0] in "01":
        return chr(int(escape, 8))
    if escape[0] not in "uUx":
        return escape
    units = [int(unit, 16) for unit in re.findall("[0-9A-Fa-f]{2,}|(?<={)[0-9A-Fa-f]+", escape)]
    if len(units) == 2:
        return chr(0x10000 + ((units[0] - 0xD800) << 10) + units[1] - 0xDC00)
    return chr(units[0]) if units and units[0] <= sys.maxunicode else "\ufffd"


def _utf8(escape: str) -> str:
    return bytes(int(pair, 16) for pair in _HEX.findall(escape)).decode("utf-8", "replace")


@cache
def _plain_characters() -> dict[int, str]:
    """Return what each character folds to, where that is one plain character."""
    plain = {}
    for code in (*range(0x80, 0x3400), *range(0xF900, 0x10000), *range(0x1D400, 0x1D800), *range(0x1F100, 0x1F1FF)):
        character = chr(code)
        if (digit := unicodedata.decimal(character, None)) is not None:
            plain[code] = str(digit)
            continue
        category = unicodedata.category(character)
        normal = unicodedata.normalize("NFKC", character)
        if category == "Zs":
            plain[code] = " "
        elif category == "Pd" or code == 0x2212:
            plain[code] = "-"
        elif len(normal) == 1 and normal != character and " " < normal < "\x7f":
            plain[code] = normal
    plain[0x2028] = plain[0x2029] = plain[0x85] = "\n"
    return plain
