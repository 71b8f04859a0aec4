"""``hybridchat ask --preview``: what would leave for a question, to the last byte; nothing does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hybridchat import phrases
from hybridchat.plain.json_lines import VERSION, encode
from hybridchat.privacy.data_policy import Permission
from hybridchat.text import clean

if TYPE_CHECKING:
    from hybridchat.engine.preview import Preview
    from hybridchat.plain.streams import Narration, Output


def show(found: Preview, output: Output, narration: Narration, *, as_json: bool, raw: bool) -> None:
    """Write a preview: in words, as one line of JSON, or the body alone exactly as it would be sent."""
    if as_json:
        output.write(encode(as_object(found)) + "\n")
        return
    if raw:
        output.write(found.body.decode())
        return
    going = found.outgoing
    headers = [f"{name}: {value}" for name, value in found.headers.items()]
    sections = [
        "\n".join([found.request_line, *headers]),
        found.body.decode(),
    ]
    if found.original != found.body:
        sections.append(f"--- before redaction; this would not be sent\n{found.original.decode()}")
    output.write(clean("\n\n".join(sections)) + "\n")
    cost = "unknown cost" if going.cost is None else f"at most {phrases.money(going.cost)}"
    narration.say(f"{len(found.body):,} bytes, at most {phrases.counted(going.tokens, 'token')}, {cost}; {going.form}")
    narration.say(f"replaced: {phrases.redactions(going.redactions) or 'nothing'}")
    if going.note:
        narration.say(going.note)
    narration.say(verdict(found))


def verdict(found: Preview) -> str:
    """Return the sentence that says what would happen to it."""
    judged = found.verdict
    match judged.permission:
        case Permission.SEND:
            return f"Nothing was sent. It would be, without a question: {judged.reason}"
        case Permission.ASK:
            return f"Nothing was sent. You would be asked first: {judged.reason}"
        case Permission.REFUSE:
            return f"Nothing was sent, and it would be refused: {judged.reason} {judged.hint}".rstrip()


def as_object(found: Preview) -> dict[str, object]:
    """Return a preview as plain values; both bodies as the text that they are."""
    return {
        "v": VERSION,
        "preview": found.request_line,
        "headers": dict(found.headers),
        "body": found.body.decode(),
        "original": found.original.decode(),
        "permission": found.verdict.permission,
        "reason": found.verdict.reason,
        "hint": found.verdict.hint,
        "outgoing": msgspec.to_builtins(found.outgoing, enc_hook=dict),
    }
