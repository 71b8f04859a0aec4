"""Looks at what everything stands on: Python, SQLite, the settings, and the folder of what is kept."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import tempfile
from contextlib import suppress

from hybridchat import __version__
from hybridchat.backends.model_files.catalogue import readable_size
from hybridchat.backends.private_files import cannot_write
from hybridchat.cli import wiring
from hybridchat.cli.checkup.verdict import Case, Verdict, ok, problem, warning
from hybridchat.cli.keeping import Unlocking
from hybridchat.config import folder as folders
from hybridchat.config import paths
from hybridchat.config.loading import user_file_path
from hybridchat.config.sources import DEFAULT
from hybridchat.errors import Blocked
from hybridchat.store import encryption
from hybridchat.store.database import Store

_IMPORTANT = ("local.backend", "local.model", "local.url", "remote.preset", "remote.url", "remote.model", "store.path")
_ENOUGH_SPACE = 500_000_000  # bytes; below that, a download or a long conversation may come to an end
_PATIENCE = 2.0  # seconds to wait for another process's lock on the database


async def python(_case: Case | None) -> Verdict:
    """Say which Python runs which version."""
    system = f"{platform.system()} {platform.machine()}"
    return ok(
        f"{platform.python_implementation()} {platform.python_version()} on {system}, with hybridchat {__version__}"
    )


async def sqlite(_case: Case | None) -> Verdict:
    """Say whether this Python's SQLite can keep and search conversations."""
    found = f"SQLite {sqlite3.sqlite_version}"
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
    except sqlite3.OperationalError:
        return problem(f"{found} has no full-text search (FTS5)", "Use a Python whose SQLite was built with it.")
    finally:
        connection.close()
    return ok(f"{found} with full-text search")


async def settings(case: Case) -> Verdict:
    """Say where the settings come from; raise ``BadConfiguration`` where the local model's ones are impossible."""
    loaded = case.loaded
    with suppress(Blocked):  # a matter of the local model's server
        wiring.local_backend(loaded.settings)
    file = loaded.settings.user_file or user_file_path()
    parts = [str(file) if loaded.settings.user_file else f"no file of yours yet (its place is {file})"]
    parts += [f"tightened by {path}" for path in _folder_files()]
    parts += [
        f"{one.key} = {one.value} ({one.source})" for one in loaded if one.key in _IMPORTANT and one.source != DEFAULT
    ]
    return ok("; ".join(parts))


async def data_policy(case: Case) -> Verdict:
    """Say what may leave the machine, and who says so."""
    privacy, loaded = case.settings.privacy, case.loaded
    offline = "on" if privacy.offline else "off"
    return ok(
        f"{privacy.data_policy} ({loaded.source('privacy.data_policy')}); "
        f"offline mode {offline} ({loaded.source('privacy.offline')})"
    )


async def data_folder(case: Case) -> Verdict:
    """Say whether the folder of what is kept can be written, and how much space is left."""
    folder = paths.data_folder(case.settings.store)
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        raise cannot_write(existing, error) from error
    found = f"{folder}{'' if existing == folder else ' (made when it is needed)'}, {readable_size(free)} free"
    if free < _ENOUGH_SPACE:
        return warning(found, "Free some space, or choose another folder with store.path.")
    return ok(found)


async def store(case: Case) -> Verdict:
    """Open the database as every command does, and close it again."""
    settings = case.settings.store
    if not settings.save:
        return ok("nothing is kept (store.save is off)")
    path = paths.database_file(settings)
    if not path.exists():
        return ok("no conversation is kept yet")
    encrypted = encryption.salt_of(path) is not None
    unlock = Unlocking(wiring.new_credentials(case.settings), settings.key_command)
    async with Store.open(path, unlock=unlock, patience=_PATIENCE) as opened:
        await opened.conversations.list(1)
    size = readable_size(path.stat().st_size)
    return ok(f"{path} opens, {size}, {f'encrypted with {unlock.source}' if encrypted else 'not encrypted'}")


def _folder_files() -> list[str]:
    """Return the policy files of folders that hold here, the nearest first."""
    return list(dict.fromkeys(found.source.where for layer in folders.layers() for found in layer.values()))
