"""Downloads one file from the Hugging Face Hub, and goes on where an earlier attempt stopped.

``huggingface_hub`` finds the file and says what its SHA-256 must be. The bytes are read here, through the library's own
HTTP session: from version 2 on its ``hf_hub_download`` throws away what a broken download has already fetched.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridchat.backends.model_files.catalogue import Model
from hybridchat.backends.private_files import cannot_write
from hybridchat.backends.transport.http import place_of
from hybridchat.errors import (
    BackendError,
    Blocked,
    InputError,
    KeyRefused,
    ModelMissing,
    ServerFailed,
    StreamBroken,
    TimedOut,
    TryLater,
    Unreachable,
)

HUB = "Hugging Face Hub"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIMEOUT = 30.0  # seconds without a byte
_CHUNK = 1024 * 1024
_PAUSES = (0.0, 1.0, 2.0, 4.0)  # seconds before each attempt that follows one without any new byte


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """What the Hub states about a file; ``size`` is in bytes."""

    url: str
    size: int
    sha256: str


def look_up(model: Model) -> RemoteFile:
    """Ask the Hub about ``model``'s file.

    Raises ``Unreachable``, ``TimedOut``, ``TryLater``, ``ServerFailed``, ``ModelMissing``, ``KeyRefused`` (a gated
    model), ``Blocked`` (``HF_HUB_OFFLINE``), or ``InputError`` where the Hub states no checksum or another one than
    the catalogue.
    """
    hub = _library()
    with _translated(model):
        url = hub.hf_hub_url(model.repo, model.file, endpoint=os.environ.get("HF_ENDPOINT") or None)
        found = hub.get_hf_file_metadata(url)
    sha256 = found.etag or ""
    if not _SHA256.fullmatch(sha256) or not found.size:
        raise InputError(
            f"the Hub states no checksum for {model.repo}/{model.file}, so the file could not be verified",
            hint="Name a GGUF file that is stored in the Hub's large file storage.",
        )
    if model.sha256 and model.sha256 != sha256:
        raise InputError(
            f"the Hub now holds another file as {model.repo}/{model.file}: its checksum is not the one expected",
            hint="Update hybridchat, or download the file yourself and name its path.",
        )
    return RemoteFile(url, found.size, sha256)


def download(model: Model, remote: RemoteFile, part: Path, report: Callable[[int, int], None]) -> None:
    """Complete ``part`` with the bytes of ``remote``; ``report`` is called with bytes done and bytes in all.

    A connection that breaks is taken up again as long as bytes come. ``part`` is kept whatever happens, so that a
    later call goes on from there. Raises what ``look_up`` raises, ``StreamBroken``, and ``CannotWrite``.
    """
    attempts, most = iter(_PAUSES), _size(part)
    while _size(part) < remote.size:
        try:
            with _translated(model):
                _append(remote, part, report)
        except (Unreachable, TimedOut, StreamBroken):
            if _size(part) > most:
                attempts, most = iter(_PAUSES), _size(part)
            pause = next(attempts, None)
            if pause is None:
                raise
            time.sleep(pause)
    report(remote.size, remote.size)


def _append(remote: RemoteFile, part: Path, report: Callable[[int, int], None]) -> None:
    hub = _library()
    done = _size(part)
    headers = {**hub.utils.build_hf_headers(), "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    # Where the Hub redirects to another host for the bytes, the session drops the authorization header by itself.
    with hub.get_session().stream(
        "GET", remote.url, headers=headers, timeout=_TIMEOUT, follow_redirects=True
    ) as response:
        if done and response.status_code == 416:
            part.unlink(missing_ok=True)
            raise StreamBroken("the Hub's storage does not have the rest of the file", endpoint=HUB, hint=_AGAIN)
        hub.hf_raise_for_status(response)
        if done and not _goes_on_at(response, done):
            done = 0
        report(done, remote.size)
        for chunk in _written(part, done, response.iter_bytes(_CHUNK)):
            done += chunk
            report(min(done, remote.size), remote.size)
            if done > remote.size:
                break  # the checksum will say so; a server without end must not fill the disk
    if done < remote.size:
        raise StreamBroken(f"the download ended after {done} of {remote.size} bytes", endpoint=HUB, hint=_AGAIN)


def _goes_on_at(response: Any, done: int) -> bool:
    return bool(response.status_code == 206) and response.headers.get("Content-Range", "").startswith(f"bytes {done}-")


def _written(part: Path, at: int, chunks: Iterator[bytes]) -> Iterator[int]:
    """Write ``chunks`` to ``part`` from byte ``at`` on, and yield the size of each. Raises ``CannotWrite``."""
    with _writable(part):
        file = open(os.open(part, os.O_WRONLY | os.O_CREAT, 0o600), "wb")  # noqa: PTH123, SIM115 - mode; closed below
    with file:
        with _writable(part):
            if file.seek(0, os.SEEK_END) != at:
                file.truncate(at)
            file.seek(at)
        for chunk in chunks:
            with _writable(part):
                file.write(chunk)
                file.flush()
            yield len(chunk)


@contextmanager
def _writable(part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(part, error) from error


def _size(part: Path) -> int:
    with suppress(FileNotFoundError):
        return part.stat().st_size
    return 0


def _library() -> Any:
    """Import ``huggingface_hub``, with its telemetry and its hidden requests off."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    return importlib.import_module("huggingface_hub")


