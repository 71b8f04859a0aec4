"""The one list of what is kept where. Export and erasure go by it; a test holds it against what is really written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hybridchat.config import paths
from hybridchat.config.loading import user_file_path
from hybridchat.config.settings import Settings


class Fate(StrEnum):
    """What becomes of a kind of file when everything is erased."""

    ERASED = "erased"
    ON_REQUEST = "erased with --settings"
    LEFT = "left: it holds nothing about you"


class Handover(StrEnum):
    """How a kind of file is handed over in an export."""

    DECODED = "decoded"  # the database: as JSON and Markdown
    COPIED = "copied"
    LEFT_OUT = "left out"  # copies of what is handed over otherwise, and what says nothing about the user


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of file: ``patterns`` are globs below ``folder``, a name of ``folders``; none where settings name it."""

    what: str
    folder: str
    patterns: tuple[str, ...]
    fate: Fate = Fate.ERASED
    handover: Handover = Handover.COPIED


INVENTORY = (
    Kept("conversations, drafts, ledger, budget, search index", "data", ("hybridchat.db",), handover=Handover.DECODED),
    Kept(
        "the database's log and lock files",
        "data",
        (
            "hybridchat.db-wal",
            "hybridchat.db-shm",
            "hybridchat.db-journal",
            "hybridchat.db.*.lock",
            "hybridchat.db.sessions/*",
            "hybridchat.db.fresh*",
            "hybridchat.db.former",
            "hybridchat.db.erasing*",
        ),
        handover=Handover.LEFT_OUT,
    ),
    Kept(
        "copies of the database from before an update", "data", ("hybridchat.db.version-*",), handover=Handover.LEFT_OUT
    ),
    Kept("calibrations of local models, with their answers", "data", ("calibrations/**/*",)),
    Kept("recorded turns (routing.record)", "record", ()),
    Kept("downloaded models", "models", ("**/*",), Fate.LEFT, Handover.LEFT_OUT),
    Kept("settings, with your own words to redact", "config", (), Fate.ON_REQUEST),
    Kept("faults of the program, without any prompt", "cache", ("errors.log",)),
    Kept("what a local server says, its address and key", "runtime", ("**/*",), handover=Handover.LEFT_OUT),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A file, and the kind that it is of; None for one in a folder of the program's that nothing here names."""

    path: Path
    kept: Kept | None


def folders(settings: Settings) -> dict[str, Path]:
    """Return the folders that the program writes to, by the names that ``Kept.folder`` uses."""
    return {
        "models": paths.models_folder(settings.store),
        "data": paths.data_folder(settings.store),
        "cache": paths.cache_folder(),
        "state": paths.state_folder(),
        "runtime": paths.runtime_folder(),
    }


def found(settings: Settings) -> Iterator[Found]:
    """Yield every file that is kept now, each once.

    In folders that are the program's alone, also what nothing names; in those that the user chose, only what is ours.
    """
    places = folders(settings)
    seen: set[Path] = set()
    for kept in INVENTORY:
        for file in _files(kept, settings, places):
            if (file.is_file() or file.is_symlink()) and file not in seen:
                seen.add(file)
                yield Found(file, kept)
    for folder in sorted(paths.own_folders()):
        for file in sorted(folder.rglob("*")):
            if (file.is_file() or file.is_symlink()) and file not in seen and places["models"] not in file.parents:
                seen.add(file)
                yield Found(file, None)


def _files(kept: Kept, settings: Settings, places: dict[str, Path]) -> list[Path]:
    if kept.folder == "config":
        return [user_file_path(), *sorted(user_file_path().parent.glob(".config-*"))]  # drafts of a new one
    if kept.folder == "record":
        if not settings.routing.record:
            return []
        record = paths.expanded(settings.routing.record).resolve()
        # the others are left where the erasure of a conversation is killed
        return [
            paths.expanded(settings.routing.record),
            *(record.with_name(record.name + one) for one in (".new", ".old")),
        ]
    return sorted(file for pattern in kept.patterns for file in places[kept.folder].glob(pattern))
