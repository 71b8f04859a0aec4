"""Files named ``@path`` in a prompt: completed while it is written, put in as fenced data when it is sent. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hybridchat.errors import InputError
from hybridchat.handover.attachments import attachments, replaced
from hybridchat.privacy.fence import fenced

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 1024 * 1024
"""The most bytes of one file: more than a local model can read, less than makes the screen wait."""
_MOST = 50  # completions
_MENTION = re.compile(r'(?<!\S)@(?:"(?P<quoted>[^"\n]+)"|(?P<bare>[^\s"]+))')
_AFTER_A_NAME = ".,;:!?)]}'*"
_BEGUN = re.compile(r'(?:^|(?<=\s))@(?P<quote>"?)(?P<path>[^"\n]*|\S*)$')


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
    blocks = [fenced(_text(_place(folder, name), name), name) for name in named]
    return "\n\n".join([prompt, *(block for block in blocks if attachments(block)[0].label not in there)])


def begun(text: str) -> str | None:
    """Return the path that ``text``, up to the cursor, ends with after an ``@``; None where it ends otherwise."""
    match = _BEGUN.search(text)
    if match is None or (not match["quote"] and re.search(r"\s", match["path"])):
        return None
    return match["path"]


def completions(path: str, folder: Path) -> list[str]:
    """Return paths that begin with ``path``, folders first and with a slash; hidden ones only where a dot is typed."""
    head, slash, stem = path.rpartition("/")
    place = _place(folder, head or ("/" if slash else "."))
    try:
        entries = [entry for entry in place.iterdir() if entry.name.casefold().startswith(stem.casefold())]
        found = [
            (not entry.is_dir(), f"{head}{slash}{entry.name}{'/' if entry.is_dir() else ''}")
            for entry in entries
            if stem.startswith(".") or not entry.name.startswith(".")
        ]
    except OSError:
        return []
    return [name for _, name in sorted(found)][:_MOST]


def mention(path: str) -> str:
    """Return ``path`` as it is written in a prompt; a folder is left open for what comes after."""
    if not re.search(r"\s", path):
        return f"@{path}" if path.endswith("/") else f"@{path} "
    return f'@"{path}' if path.endswith("/") else f'@"{path}" '


def _file(mention: re.Match[str], folder: Path) -> str | None:
    """Return the file's name as far as it goes: a sentence's own marks may follow it."""
    name: str = mention["quoted"] or mention["bare"]
    candidates = [name] if mention["quoted"] else [name, name.rstrip(_AFTER_A_NAME)]
    return next((one for one in candidates if one and _is_file(_place(folder, one))), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # longer than a name can be, or in a folder that may not be looked into
        return False


def _place(folder: Path, name: str) -> Path:
    try:
        return folder / folder.__class__(name).expanduser()
    except RuntimeError:  # there is no such user
        return folder / name


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
