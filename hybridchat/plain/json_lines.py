"""A turn as JSON Lines: one object per event, described in docs/json-lines.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from hybridchat.errors import HybridChatError
from hybridchat.events import Event, Failed
from hybridchat.plain.streams import Narration, Output, OutputRefused, tell_error

VERSION = 1


def _now() -> datetime:
    return datetime.now(UTC)


class JsonLinesFace:
    """Shows a turn to a program."""

    waits_for_questions = False  # lines of JSON cannot run through a question: it stands on the terminal

    def __init__(self, output: Output, narration: Narration, *, clock: Callable[[], datetime] = _now) -> None:
        self._output = output
        self._narration = narration
        self._clock = clock
        self._next = 0
        self._ended = False

    def show(self, event: Event) -> None:
        """Write one event as a line. Raises ``ReaderGone`` and ``OutputRefused``."""
        now = self._clock().astimezone(UTC)
        line = {
            "v": VERSION,
            "seq": self._next,
            "ts": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **as_object(event),
        }
        self._next += 1
        self._ended = line["event"] in {"finished", "failed"}
        self._output.write(encode(line) + "\n")

    def fail(self, error: HybridChatError) -> None:
        """Write an error that belongs to no turn as ``failed``; one of standard output goes to standard error."""
        if isinstance(error, OutputRefused):
            tell_error(self._narration, error)
        elif not self._ended:
            self.show(failure(error))


def event_name(kind: type[Event]) -> str:
    """Return the name under which a kind of event is written: ``set_aside`` for ``SetAside``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def as_object(event: Event) -> dict[str, Any]:
    """Return an event as plain values: its name and its fields, bytes in base64."""
    return {"event": event_name(type(event)), **msgspec.to_builtins(event, enc_hook=_plain)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"an event holds a {type(value).__name__}, which has no form in JSON")


def failure(error: HybridChatError) -> Failed:
    """Return an error as the event that would have ended a turn."""
    return Failed(code=error.code, message=error.message, hint=error.hint, exit_code=error.exit_code)


def encode(value: Any) -> str:
    """Return a value as one line of JSON; half a character (a lone surrogate) becomes a question mark."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole_characters(value)).decode()


def _whole_characters(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {key: _whole_characters(item) for key, item in value.items()}
        case list() | tuple():
            return [_whole_characters(item) for item in value]
        case _:
            return value
