"""What would leave the machine, put before a person: where to, how much, what was replaced, and every word. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from hybridchat import phrases
from hybridchat.events import HandOver, Outgoing
from hybridchat.privacy.placeholders import FORM
from hybridchat.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST_SHOWN = 50_000
"""Characters of one message that are drawn; the rest is counted. All of it is sent."""
_SHORTEST = 2
"""Characters of the shortest selection that is taken out: a single letter would be taken out of every word."""
_MARK = "reverse bold"  # seen without colour, too

FORMS = {
    HandOver.VERBATIM: "as it stands",
    HandOver.CONDENSE: "its earlier turns condensed by the local model",
    HandOver.DISTIL: "as one question that the local model wrote",
    HandOver.EXTRACT: "without its documents, of which the remote model may ask",
}
"""What the hand-over forms are called where one is chosen."""


def summary(going: Outgoing) -> str:
    """Return where it would go, why, how large it is, in which form, and what was replaced: a line each."""
    cost = "at unknown cost" if going.cost is None else f"at most {phrases.money(going.cost)}"
    rows = [
        ("to", f"{going.model} at {going.endpoint} ({going.url})"),
        ("through", f"the proxy {going.proxy}, which sees where to, not what" if going.proxy else ""),
        ("why", going.reason),
        ("size", f"{going.bytes:,} bytes, about {phrases.counted(going.tokens, 'token')}, {cost}"),
        ("form", _form(going)),
        ("replaced", phrases.redactions(going.redactions) or "nothing"),
        ("note", going.note),
    ]
    return clean("\n".join(f"{name:<9} {value}" for name, value in rows if value))


def payload(going: Outgoing, *, originals: bool) -> Content:
    """Return all messages with what was replaced marked: as they would be sent, or as they are here."""
    parts: list[Content] = []
    if originals:
        parts.append(Content.styled("ORIGINAL TEXT: this is not what is sent\n", "bold"))
    for number, message in enumerate(going.original if originals else going.redacted):
        replacements = going.replacements[number] if number < len(going.replacements) else None
        if replacements is None:
            spans = [] if originals else [match.span() for match in FORM.finditer(message.content)]
        elif originals:
            spans = [(one.start, one.end) for one in replacements]
        else:
            spans = [(one.placeholder_start, one.placeholder_end) for one in replacements]
        parts += [Content.styled(f"{_HEADING}{message.role}\n", "bold"), _marked(message.content, spans)]
    return Content("").join(parts)


def to_redact(selected: str) -> tuple[str, ...]:
    """Return the words of a selection in the payload that can be taken out: without headings and placeholders."""
    found: list[str] = []
    for line in selected.splitlines():
        if line.startswith(_HEADING):
            continue
        position = 0
        for match in FORM.finditer(line):
            found.append(line[position : match.start()])
            position = match.end()
        found.append(line[position:])
    return tuple(dict.fromkeys(text for piece in found if len(text := piece.strip()) >= _SHORTEST))


_HEADING = "── "


def _form(going: Outgoing) -> str:
    left_out = sum(part.left_out for part in going.parts)
    without = [
        *([f"the oldest {phrases.counted(going.turns_left_out, 'turn')}"] if going.turns_left_out else []),
        *([phrases.counted(left_out, "part")] if left_out else []),
    ]
    return FORMS[going.form] + (f", without {' and '.join(without)}" if without else "")


def _marked(text: str, spans: Iterable[tuple[int, int]]) -> Content:
    """Return the beginning of ``text`` with ``spans`` marked; cleaned piece by piece, so that they stay in place."""
    pieces: list[Content] = []
    position = 0
    shown = text[:_MOST_SHOWN]
    for start, end in spans:
        pieces += [Content(clean(shown[position:start])), Content.styled(clean(shown[start:end]), _MARK)]
        position = max(position, end)
    left_out = len(text) - len(shown)
    rest = f"\n… and {left_out:,} more characters\n" if left_out else "\n"
    return Content("").join([*pieces, Content(clean(shown[position:])), Content(rest)])


def parts_rows(going: Outgoing) -> Sequence[str]:
    """Return a row for each part that can be left out or taken in."""
    return [
        f"[{' ' if part.left_out else 'x'}] {clean(part.label)} (about {phrases.counted(part.tokens, 'token')})"
        for part in going.parts
    ]
