"""Files that a prompt names as ``@path``: put in as fenced data when it is sent."""

from __future__ import annotations

import re
from pathlib import Path

from hybridchat.errors import InputError
from hybridchat.handover.attachments import attachments, replaced
from hybridchat.privacy.fence import fenced

LIMIT = 1024 * 1024
"""The most bytes of one file: more than a local model can read, less than makes the screen wait."""
_MENTION = re.compile(r'(?<!\S)@(?:"(?P<quoted>[^"\n]+)"|(?P<bare>[^\s"]+))')
_AFTER_A_NAME = ".,;:!?)]}'*"


def attached(prompt: str, folder: Path, written: str | None = None) -> str:
    """Return ``prompt`` with each file that it names appended as fenced data; relative paths start at ``folder``.

    ``@name`` that is no file stays a word: people are called so, too. Only ``written`` (without it, the prompt) names
    files: what a long pasted text says between its lines is not the user's word, nor is what an attached file says. A
    file that an earlier version of the prompt brought along already is not attached twice. Raises ``InputError`` for a
    file that cannot be read, is no UTF-8 text, or is too large.
    """
    there = {attachment.label for attachment in attachments(prompt)}
    mentions = _MENTION.finditer(replaced(prompt if written is None else written, lambda *_: ""))
    named = dict.fromkeys(name for match in mentions if (name := _file(match, folder)) is not None)
    blocks = [fenced(_text(place_of(folder, name), name), name) for name in named]
    return "\n\n".join([prompt, *(block for block in blocks if attachments(block)[0].label not in there)])


def place_of(folder: Path, name: str) -> Path:
    """Return where the file ``name`` lies; a relative one starts at ``folder``."""
    try:
        return folder / folder.__class__(name).expanduser()
    except RuntimeError:  # there is no such user
        return folder / name


def _file(mention: re.Match[str], folder: Path) -> str | None:
    """Return the file's name as far as it goes: a sentence's own marks may follow it."""
    name: str = mention["quoted"] or mention["bare"]
    candidates = [name] if mention["quoted"] else [name, name.rstrip(_AFTER_A_NAME)]
    return next((one for one in candidates if one and _is_file(place_of(folder, one))), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # longer than a name can be, or in a folder that may not be looked into
        return False


def _text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise InputError(f"@{name} cannot be read: {error.strerror}", hint="Check the file's permissions.") from error
    if len(data) > LIMIT:
        raise InputError(f"@{name} is larger than {LIMIT // 2**20} MiB", hint="Attach the part that matters.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"@{name} is no UTF-8 text", hint="Convert it first, for example with iconv.") from error
    if "\0" in text:
        raise InputError(f"@{name} is binary", hint="Attach text.")
    return text
