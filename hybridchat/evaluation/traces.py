"""Recorded questions and answers: what is replayed, graded and fitted on.

A file of traces is JSON Lines, one ``Trace`` a line, plain or compressed (gzip, xz).
"""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from pathlib import Path
from typing import Literal

import msgspec

from hybridchat.errors import CannotWrite, InputError, InputMissing
from hybridchat.messages import FinishReason, TokenLogprob

Length = Literal["short", "long"]

TokenRow = tuple[str, float, tuple[float, ...]]
"""A token, its logprob, and the logprobs of the most likely tokens at its place, highest first."""

LOGPROB_DIGITS = 4
TOP_DIGITS = 3
"""Digits after the point that are kept: far more than any signal can tell apart."""

LOWEST = -9999.0
"""What stands for minus infinity, as some servers write it too: JSON has no such number."""

_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"


class LocalTrace(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the local model answered.

    ``model``, ``digest``, ``quantisation``, ``template`` (a digest) and ``top_k`` (alternatives a token) say which
    model it was, as far as the server told; ``right`` is None where nobody graded it. ``tokens`` is empty where the
    server gives no logprobs. ``seconds`` is the time from request to end, ``prompt_tokens`` what the server counted.
    ``cut_short``: it was set aside or stopped while it streamed, so that nothing is known of its end.
    """

    model: str
    text: str
    finish: FinishReason
    seconds: float
    right: bool | None = None
    tokens: tuple[TokenRow, ...] = ()
    digest: str | None = None
    quantisation: str | None = None
    template: str | None = None
    top_k: int = 0
    prompt_tokens: int | None = None
    cut_short: bool = False

    @property
    def logprobs(self) -> Iterator[TokenLogprob]:
        """The tokens as a backend gives them."""
        return (TokenLogprob(token, logprob, tuple(sorted(top, reverse=True))) for token, logprob, top in self.tokens)


class RemoteTrace(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the remote model answered; ``cost`` is US dollars, None where no price is known."""

    model: str
    text: str
    finish: FinishReason
    seconds: float
    right: bool | None = None
    cost: float | None = None


class Trace(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question and its answers.

    ``level`` is its difficulty by construction, 0 (easiest) to 1; ``length`` the kind of answer that was asked for.
    ``remote`` is None where the remote model was not asked. ``samples`` are further short answers of the local model
    (at a temperature), ``p_true`` the probability with which it called its own answer right; both only where a second
    look was recorded.
    """

    id: str
    question: str
    local: LocalTrace
    family: str = ""
    level: float | None = None
    length: Length = "short"
    remote: RemoteTrace | None = None
    samples: tuple[str, ...] = ()
    p_true: float | None = None


_decoder = msgspec.json.Decoder(Trace)
_encoder = msgspec.json.Encoder()


def token_rows(tokens: Iterable[TokenLogprob]) -> tuple[TokenRow, ...]:
    """Return the rows of these tokens, rounded for storage; a token without a usable logprob has none."""
    return tuple(
        (token.token, _rounded(token.logprob, LOGPROB_DIGITS), tuple(_rounded(v, TOP_DIGITS) for v in token.top))
        for token in tokens
        if not isnan(token.logprob)
    )


def _rounded(logprob: float, digits: int) -> float:
    return round(max(LOWEST, logprob), digits) if logprob < 0 else 0.0


def encoded(trace: Trace) -> bytes:
    """Return a trace as one line, with its end."""
    return _encoder.encode(trace) + b"\n"


def read_traces(path: Path) -> list[Trace]:
    """Read a file of traces.

    Raises ``InputMissing`` for a file that is not there or cannot be read, ``InputError`` naming the line for one that
    is broken, and for a file without any trace.
    """
    traces = [decoded(line, f"line {number} of {path}") for number, line in enumerate(_lines(path), 1) if line.strip()]
    if not traces:
        raise InputError(f"{path} holds no traces", hint="Record some first.")
    return traces


def resumed(path: Path) -> list[Trace]:
    """Return what a file to be appended to holds already, none if it is not there.

    A last line that a crash cut short is cut off the file. Raises as ``read_traces``, and ``CannotWrite``.
    """
    if not path.exists():
        return []
    data = _bytes(path)
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        try:
            with path.open("rb+") as file:
                file.truncate(len(whole))
        except OSError as error:
            raise CannotWrite(f"cannot write {path}: {error.strerror}", hint="Name another file.") from error
    return [
        decoded(line, f"line {number} of {path}") for number, line in enumerate(whole.splitlines(), 1) if line.strip()
    ]


def write_traces(path: Path, traces: Sequence[Trace]) -> None:
    """Write a whole file, compressed where its name ends in ``.gz`` or ``.xz``; raises ``CannotWrite``."""
    data = b"".join(map(encoded, traces))
    match path.suffix:
        case ".gz":
            data = gzip.compress(data, mtime=0)
        case ".xz":
            data = lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}", hint="Name another file.") from error


def decoded(line: bytes, where: str) -> Trace:
    """Read one trace; raises ``InputError`` naming ``where`` it stands."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{where} is not a trace: {error}", hint="Remove the line, or record the traces again."
        ) from error


def _lines(path: Path) -> list[bytes]:
    data = _bytes(path)
    try:
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
        elif data.startswith(_XZ):
            data = lzma.decompress(data)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise InputError(f"{path} cannot be decompressed: {error}", hint="Is it cut short? Fetch it again.") from error
    return data.split(b"\n")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputMissing(f"cannot read {path}: {error.strerror}", hint="Is the name right?") from error