def _kinds(*names: str) -> tuple[type[Exception], ...]:
    """Return the exceptions of these names: version 1 of the library stands on httpx, version 2 on httpx2."""
    installed = [name for name in ("httpx", "httpx2") if importlib.util.find_spec(name)]
    return tuple(getattr(importlib.import_module(library), name) for library in installed for name in names)


@contextmanager
def _translated(model: Model) -> Iterator[None]:
    errors = importlib.import_module("huggingface_hub.errors")
    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise Blocked(
            "the Hub is switched off by HF_HUB_OFFLINE", hint="Unset HF_HUB_OFFLINE to download models."
        ) from error
    except errors.HFValidationError as error:
        raise InputError(
            f"{model.repo} is no name of a repository: {error}", hint="Write hf:OWNER/REPO/FILE.gguf."
        ) from error
    except errors.HfHubHTTPError as error:
        raise _answered(error.response, model, gated=isinstance(error, errors.GatedRepoError)) from error
    except _kinds("TimeoutException") as error:
        raise TimedOut(f"{_place()} did not answer in time", endpoint=HUB, hint=_AGAIN) from error
    except _kinds("ConnectError", "ProxyError", "UnsupportedProtocol", "InvalidURL") as error:
        raise Unreachable(f"{_place()} cannot be reached", endpoint=HUB, hint=_AGAIN) from error
    except _kinds("HTTPError") as error:
        raise StreamBroken(f"the connection to {_place()} broke", endpoint=HUB, hint=_AGAIN) from error


_AGAIN = "Look at the network connection and run the command again: what has been downloaded is kept."


def _place() -> str:
    endpoint = os.environ.get("HF_ENDPOINT")
    return f"the Hub at {place_of(endpoint)}" if endpoint else "huggingface.co"


def _answered(response: Any, model: Model, *, gated: bool) -> BackendError | KeyRefused:
    status, code = response.status_code, response.headers.get("X-Error-Code", "")
    if gated or (status in {401, 403} and code != "RepoNotFound"):
        return KeyRefused(
            f"the Hub does not hand out {model.repo} without permission (status {status})",
            hint=f"Accept its licence on the page of {model.repo}, then log in with `hf auth login`.",
        )
    if status in {401, 404}:
        return ModelMissing(
            f"the Hub has no file {model.file} in {model.repo}", endpoint=HUB, hint="Look at the spelling of both."
        )
    if status == 429:
        return TryLater("the Hub asks to slow down", endpoint=HUB, hint=_AGAIN)
    return ServerFailed(f"the Hub answered with status {status}", endpoint=HUB, hint=_AGAIN)
