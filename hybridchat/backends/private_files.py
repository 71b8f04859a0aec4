"""Folders and small files that only this user may read, and that nobody else can have planted."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from hybridchat.config.private_folders import make_private_folder
from hybridchat.errors import BadConfiguration, CannotWrite


def private_folder(path: Path) -> Path:
    """Make sure that ``path`` is a folder of this user's with mode 0700, and return it.

    Raises ``CannotWrite`` where it cannot be made, ``BadConfiguration`` where it is not a folder or belongs to someone
    else: whoever owns a folder can replace what lies in it.
    """
    try:
        make_private_folder(path)
        found = path.stat()
        if not _is_ours(found):
            raise BadConfiguration(
                f"{path} belongs to another user", hint="Name a folder of your own, or have it handed over to you."
            )
        if sys.platform != "win32" and found.st_mode & 0o077:
            path.chmod(0o700)
    except (FileExistsError, NotADirectoryError) as error:
        raise BadConfiguration(f"{path} is not a folder", hint="Name another folder, or move that file.") from error
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def write_private(path: Path, data: bytes) -> None:
    """Replace ``path`` with ``data`` in one step, mode 0600. Raises ``CannotWrite``."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with suppress(FileNotFoundError):
            new.unlink()
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - a mode is set
            file.write(data)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def read_private(path: Path) -> bytes | None:
    """Return what ``path`` holds; None where it is missing, a link, or was written or could be read by someone else."""
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:  # noqa: PTH123 - a flag is set
            found = os.fstat(file.fileno())
            if not _is_ours(found) or not stat.S_ISREG(found.st_mode):
                return None
            if sys.platform != "win32" and found.st_mode & 0o077:
                return None
            return file.read()
    except OSError:
        return None


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """Return the error that says why ``path`` could not be written."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return CannotWrite(
        f"cannot write {path}: {error.strerror or error}",
        hint="Free some space on that disk." if full else "Look at its permissions, or choose another folder.",
    )


def _is_ours(found: os.stat_result) -> bool:
    return sys.platform == "win32" or found.st_uid == os.geteuid()
