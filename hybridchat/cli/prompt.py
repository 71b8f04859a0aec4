"""Reads the prompt: words of the command line, data piped in, or both."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Callable, Sequence

from hybridchat.errors import InputError
from hybridchat.privacy.fence import fenced

LIMIT = 8 * 1024 * 1024
"""The most bytes that are read from standard input: far more than any model can read, far less than the memory."""

SILENCE = 3.0
"""Seconds without a byte after which a waiting user is told what is being waited for."""

_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}  # the longer marks first, since one begins with another
_UTF8_MARK = b"\xef\xbb\xbf"


def read_prompt(
    words: Sequence[str], *, use_stdin: bool, say: Callable[[str], None], silence: float = SILENCE, limit: int = LIMIT
) -> str:
    """Return the prompt.

    Data on standard input is read to its end when it is a file or a pipe. With ``words`` it is fenced off as data; by
    itself it is the prompt. The word ``-`` alone reads the prompt from standard input, be it a terminal. ``say`` is
    told when the pipe is silent for long.

    Raises:
        InputError: There is no prompt, or what was piped in is no UTF-8 text, or too much of it.
    """
    asked = list(words) == ["-"]
    instruction = "" if asked else " ".join(words).strip()
    if _is_broken(instruction):
        raise InputError("the prompt is not valid UTF-8", hint="Check the encoding of your terminal or script.")
    piped = ""
    if asked or (use_stdin and _has_data(wait_for_it=not instruction)):
        piped = decode(_read(say, silence, limit)).strip("\r\n")
    if instruction and piped.strip():
        return f"{instruction}\n\n{fenced(piped, 'standard input')}"
    if not (instruction or piped.strip()):
        raise InputError(
            "there is no prompt", hint='Write it after the command, as in: hybridchat ask "Why is the sky blue?"'
        )
    return instruction or piped


def decode(data: bytes) -> str:
    """Return UTF-8 text, without a byte order mark.

    Raises:
        InputError: It is another encoding, or no text; the message says where that shows.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            raise InputError(
                f"standard input is {encoding}, not UTF-8", hint=f"Convert it first: iconv -f {encoding} -t UTF-8"
            )
    offset = data.find(b"\x00")
    if offset >= 0:
        raise InputError(f"standard input is binary: a NUL at byte {offset}", hint="Pipe text, not a binary file.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"standard input is not valid UTF-8 at byte {error.start}", hint="Convert it first, for example with iconv."
        ) from error
    return text.removeprefix("\ufeff") if data.startswith(_UTF8_MARK) else text


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _has_data(*, wait_for_it: bool) -> bool:
    """Say whether standard input is something whose end will come.

    A terminal or a device (``/dev/null``) is left alone, and so is a socket that has nothing to say and need not.
    """
    if sys.stdin is None:
        return False
    try:
        descriptor = sys.stdin.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError):
        return False
    if stat.S_ISSOCK(mode):
        return wait_for_it or bool(select.select([descriptor], [], [], 0)[0])
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _read(say: Callable[[str], None], silence: float, limit: int) -> bytes:
    if sys.stdin is None:
        raise InputError("standard input is closed", hint="Write the prompt after the command instead.")
    descriptor = sys.stdin.fileno()
    data = bytearray()
    typed = os.isatty(descriptor)
    if typed:
        say("write the prompt and end it with Ctrl-D on a line of its own")
    patient = sys.platform != "win32" and not typed  # Windows cannot wait for a pipe with a limit
    while True:
        if patient and not select.select([descriptor], [], [], silence)[0]:
            say("waiting for standard input to end (--no-stdin leaves it alone)")
            patient = False
        chunk = os.read(descriptor, 65536)
        if not chunk:
            return bytes(data)
        data += chunk
        if len(data) > limit:
            raise InputError(
                f"standard input is larger than {limit / 2**20:g} MiB",
                hint="Send the part that matters, for example with tail.",
            )
