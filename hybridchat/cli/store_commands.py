"""What the commands of ``hybridchat store`` do."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from hybridchat.cli import wiring
from hybridchat.cli.keeping import PASSPHRASE, Unlocking, ask_passphrase, store_key_name
from hybridchat.cli.listing import show_records, tell
from hybridchat.config import paths
from hybridchat.config.loading import load
from hybridchat.config.settings import Settings
from hybridchat.credentials import Credentials
from hybridchat.errors import InputError, KeyUnusable, UsageError
from hybridchat.store import conversion, encryption
from hybridchat.store.encryption import FileKey
from hybridchat.store.migrations import backups

NEW_PASSPHRASE = f"{PASSPHRASE}-new"
"""The name under which ``rekey`` looks for the new passphrase: in HYBRIDCHAT_KEY_STORE_NEW."""


def status(*, as_json: bool) -> None:
    """Print a line for the database and for each backup."""
    path, _, credentials = _opened()
    files = [path, *backups(path)] if path.exists() else []
    records = [{"file": file, "encrypted": (salt := encryption.salt_of(file)) is not None} for file in files]
    for record, file in zip(records, files, strict=True):
        salt = encryption.salt_of(file)
        record["key"] = "" if salt is None else _kind_of_key(salt, credentials)
        record["file"] = str(file)
    show_records(records, ("file", "encrypted", "key"), as_json=as_json, empty="nothing is kept yet")


def encrypt(*, by_passphrase: bool) -> None:
    """Encrypt the database, then its backups; one that is encrypted already keeps its key."""
    path, settings, credentials = _opened()
    encryption.driver()
    if encryption.salt_of(path) is not None:
        left = [backup for backup in backups(path) if encryption.salt_of(backup) is None]
        key = encryption.find_key(path, Unlocking(credentials, settings.store.key_command)) if left else None
        for backup in left:
            conversion.convert(backup, None, key)
        tell(f"the store was encrypted already{f'; so are {len(left)} more backups now' if left else ''}")
        return
    _make_sure_it_opens(settings, credentials)
    key = _new_key(credentials, settings.store.key_command, PASSPHRASE, by_passphrase=by_passphrase)
    _convert_all(path, None, key, credentials)
    where = "your passphrase: without it, nothing can be read any more" if by_passphrase else "the OS keyring"
    tell(f"the store is encrypted; its key is {'made of' if by_passphrase else 'in'} {where}")


def decrypt() -> None:
    """Decrypt the database and its backups."""
    path, settings, credentials = _opened()
    key = _present_key(path, settings, credentials)
    _convert_all(path, key, None, credentials)
    tell("the store is not encrypted any more; its key is forgotten")


def rekey(*, by_passphrase: bool) -> None:
    """Put another key in the place of the present one."""
    path, settings, credentials = _opened()
    old = _present_key(path, settings, credentials)
    new = _new_key(credentials, "", NEW_PASSPHRASE, by_passphrase=by_passphrase)
    _convert_all(path, old, new, credentials)
    tell("the store has another key; the old one is forgotten")


def _opened() -> tuple[Path, Settings, Credentials]:
    settings = load().settings
    if not settings.store.save:
        raise UsageError("nothing is kept (store.save is off)", hint="Set store.save to true first.")
    path = paths.database_file(settings.store)
    conversion.clear_away_leftovers(path)
    return path, settings, wiring.new_credentials(settings)


def _make_sure_it_opens(settings: Settings, credentials: Credentials) -> None:
    """Make the database where there is none, and bring an older one up to date."""

    async def open_and_close() -> None:
        await wiring.open_store(settings, credentials).aclose()

    asyncio.run(open_and_close())


def _present_key(path: Path, settings: Settings, credentials: Credentials) -> FileKey:
    key = encryption.find_key(path, Unlocking(credentials, settings.store.key_command))
    if key is None:
        raise UsageError("the store is not encrypted", hint="Run `hybridchat store encrypt`.")
    return key


def _new_key(credentials: Credentials, command: str, name: str, *, by_passphrase: bool) -> FileKey:
    """Return a new key; one for the keyring is kept there, and was read back, before anything is encrypted with it."""
    salt = encryption.new_salt()
    if not by_passphrase:
        secret = os.urandom(32)
        asyncio.run(credentials.own_secrets.keep(store_key_name(salt), secret))
        return FileKey(secret, salt)
    given = asyncio.run(credentials.passphrase(name, command))
    return FileKey.from_passphrase(_typed_twice() if given is None else given.reveal(), salt)


def _typed_twice() -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        line = "" if sys.stdin is None else sys.stdin.readline().rstrip("\r\n")
        if not line:
            raise InputError("no passphrase was given", hint="Type it in a terminal, or pipe it in.")
        return line
    typed = ask_passphrase("New passphrase of the store (not shown): ")
    if ask_passphrase("The same again: ") != typed:
        raise InputError("the two passphrases differ", hint="Try again; nothing was changed.")
    return typed


def _convert_all(path: Path, old: FileKey | None, new: FileKey | None, credentials: Credentials) -> None:
    """Convert the database and its backups, then forget the keys that nothing needs any more."""
    before = {salt for file in (path, *backups(path)) if (salt := encryption.salt_of(file)) is not None}
    try:
        conversion.convert(path, old, new)
        for backup in backups(path):
            _convert_backup(backup, old, new)
    finally:
        needed = {encryption.salt_of(file) for file in (path, *backups(path))}
        made = set() if new is None else {new.salt}
        for salt in (before | made) - needed:
            with suppress(KeyUnusable):  # it opens nothing any more, wherever it stays
                asyncio.run(credentials.own_secrets.forget(store_key_name(salt)))


def _convert_backup(backup: Path, old: FileKey | None, new: FileKey | None) -> None:
    salt = encryption.salt_of(backup)
    if salt is None:
        present = None
    elif old is not None and encryption.opens(backup, old):
        present = old
    else:
        tell(f"{backup} has another key and was left as it is")
        return
    if present is not new:
        conversion.convert(backup, present, new)


def _kind_of_key(salt: bytes, credentials: Credentials) -> str:
    try:
        kept = asyncio.run(credentials.own_secrets.get(store_key_name(salt)))
    except KeyUnusable as problem:
        return f"unknown: {problem.message}"
    return "passphrase" if kept is None else "OS keyring"
