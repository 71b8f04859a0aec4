"""Hands over everything that is held about the user, readable: JSON for programs, Markdown for people."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from hybridchat import __version__
from hybridchat.cli.data_rights.inventory import Fate, Found, Handover, found
from hybridchat.cli.data_rights.keyring_entries import entries_there
from hybridchat.config.loading import Loaded
from hybridchat.config.private_folders import make_private_folder
from hybridchat.credentials import Credentials
from hybridchat.errors import CannotWrite, UsageError
from hybridchat.messages import Conversation, Message
from hybridchat.phrases import provenance
from hybridchat.store.database import Store
from hybridchat.text import clean, one_line

_ALL = -1  # rows, as SQLite counts
_LONGEST = 1000  # characters of a title
_ABOUT = """\
# What hybridchat holds about you

Written {time} by hybridchat {version}.

| file | what it is |
|---|---|
| `database.json` | every row of the database: conversations with all branches, where each answer came from, token |
|                 | probabilities, summaries, your own words, judgements, spending |
| `conversations/*.md` | the same conversations, to be read |
| `ledger.jsonl` | what was sent to remote models and what became of it, as it is chained |
| `settings.json` | all settings and where each comes from; no setting holds a key |
| `keyring.json` | which secrets are in the OS keyring: names only, the secrets stay there |
| `files/` | the other files that are kept, as they are |

These are not copied: {left_out}.
"""


async def collect(store: Store, loaded: Loaded, credentials: Credentials) -> list[tuple[PurePosixPath, bytes]]:
    """Return the files of an export, by their relative paths."""
    tables = await store.everything()
    files = [*found(loaded.settings)]
    export = [
        ("README.md", _about(files)),
        ("database.json", _json(tables)),
        ("ledger.jsonl", "".join(msgspec.json.encode(row).decode() + "\n" for row in tables["ledger"])),
        ("settings.json", _json({one.key: {"value": one.value, "source": str(one.source)} for one in loaded})),
        ("keyring.json", _json(await entries_there(loaded.settings, credentials))),
    ]
    for conversation in await store.conversations.list(_ALL):
        messages = await store.conversations.tree(conversation.id)
        export.append((f"conversations/{conversation.id}.md", _as_markdown(conversation, messages)))
    written = [(PurePosixPath(name), text.encode("utf-8", "replace")) for name, text in export]
    return [*written, *_copies(files)]


def write(files: list[tuple[PurePosixPath, bytes]], target: Path) -> None:
    """Write an export to a new folder, or to a new archive where ``target`` ends with ``.zip``; both private.

    Raises ``UsageError`` where something is there already, ``CannotWrite`` where it cannot be written.
    """
    try:
        if target.suffix.lower() == ".zip":
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in files:
                    archive.writestr(str(name), content)
            _write(target, packed.getvalue())
            return
        make_private_folder(target.parent)
        target.mkdir(mode=0o700)
        for name, content in files:
            make_private_folder((target / name).parent)
            _write(target / name, content)
    except FileExistsError as error:
        where = error.filename or target
        raise UsageError(f"{where} is there already", hint="Name a folder or archive that is not there yet.") from error
    except OSError as error:
        raise CannotWrite(
            f"cannot write {error.filename or target}: {error.strerror or error}",
            hint="Free some space, or name another place.",
        ) from error


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 -- a mode is set
        file.write(content)


def _copies(files: list[Found]) -> Iterator[tuple[PurePosixPath, bytes]]:
    names: set[PurePosixPath] = set()
    for one in files:
        if one.kept is not None and one.kept.handover is not Handover.COPIED:
            continue
        name = PurePosixPath("files", one.path.parent.name, one.path.name)
        while name in names:
            name = name.with_name(f"{name.stem}-1{name.suffix}")
        names.add(name)
        with suppress(OSError):  # gone meanwhile
            yield name, one.path.read_bytes()


def _about(files: list[Found]) -> str:
    left_out = {one.kept.what for one in files if one.kept and one.kept.handover is Handover.LEFT_OUT}
    models = [one for one in files if one.kept and one.kept.fate is Fate.LEFT]
    return _ABOUT.format(
        time=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        version=__version__,
        left_out="; ".join(sorted(left_out)) + (f" ({len(models)} files of models)" if models else "") or "none",
    )


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode() + "\n"


def _as_markdown(conversation: Conversation, messages: list[Message]) -> str:
    lines = [
        f"# {one_line(conversation.title, _LONGEST)}",
        "",
        f"{conversation.created_at:%Y-%m-%d %H:%M} UTC, `{conversation.id}`",
    ]
    for message in messages:
        if message.goes_on:
            lines += ["", f"## continued, {message.created_at:%Y-%m-%d %H:%M} UTC (`{message.id}`)"]
            continue
        status = "" if message.status == "complete" else f", {message.status.replace('_', ' ')}"
        below = f", answers `{message.parent_id}`" if message.parent_id else ""
        lines += ["", f"## {message.role}, {message.created_at:%Y-%m-%d %H:%M} UTC{status} (`{message.id}`{below})", ""]
        lines.append(clean(message.content))  # whoever prints the file must not be fooled
        if message.provenance is not None:
            lines += ["", f"*{provenance(message.provenance)}*"]
    return "\n".join(lines) + "\n"
