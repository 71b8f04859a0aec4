r"""Makes foreign text safe for a terminal: answers of models, titles, file names, errors of servers.

What is printed may neither move the cursor nor colour, retitle, answer back or write the clipboard, and no character
may make a line look other than it reads. Removed, with the reason:

- Escape sequences (ECMA-48: CSI, OSC, DCS, SOS, PM, APC, nF and two-character ones; 7-bit and 8-bit), whole: without
  their parameters no residue such as ``[31m`` stays behind.
- All other C0 and C1 controls and DEL, except ``\n`` and ``\t``.
- The nine bidirectional embeddings, overrides and isolates (U+202A-202E, U+2066-2069): they reorder what follows up
  to the end of the line, so that a command or a URL reads otherwise than it is (CVE-2021-42574). The marks U+200E,
  U+200F and U+061C stay: they only tell neighbouring characters their direction, and Arabic and Hebrew need them.
- Tag characters (U+E0000-E007F), which hide whole sentences from the reader but not from a model; deprecated format
  characters (U+206A-206F), interlinear annotations (U+FFF9-FFFB) and the byte order mark (U+FEFF), which are invisible
  and mean nothing in a terminal.

Zero-width (non-)joiners, variation selectors, the zero-width space and the soft hyphen stay: emoji and the scripts of
Asia are spelled with them.
"""

from __future__ import annotations

import re

STRING_LIMIT = 1024
"""The longest body of a control string (OSC, DCS ...) that is waited for; a longer one is shown as text."""

_PARAMETER_LIMIT = 128
_REPLACEMENT = "\ufffd"

_BREAK = r"\x0b\x0c\r\x85\u2028\u2029"
_INVISIBLE = r"\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_CONTROL = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"

_CSI = rf"(?:\x1b\[|\x9b)[ -?]{{0,{_PARAMETER_LIMIT}}}+"
_STRING = rf"(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x00-\x08\x0a-\x1f\x7f-\x9f]{{0,{STRING_LIMIT}}}+"
_STRING_END = r"(?:[\x07\x9c\x18\x1a]|\x1b\\|(?=\x1b[^\\]))"  # BEL, ST, cancelled by CAN or SUB or the next sequence
_ESCAPE = r"\x1b[ -/]{0,4}+"

_UNFINISHED = rf"(?P<unfinished>(?:\r|[\ud800-\udbff]|{_CSI}|{_STRING}\x1b?|{_ESCAPE})\Z)"
_REWRITTEN = "|".join(
    [
        rf"(?P<line_break>\r\n|[{_BREAK}])",
        rf"(?P<sequence>{_STRING}{_STRING_END}|{_CSI}[@-~]?|{_ESCAPE}[0-~]?)",
        r"(?P<pair>[\ud800-\udbff][\udc00-\udfff])",
        r"(?P<lone>[\ud800-\udfff])",
        rf"(?P<dropped>[{_CONTROL}{_INVISIBLE}])",
    ]
)

_suspect = re.compile(rf"[{_CONTROL}{_BREAK}{_INVISIBLE}\ud800-\udfff]")
_whole = re.compile(_REWRITTEN)
_streamed = re.compile(f"{_UNFINISHED}|{_REWRITTEN}")


def clean(text: str) -> str:
    r"""Return ``text`` without anything that a terminal acts on.

    All line breaks become ``\n``; surrogate pairs are joined and lone surrogates become U+FFFD, so that the result
    can be encoded. Clean text is returned as it is, at the cost of one search.
    """
    return text if _suspect.search(text) is None else _whole.sub(_rewrite, text)


def one_line(text: str, limit: int) -> str:
    """Return ``text`` cleaned and on one line of at most ``limit`` (1 or more) characters, cut with an ellipsis."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip(" \u200d") + "…"


class StreamCleaner:
    """Does what ``clean`` does to text that arrives in pieces, with the same result however it is cut.

    Only an unfinished sequence is held back: a carriage return, half a surrogate pair, or an escape sequence of
    bounded length.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Take in the next piece; return what can be shown now."""
        if not self._held and _suspect.search(text) is None:
            return text
        text, self._held = self._held + text, ""
        return _streamed.sub(self._rewrite_or_hold, text)

    def flush(self) -> str:
        """Return what is still held back, at the end of the stream; the cleaner can be used anew."""
        held, self._held = self._held, ""
        return clean(held)

    def _rewrite_or_hold(self, match: re.Match[str]) -> str:
        if match.lastgroup == "unfinished":
            self._held = match[0]
            return ""
        return _rewrite(match)


def _rewrite(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "line_break":
            return "\n"
        case "pair":
            return clean(match[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"))
        case "lone":
            return _REPLACEMENT
        case _:
            return ""
