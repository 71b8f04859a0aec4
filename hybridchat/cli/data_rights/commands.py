"""What the commands of ``hybridchat data`` do."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hybridchat.cli import wiring
from hybridchat.cli.data_rights import erasure, inventory, recorded
from hybridchat.cli.data_rights import export as exporting
from hybridchat.cli.history import in_store
from hybridchat.cli.listing import show_records, tell
from hybridchat.config import paths
from hybridchat.config.loading import load
from hybridchat.errors import UsageError
from hybridchat.phrases import counted
from hybridchat.plain.streams import Narration
from hybridchat.store.database import Store
from hybridchat.store.erasing import Extent
from hybridchat.text import one_line


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be erased: one conversation, a period (either end may be open), or everything."""

    conversation: str | None = None
    since: str | None = None
    until: str | None = None
    everything: bool = False
    with_settings: bool = False


def list_files(*, as_json: bool) -> None:
    """Print every file that is kept."""
    records = [
        {
            "file": str(one.path),
            "what": one.kept.what if one.kept else "not known to this version",
            "when everything is erased": str(one.kept.fate if one.kept else inventory.Fate.ERASED),
        }
        for one in inventory.found(load().settings)
    ]
    show_records(
        records, ("file", "what", "when everything is erased"), as_json=as_json, empty="nothing is kept on this machine"
    )


def export(target: Path) -> None:
    """Write an export."""
    if target.exists():
        raise UsageError(f"{target} is there already", hint="Name a folder or an archive that is not there yet.")
    loaded = load()
    credentials = wiring.new_credentials(loaded.settings)
    files = in_store(lambda store: exporting.collect(store, loaded, credentials), reads_only=True)
    exporting.write(files, target)
    tell(f"{counted(len(files), 'file')} written to {target}; only you can read them, and they are not encrypted")


def erase(scope: Scope, *, ask: bool) -> None:
    """Say what would go, ask, and erase it."""
    chosen = [scope.conversation is not None, bool(scope.since or scope.until), scope.everything]
    if sum(chosen) != 1:
        raise UsageError(
            "say what to erase, one thing at a time", hint="Use --conversation, --since and --until, or --everything."
        )
    if scope.with_settings and not scope.everything:
        raise UsageError("--settings belongs to --everything", hint="Use both, or leave the settings as they are.")
    if scope.everything:
        _erase_everything(with_settings=scope.with_settings, ask=ask)
    else:
        _erase_some(scope, ask=ask)


def _erase_some(scope: Scope, *, ask: bool) -> None:
    since, until = _time(scope.since), _time(scope.until)

    async def find(store: Store) -> Extent:
        if scope.conversation is not None:
            return await store.erasing.extent([(await store.conversations.get(scope.conversation)).id])
        ids = await store.erasing.in_period(since, until)
        return await store.erasing.extent(ids, await store.erasing.drafts_in_period(since, until))

    async def look(store: Store) -> tuple[Extent, set[str]]:
        extent = await find(store)
        trees = [await store.conversations.tree(one) for one in extent.conversations]
        return extent, {message.id for tree in trees for message in tree}

    extent, messages = in_store(look)
    if not (extent.conversations or extent.drafts):
        tell("nothing was said or written in that time")
        return
    backups = f", and {counted(len(extent.backups), 'backup')} of the whole store" if extent.backups else ""
    what = f"{counted(len(extent.conversations), 'conversation')} with {counted(extent.messages, 'message')}"
    what += f", {counted(len(extent.drafts), 'unsent draft')}" if extent.drafts else ""
    what += backups
    _confirm(f"This erases {what}, for ever. The ledger of what was sent keeps its rows, which hold no text.", ask=ask)
    if recording := load().settings.routing.record:  # first: as long as the messages stand, this can be done again
        turns = recorded.drop(paths.expanded(recording), messages)
        what += f", and {counted(turns, 'recorded turn')}" if turns else ""
    in_store(lambda store: store.erasing.erase(extent.conversations, extent.drafts))
    tell(f"erased: {what}")


def _erase_everything(*, with_settings: bool, ask: bool) -> None:
    settings = load().settings
    credentials = wiring.new_credentials(settings)
    files = erasure.doomed(settings, with_settings=with_settings)
    for one in files:
        tell(f"  {one_line(str(one.path), 300)}")
    stays = "" if with_settings else " Your settings stay; --settings erases them, too."
    _confirm(
        f"This erases {counted(len(files), 'file')} and hybridchat's keys in the OS keyring, for ever.{stays}", ask=ask
    )
    erased = asyncio.run(erasure.erase_everything(settings, credentials, with_settings=with_settings))
    for problem in erased.problems:
        tell(problem)
    tell(f"erased: {counted(erased.files, 'file')}; an empty store begins with the note that everything was erased")


def _confirm(what: str, *, ask: bool) -> None:
    if not ask:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{what} Nobody can be asked here.", hint="Say --yes if that is what you want.")
    Narration(sys.stderr).say(what)
    Narration(sys.stderr).say("Type yes to go on:")
    if sys.stdin.readline().strip().lower() != "yes":
        raise UsageError("nothing was erased", hint="Type yes in full to erase.")


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OSError, OverflowError) as error:
        raise UsageError(f"{text!r} is no date", hint="Write it like 2026-11-22, or 2026-11-22T15:30.") from error
