"""Keeps the database's files to their owner, also where they were made with wider modes."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from hybridchat.config.private_folders import make_private_folder


def make_private(path: Path) -> None:
    """Make the database and its folder, where they do not exist, and keep all others from reading them.

    A folder that holds anything but our files is left as it is: the user chose it, and others may need it. Raises
    ``OSError`` where something cannot be made.
    """
    make_private_folder(path.parent)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with suppress(FileExistsError):  # one that exists is not opened: closing it would let go of SQLite's locks
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    if sys.platform == "win32":
        return
    ours = list(path.parent.glob(f"{path.name}*"))
    for file in ours:
        _tighten(file)
    if len(ours) == sum(1 for _ in path.parent.iterdir()):
        _tighten(path.parent)


def _tighten(path: Path) -> None:
    with suppress(OSError):  # somebody else's, gone meanwhile, or on a read-only disk
        found = path.lstat()
        if found.st_mode & 0o077 and found.st_uid == os.geteuid() and not path.is_symlink():
            path.chmod(found.st_mode & 0o700)


def wipe(path: Path) -> None:
    """Overwrite a file with zeros, then remove it; on disks that write elsewhere (SSD) a trace may remain in them.

    Raises ``OSError``.
    """
    try:
        with path.open("r+b") as file:
            left = os.fstat(file.fileno()).st_size
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 20)))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)
