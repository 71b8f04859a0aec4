"""Which file an embedded endpoint answers from, and whether the machine can hold it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hybridchat.backends.model_files.catalogue import DEFAULT, STAND_IN, find, readable_size
from hybridchat.backends.model_files.files import Installed, installed, list_installed
from hybridchat.backends.model_files.gguf import read_head
from hybridchat.config.settings import Endpoint
from hybridchat.errors import BadConfiguration, ModelMissing, NotEnoughMemory

DEFAULT_WINDOW = 4096
"""Tokens. Phi-3.5 goes over to its factors for long texts, and to other answers, as soon as the window is larger."""

THREADS = "HYBRIDCHAT_EMBEDDED_THREADS"
_ENDS = 1024 * 1024  # bytes
_WORKING_MEMORY = 160 * 1024 * 1024  # bytes that llama.cpp takes for computing, beside weights and context


@dataclass(frozen=True, slots=True)
class Served:
    """A model that is on this disk. ``window`` is in tokens, ``memory`` in bytes; ``stand_in`` as in ``Accepted``."""

    name: str
    title: str
    path: Path
    size: int
    digest: str | None
    window: int
    memory: int
    stand_in: str = ""


def choose(endpoint: Endpoint, models: Path) -> Served:
    """Return what answers for ``endpoint``: its model; where the default one is not there yet, any that is on the disk.

    Of those, the small stand-in comes last. Raises ``ModelMissing``, or ``InputError`` where the file is no GGUF file.
    """
    wanted = find(endpoint.model)
    present = installed(endpoint.model, models)
    if present is not None:
        title = wanted.stem if isinstance(wanted, Path) else wanted.title
        return _described(endpoint, present, endpoint.model, title)
    if wanted == DEFAULT:
        others = sorted(list_installed(models), key=lambda other: (other.name == STAND_IN.name, other.name))
        if others:
            return _described(endpoint, others[0], others[0].name, *_stand_in(others[0]))
    raise _missing(endpoint)


def _stand_in(other: Installed) -> tuple[str, str]:
    """Return the title of what answers instead of the default model, and the sentence that says so."""
    is_small = other.name == STAND_IN.name
    title = STAND_IN.title if is_small else other.path.stem
    sentence = (
        f"{title}{', a small stand-in,' if is_small else ''} answers: {DEFAULT.title} is not on this machine. "
        f"`hybridchat models pull {DEFAULT.name}` gets it ({readable_size(DEFAULT.size)})."
    )
    return title, sentence


def check_engine() -> None:
    """Raise ``BadConfiguration`` where the packages of the embedded engine are not installed."""
    if missing := _missing_packages():
        raise BadConfiguration(f"the embedded engine is not installed ({' and '.join(missing)} missing)", hint=_INSTALL)


def check_memory(served: Served, endpoint: Endpoint) -> None:
    """Raise ``NotEnoughMemory`` where ``served`` would not fit into the memory that is free now."""
    import psutil  # noqa: PLC0415 - part of the embedded extra

    free = int(psutil.virtual_memory().available)
    if served.memory > free:
        raise NotEnoughMemory(
            f"{served.title} needs {readable_size(served.memory)} of memory "
            f"with a window of {served.window} tokens; {readable_size(free)} are free",
            endpoint=endpoint.name,
            hint="Close other programs, run `hybridchat models stop`, set a smaller local.num_ctx, or take a "
            f"smaller model: `hybridchat models pull {STAND_IN.name}`.",
        )


def threads() -> int:
    """Return how many threads compute: one for each physical core this process may use, or what ``THREADS`` says.

    Raises ``BadConfiguration`` for anything but a positive number.
    """
    import psutil  # noqa: PLC0415 - part of the embedded extra

    if said := os.environ.get(THREADS):
        if not (said.isascii() and said.isdigit() and int(said) > 0):
            raise BadConfiguration(f"{THREADS} is {said!r}", hint="Set it to a number of threads, such as 4.")
        return int(said)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, psutil.cpu_count(logical=False) or usable))


def _described(endpoint: Endpoint, present: Installed, name: str, title: str, stand_in: str = "") -> Served:
    head = read_head(present.path)
    window = endpoint.num_ctx or DEFAULT_WINDOW
    if head.context:
        window = min(window, head.context)
    memory = present.size + window * head.cache_bytes_per_token + _WORKING_MEMORY
    digest = present.sha256 or _fingerprint(present.path)
    return Served(name, title, present.path, present.size, digest, window, memory, stand_in)


def _fingerprint(path: Path) -> str:
    """Return what tells a file of the user's own from another one: a digest of its ends, since it may be very large.

    The head holds what describes the model, its quantisation and its template; the end is of the weights.
    """
    found = path.stat()
    return _digest_of_ends(path, found.st_size, found.st_mtime_ns)


@cache
def _digest_of_ends(path: Path, size: int, _modified: int) -> str:
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_ENDS))
        file.seek(max(0, size - _ENDS))
        digest.update(file.read(_ENDS))
    return f"ends:{digest.hexdigest()}"


_INSTALL = "Install it with `pip install 'hybridchat[embedded]'`."


def _missing_packages() -> list[str]:
    return [name for name in ("xllamacpp", "psutil") if importlib.util.find_spec(name) is None]


def _missing(endpoint: Endpoint) -> ModelMissing:
    wanted = find(endpoint.model)
    if isinstance(wanted, Path):
        message, hint = f"there is no model file {wanted}", "Look at the spelling of local.model."
    else:
        size = f" ({readable_size(wanted.size)})" if wanted.size else ""
        message, hint = f"{wanted.title} is not on this machine", f"Run `hybridchat models pull {wanted.name}`{size}."
    install = f"{_INSTALL} " if _missing_packages() else ""
    return ModelMissing(message, endpoint=endpoint.name, hint=install + hint)
