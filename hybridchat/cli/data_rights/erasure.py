"""Erases everything that is held about the user, and brings an erasure that was killed to its end."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hybridchat.backends.embedded.state import stop_servers
from hybridchat.cli import wiring
from hybridchat.cli.data_rights.inventory import Fate, Found, folders, found
from hybridchat.cli.data_rights.keyring_entries import forget_all, own_secrets
from hybridchat.config import paths
from hybridchat.config.private_folders import make_private_folder
from hybridchat.config.settings import Settings
from hybridchat.credentials import Credentials
from hybridchat.errors import CannotWrite
from hybridchat.store import conversion, encryption
from hybridchat.store.connection import connect
from hybridchat.store.failures import explained
from hybridchat.store.private import wipe

_PATIENCE = 5.0  # seconds to wait for another process's lock


class Pending(msgspec.Struct, frozen=True):
    """What is written down before an erasure of everything begins: all that it needs to be brought to its end.

    ``only_settings`` says that all but the settings file is done.
    """

    settings: bool
    secrets: list[str]
    only_settings: bool = False


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: files, and what could not be done (entries of a keyring that cannot be asked)."""

    files: int
    problems: tuple[str, ...]


def doomed(settings: Settings, *, with_settings: bool) -> list[Found]:
    """Return the files that an erasure of everything takes away."""
    needed = {_note(settings), _lock(settings)}
    return [one for one in found(settings) if one.path not in needed and _goes(one, with_settings=with_settings)]


async def erase_everything(settings: Settings, credentials: Credentials, *, with_settings: bool) -> Erased:
    """Erase all files, then the keyring's entries, and begin an empty store whose ledger says so.

    Raises ``CannotWrite`` where another process has the store open (nothing is erased then), or a file cannot be
    overwritten (the rest is brought to its end at the next start).
    """
    pending = Pending(with_settings, own_secrets(settings))
    _refuse_while_open(settings)
    with explained(str(_note(settings))):
        _write_down(_note(settings), pending)
    return await finish(settings, credentials)


async def finish(settings: Settings, credentials: Credentials) -> Erased:
    """Bring what was begun to its end; raises as ``erase_everything`` does."""
    from filelock import FileLock  # noqa: PLC0415 -- dear to import

    with FileLock(_lock(settings), mode=0o600, thread_local=False):  # two may be started after one was killed
        return await _finish(settings, credentials)


async def _finish(settings: Settings, credentials: Credentials) -> Erased:
    note = _note(settings)
    try:
        pending = msgspec.json.decode(note.read_bytes(), type=Pending)
    except (OSError, msgspec.MsgspecError):  # killed before it was written down to its end: nothing has begun
        note.unlink(missing_ok=True)
        return Erased(0, ())
    problems: list[str] = []
    files = doomed(settings, with_settings=pending.settings)
    last = [one for one in files if one.kept is not None and one.kept.fate is Fate.ON_REQUEST]
    with explained(str(note)):
        if not pending.only_settings:
            stop_servers(paths.runtime_folder())
            for one in files:
                if one not in last:
                    _wipe(one.path)
            problems = await forget_all(settings, credentials, pending.secrets)
            async with wiring.open_store(settings, credentials, resumes=False) as store:
                await store.ledger.tell_of_erasure()
            _write_down(note, msgspec.structs.replace(pending, only_settings=True))
        for one in last:  # they say where all the rest is
            _wipe(one.path.replace(one.path.with_name(f".config-{one.path.name}")))
        note.unlink(missing_ok=True)
    _remove_empty_folders(settings)
    return Erased(len(files), tuple(problems))


def _goes(one: Found, *, with_settings: bool) -> bool:
    if one.kept is None:
        return True
    return one.kept.fate is Fate.ERASED or (with_settings and one.kept.fate is Fate.ON_REQUEST)


def _refuse_while_open(settings: Settings) -> None:
    """Raise ``CannotWrite`` while another process uses the database; its log is emptied on the way."""
    path = paths.database_file(settings.store)
    if not path.exists() or encryption.salt_of(path) is not None:
        return  # what is encrypted may be erased without its key
    with explained(str(path)), closing(connect(path, _PATIENCE)) as connection:
        try:
            conversion.take_alone(connection, path)
        except CannotWrite:
            raise
        except Exception as error:
            if not encryption.is_database_error(error):
                raise
            # damaged, or another program's: that must not keep it from being erased


def _wipe(path: Path) -> None:
    if path.is_symlink():
        path.unlink(missing_ok=True)  # what it points to is not ours
    else:
        wipe(path)


def _remove_empty_folders(settings: Settings) -> None:
    for top in folders(settings).values():
        for folder in sorted((one for one in top.rglob("*") if one.is_dir()), reverse=True):
            with suppress(OSError):  # not empty
                folder.rmdir()


def _write_down(note: Path, pending: Pending) -> None:
    make_private_folder(note.parent)
    new = note.with_name(f"{note.name}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 -- a mode is set
        file.write(msgspec.json.encode(pending))
        file.flush()
        os.fsync(file.fileno())
    new.replace(note)


def _note(settings: Settings) -> Path:
    path = paths.database_file(settings.store)
    return path.with_name(path.name + wiring.ERASING_EVERYTHING)


def _lock(settings: Settings) -> Path:
    note = _note(settings)
    return note.with_name(f"{note.name}.lock")
