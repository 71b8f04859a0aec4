"""Answers of a model as a file: what came, with logprobs, and when.

JSON Lines. The first line is ``{"model": NAME}`` (also ``digest``, ``window``); then a line for each piece,
``{"text": TEXT, "logprobs": [[TOKEN, LOGPROB, [TOP, ...]], ...], "after": SECONDS, "thinking": true}`` of which only
``text`` must be there, ``after`` being the time since the line before; the last is ``{"finish": "stop" | "length"}``
(also ``prompt_tokens``, ``completion_tokens``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from hybridchat.backends.protocol import Accepted, Ended, Piece, StreamPart, Waiting
from hybridchat.backends.scripted import Pause, Step
from hybridchat.errors import InputError
from hybridchat.messages import FinishReason, TokenLogprob, Usage

if TYPE_CHECKING:
    from pathlib import Path


class _Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    model: str | None = None
    digest: str | None = None
    window: int | None = None
    text: str | None = None
    logprobs: tuple[tuple[str, float, tuple[float, ...]], ...] = ()
    after: float = 0.0
    thinking: bool = False
    finish: FinishReason | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


_decoder = msgspec.json.Decoder(_Line)


def load(path: Path) -> list[Step]:
    """Read a recording. Raises ``InputError``, which names the line, for a file that is none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"the recording {path} cannot be read: {error.strerror}", hint="Name another file.") from error
    steps: list[Step] = []
    for number, line in enumerate(lines, 1):
        try:
            steps += _steps(_decoder.decode(line))
        except (msgspec.MsgspecError, ValueError) as error:
            raise InputError(
                f"{path}, line {number}: this is no line of a recording ({error})", hint="Record it anew."
            ) from error
    if not steps or not isinstance(steps[-1], Ended):
        raise InputError(f"the recording {path} has no end", hint="Its last line must hold `finish`. Record it anew.")
    return steps


def lines(timed: Iterable[tuple[float, StreamPart]]) -> Iterator[bytes]:
    """Write a recording, line by line, from a stream's parts and the seconds that passed before each."""
    pending = 0.0
    for seconds, part in timed:
        pending += seconds
        match part:
            case Accepted():
                line = _Line(model=part.model, digest=part.digest, window=part.window)
            case Piece():
                logprobs = tuple((one.token, round(one.logprob, 4), _rounded(one.top)) for one in part.logprobs)
                line = _Line(text=part.text, logprobs=logprobs, after=round(pending, 3), thinking=part.thinking)
            case Ended():
                usage = part.usage
                line = _Line(
                    finish=part.finish_reason,
                    prompt_tokens=usage.prompt_tokens,
                    completion_tokens=usage.completion_tokens,
                )
            case Waiting():
                continue
        pending = 0.0
        yield msgspec.json.encode(line) + b"\n"


def _steps(line: _Line) -> Iterator[Step]:
    if line.after > 0:
        yield Pause(line.after)
    if line.model is not None:
        yield Accepted(line.model, line.digest, line.window)
    elif line.finish is not None:
        yield Ended(line.finish, Usage(line.prompt_tokens, line.completion_tokens))
    elif line.text is not None:
        tokens = tuple(TokenLogprob(token, logprob, top) for token, logprob, top in line.logprobs)
        yield Piece(line.text, tokens, line.thinking)
    else:
        raise ValueError("it holds neither model, text nor finish")


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in values)
