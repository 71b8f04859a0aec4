"""What a server says about its own failure, as one short line that is safe to show."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from hybridchat.text import one_line

MAX_CHARACTERS = 300


def server_text(body: bytes | str) -> str:
    """Return the message in an error body: JSON of the usual shapes (also JSON in a JSON string), or plain text.

    It is on one line, cleaned of control characters and at most ``MAX_CHARACTERS`` long. A page of HTML gives "".
    """
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    found = _inside(text.strip())
    if found.startswith("<"):
        return ""
    return one_line(found, MAX_CHARACTERS)


def _inside(text: str) -> str:
    for _ in range(4):  # llama-server's JSON, in Ollama's string, in Ollama's JSON, and one to spare
        brace = text.find("{")
        try:
            value = msgspec.json.decode(text[brace:]) if brace >= 0 else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return text
        while isinstance(value, dict):
            value = next((value[key] for key in ("error", "message", "detail", "title") if value.get(key)), None)
        if not isinstance(value, str):
            return text
        text = value.strip()
    return text


def retry_after(value: str | None) -> float | None:
    """Read a ``Retry-After`` header, seconds or an HTTP date, as seconds from now; None where it says nothing."""
    if value is None:
        return None
    if re.fullmatch(r"\s*\d{1,9}(\.\d+)?\s*", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


_PROMPT_SIZE = re.compile(
    r"request \((\d+) tokens\)"  # llama.cpp
    r"|(\d+) in the messages"  # OpenAI, older vLLM
    r"|(?:resulted in|contains(?: at least)?) (\d+) (?:input )?tokens"  # OpenAI, newer vLLM
)


def prompt_tokens(said: str) -> int | None:
    """Return the size of a prompt that was refused as too long, in tokens, where the server says it."""
    match = _PROMPT_SIZE.search(said)
    return int(next(filter(None, match.groups()))) if match else None
