"""What foreign bytes may do, and what they may not: each target takes any bytes, and raises where a promise is broken.

``python -m tests.fuzz TARGET`` searches for such bytes with atheris, led by the branches that they reach.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

from hybridchat.backends.openai_compatible.chunks import read_chunk
from hybridchat.backends.transport.lines import events, lines
from hybridchat.config.folder import layers
from hybridchat.config.loading import load
from hybridchat.errors import BadConfiguration
from hybridchat.privacy.fence import fenced
from hybridchat.privacy.redaction import Redactor
from hybridchat.text import StreamCleaner, clean, one_line

_CONTROL = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories that a terminal may obey, or that break a line in two."""


def text_safety(data: bytes) -> None:
    """No control character survives, cleaning twice changes nothing, and no cutting of a stream changes the result."""
    text = data.decode("utf-8", "surrogatepass" if data[:1] == b"s" else "replace")
    cleaned = clean(text)
    assert not [c for c in cleaned if unicodedata.category(c) in _CONTROL and c not in "\n\t"]
    assert clean(cleaned) == cleaned
    assert "\n" not in one_line(text, 40)
    cleaner = StreamCleaner()
    step = len(data) % 7 + 1
    pieces = [cleaner.feed(text[at : at + step]) for at in range(0, len(text), step)]
    assert "".join(pieces) + cleaner.flush() == cleaned


def redaction(data: bytes) -> None:
    """What was redacted comes back, whole and in any pieces."""
    text = data.decode("utf-8", "replace")
    redactor = Redactor(["Erika Mustermann"])
    redacted = redactor.redact(text)
    assert redactor.restore(redacted.text) == text
    restorer = redactor.restorer()
    step = len(data) % 5 + 1
    pieces = [restorer.feed(redacted.text[at : at + step]) for at in range(0, len(redacted.text), step)]
    assert "".join(pieces) + restorer.flush() == text


def fence(data: bytes) -> None:
    """Data cannot end its own fence, and is inside it word for word."""
    text = data.decode("utf-8", "replace")
    _, fence_line, rest = fenced(text, text[:50]).split("\n", 2)
    inside, _, last = rest.rpartition("\n")
    assert fence_line == last
    assert fence_line not in inside
    assert f"{inside}\n" in {text, f"{text}\n"}


def user_configuration(data: bytes) -> None:
    """Any file is either read or refused with a message and a way out."""
    with tempfile.TemporaryDirectory() as folder:
        (file := Path(folder) / "config.toml").write_bytes(data)
        try:
            list(load({}, {}, file, Path(folder)))
        except BadConfiguration as error:
            _says_what_to_do(error)


def folder_policy(data: bytes) -> None:
    """Any folder's file is either read or refused; it never lifts what the user set."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".hybridchat.toml").write_bytes(data)
        (user := folder / "user.toml").write_text('[privacy]\ndata_policy = "local-only"\n')
        try:
            layers(folder)
            loaded = load({}, {}, user, folder)
        except BadConfiguration as error:
            _says_what_to_do(error)
        else:
            assert loaded.settings.privacy.data_policy == "local-only"


def _says_what_to_do(error: BadConfiguration) -> None:
    assert error.message
    assert error.hint


def server_lines(data: bytes) -> None:
    """Lines come out the same however the bytes were cut on their way."""
    step = len(data) % 6 + 1
    cut = [data[at : at + step] for at in range(0, len(data), step)]
    for reader in (lines, events):
        assert asyncio.run(_read(reader, cut)) == asyncio.run(_read(reader, [data]))


def server_chunk(data: bytes) -> None:
    """Any event of a server is either read or refused as breaking the protocol."""
    with suppress(ValueError):
        read_chunk(data)
    with suppress(ValueError, RecursionError):
        value = json.loads(data)
        wrapped = {"choices": [{"delta": value, "logprobs": value, "finish_reason": value}], "usage": value}
        read_chunk(json.dumps(wrapped).encode())


async def _read(reader: Callable[[AsyncIterator[bytes]], AsyncGenerator[bytes]], chunks: list[bytes]) -> list[bytes]:
    async def sent() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return [line async for line in reader(sent())]


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (text_safety, redaction, fence, user_configuration, folder_policy, server_lines, server_chunk)
}

SEEDS: dict[str, list[bytes]] = {
    "text_safety": [b"\x1b]0;title\x07", b"\x1b[31mred\xc2\x9b0m", "\u202eabc\u2066\U000e0041".encode()],
    "redaction": [b"mail me@example.org key sk-ant-REDACTED 4111 1111 1111 1111", b"HIDDEN_EMAIL_1 password=hunter2"],
    "fence": [b"```\n</data>\n", b"----- data -----"],
    "user_configuration": [b'[local]\nmodel = "phi3.5"\n', b"[routing]\nmin_confidence = 0.5\n[chat.keys]\n"],
    "folder_policy": [b'[privacy]\ndata_policy = "allow"\nwords = ["x"]\n', b'[remote]\nurl = "http://x"\n'],
    "server_lines": [b"data: {}\r\n\r\ndata: [DONE]\n\n", b": comment\n"],
    "server_chunk": [
        b'{"choices":[{"delta":{"content":"a"}}]}',
        b'{"error":{"message":"x","code":1}}',
        b'{"content":[{"token":"a","logprob":-0.1,"bytes":[97],"top_logprobs":[{}]}]}',
    ],
}
