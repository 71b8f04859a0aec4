"""Makes folders that only the user may enter."""

from __future__ import annotations

from pathlib import Path


def make_private_folder(path: Path) -> None:
    """Make ``path`` and the folders above it that are missing, each with mode 0700, whatever the umask says.

    Those that exist stay as they are. Raises ``OSError``, ``FileExistsError`` where something else is in the way.
    """
    missing = [path]
    while not missing[-1].exists() and missing[-1].parent != missing[-1]:
        missing.append(missing[-1].parent)
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
