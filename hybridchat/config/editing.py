"""Changes one setting in the user's file and leaves its comments and order alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridchat.config import documents, keys
from hybridchat.config.loading import file_layer
from hybridchat.config.private_folders import make_private_folder
from hybridchat.errors import CannotWrite, UsageError

if TYPE_CHECKING:
    import tomlkit


def set_value(path: Path, key: str, text: str) -> object:
    """Set dotted ``key`` to the value that ``text`` says; return that value.

    The file and its folder are made where there are none (0600 and 0700); it is replaced as a whole or not at all.

    Raises:
        UsageError: There is no such setting, or ``text`` is not what it expects.
        BadConfiguration: The file cannot be read, or would still be wrong for another reason.
        CannotWrite: The file cannot be written.
    """
    form = keys.FORMS[keys.known(key)]
    try:
        value = form.check(form.read(text))
    except ValueError as error:
        raise UsageError(f"{key}: {documents.misfit(form, text, error)}", hint="Give another value.") from error

    document = _open(path)
    section, _, name = key.partition(".")
    document.setdefault(section, {})
    _table(document, section)[name] = list(value) if isinstance(value, tuple) else value
    _write(path, document)
    return value


def unset_value(path: Path, key: str) -> bool:
    """Remove dotted ``key`` from the file, so that its default holds; return whether it was there.

    Raises:
        UsageError: There is no such setting.
        BadConfiguration: The file cannot be read, or would still be wrong for another reason.
        CannotWrite: The file cannot be written.
    """
    section, _, name = keys.known(key).partition(".")
    document = _open(path)
    if section not in document or name not in _table(document, section):
        return False
    del _table(document, section)[name]
    _write(path, document)
    return True


def _open(path: Path) -> tomlkit.TOMLDocument:
    import tomlkit  # noqa: PLC0415 -- only who changes a setting needs it

    found = documents.read(path)
    return tomlkit.parse(found.text if found else "")


def _table(document: tomlkit.TOMLDocument, section: str) -> Any:
    table = document[section]
    if not hasattr(table, "keys"):
        raise UsageError(f"{section} is no table in the file", hint="Correct the file by hand.")
    return table


def _write(path: Path, document: tomlkit.TOMLDocument) -> None:
    text = document.as_string()
    file_layer(documents.parse(path, text))
    target = path.resolve()  # a link into somebody's collection of dotfiles stays a link
    try:
        make_private_folder(target.parent)
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".config-")  # 0600 by nature
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotWrite(f"cannot write {path}: {reason}", hint="Make room, or make the folder writable.") from error
