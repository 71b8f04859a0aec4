r"""Cuts a byte stream into lines (NDJSON) and into the payloads of server-sent events.

Only ``\n`` ends a line. The line rules of ``str.splitlines`` would also cut at U+0085, U+2028 and U+2029, which
may stand raw inside a JSON string, and text may not be decoded before it is cut, since a chunk may end in the
middle of a character.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

MAX_LINE = 16 * 1024 * 1024
"""Bytes that a line may have: far above any answer, far below what would exhaust the memory."""


class LineTooLong(ValueError):
    """A line has more bytes than anything that we can expect."""


async def lines(chunks: AsyncIterator[bytes], limit: int = MAX_LINE) -> AsyncGenerator[bytes]:
    r"""Yield each line that is not blank, without its ``\n`` or ``\r\n``; the last one need not be terminated.

    Raises ``LineTooLong`` for a line of more than ``limit`` bytes.
    """
    async with aclosing(_all_lines(chunks, limit)) as every:
        async for line in every:
            if line.strip():
                yield line


async def events(chunks: AsyncIterator[bytes], limit: int = MAX_LINE) -> AsyncGenerator[bytes]:
    r"""Yield the data of each server-sent event, its ``data`` lines joined with ``\n``.

    Comments and all fields but ``data`` are ignored, events without data are skipped, and an event that the end
    of the stream cuts off is still yielded, because some servers leave out the last blank line.
    Source: WHATWG HTML, "Server-sent events". Raises ``LineTooLong``, also for an event of more than ``limit`` bytes.
    """
    data: list[bytes] = []
    size = 0
    async with aclosing(_all_lines(chunks, limit)) as every:
        async for line in every:
            if line.startswith(b"data:"):
                payload = line[5:].removeprefix(b" ")
                size += len(payload) + 1
                if size > limit + 1:
                    raise LineTooLong(f"an event of more than {limit} bytes")
                data.append(payload)
            elif not line:
                if any(data):
                    yield b"\n".join(data)
                data, size = [], 0
    if any(data):
        yield b"\n".join(data)


async def _all_lines(chunks: AsyncIterator[bytes], limit: int) -> AsyncGenerator[bytes]:
    begun: list[bytes] = []  # the pieces of a line that spans chunks, joined once: a long line stays linear
    size = 0
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for end in ended:
            begun.append(end)
            size += len(end)
            _check(size, limit)
            yield b"".join(begun).removesuffix(b"\r")
            begun, size = [], 0
        begun.append(rest)
        size += len(rest)
        _check(size, limit)
    if size:
        yield b"".join(begun).removesuffix(b"\r")


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise LineTooLong(f"a line of more than {limit} bytes")
