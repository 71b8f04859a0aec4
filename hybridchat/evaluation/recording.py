"""Has models answer questions and keeps what they said: one line a question, written as soon as it is there.

What is interrupted goes on where it stopped. Beside the models' own time it takes next to none.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import msgspec

from hybridchat.backends.protocol import Accepted, Backend, ChatRequest, Ended, Piece
from hybridchat.errors import BackendError, CannotWrite, HybridChatError, StreamIncomplete
from hybridchat.evaluation.grading import grade
from hybridchat.evaluation.items import Item
from hybridchat.evaluation.traces import LocalTrace, RemoteTrace, Trace, encoded, resumed, token_rows
from hybridchat.messages import ChatMessage, FinishReason, Role, TokenLogprob, Usage
from hybridchat.text import StreamCleaner

FAILURES_IN_A_ROW = 3
"""After so many questions in a row that a model fails to answer, it is not asked any more: it would not get better."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a model, without its thinking."""

    accepted: Accepted
    text: str
    tokens: tuple[TokenLogprob, ...]
    finish: FinishReason
    usage: Usage
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording is; ``seconds_left`` is None before anything was asked."""

    done: int
    total: int
    seconds_left: float | None = None


AskLocal = Callable[[Item], Awaitable[LocalTrace]]
AskRemote = Callable[[Item], Awaitable[RemoteTrace]]


@dataclass(slots=True)
class Recording:
    """Questions on their way into a file of traces.

    ``remote_ids`` are the questions that the remote model is asked, too. ``remote_problem`` is why it is not asked any
    more; the local model's answers are kept all the same.
    """

    path: Path
    items: Sequence[Item]
    ask_local: AskLocal
    ask_remote: AskRemote | None = None
    remote_ids: Collection[str] = ()
    remote_problem: HybridChatError | None = None
    _remote_failures: int = 0

    async def run(self, tell: Callable[[Progress], None] = lambda _: None) -> list[Trace]:
        """Ask what the file does not hold yet; return all its traces of these questions.

        Raises ``InputError`` for a broken file, ``CannotWrite``, and what the local model's backend raises: a question
        that it fails to answer is left out, but not several in a row.
        """
        traces = {trace.id: trace for trace in regraded(resumed(self.path), self.items)}  # the last line counts
        missing = [item for item in self.items if self._lacks(traces.get(item.id), item)]
        total, failures, started = len(self.items), 0, time.monotonic()
        tell(Progress(total - len(missing), total))
        if not missing:
            return [traces[item.id] for item in self.items]
        with _opened(self.path) as file:
            for asked, item in enumerate(missing, 1):
                try:
                    trace = await self._ask(item, traces.get(item.id))
                except BackendError:
                    failures += 1
                    if failures == min(FAILURES_IN_A_ROW, len(missing)):
                        raise
                    continue
                failures = 0
                if trace is not traces.get(item.id):
                    _append(file, trace, self.path)
                    traces[item.id] = trace
                left = (len(missing) - asked) * (time.monotonic() - started) / asked
                tell(Progress(total - len(missing) + asked, total, left))
        return [traces[item.id] for item in self.items if item.id in traces]

    def _lacks(self, known: Trace | None, item: Item) -> bool:
        return known is None or (known.remote is None and self.ask_remote is not None and item.id in self.remote_ids)

    async def _ask(self, item: Item, known: Trace | None) -> Trace:
        """Ask both models at once, so that a remote answer costs no further time; only one where the other has said."""
        remote = asyncio.create_task(self._asked_remotely(item))
        try:
            if known is not None:
                there = await remote
                return known if there is None else msgspec.structs.replace(known, remote=there)
            local = await self.ask_local(item)
            there = await remote
        finally:
            remote.cancel()
        return Trace(item.id, item.question, local, item.family, item.level, item.length, there)

    async def _asked_remotely(self, item: Item) -> RemoteTrace | None:
        if self.ask_remote is None or self.remote_problem is not None or item.id not in self.remote_ids:
            return None
        try:
            trace = await self.ask_remote(item)
        except HybridChatError as error:
            self._remote_failures += 1
            if not isinstance(error, BackendError) or self._remote_failures == FAILURES_IN_A_ROW:
                self.remote_problem = error
            return None
        self._remote_failures = 0
        return trace


def regraded(traces: Iterable[Trace], items: Iterable[Item]) -> list[Trace]:
    """Return the traces of these very questions, graded by the grader as it is now."""
    by_id = {item.id: item for item in items}
    return [_graded(trace, by_id[trace.id]) for trace in traces if _asks(trace, by_id.get(trace.id))]


def _asks(trace: Trace, item: Item | None) -> bool:
    return item is not None and item.question == trace.question


def _graded(trace: Trace, item: Item) -> Trace:
    local = msgspec.structs.replace(trace.local, right=grade(item, trace.local.text, trace.local.finish))
    remote = trace.remote
    if remote is not None:
        remote = msgspec.structs.replace(remote, right=grade(item, remote.text, remote.finish))
    return msgspec.structs.replace(trace, local=local, remote=remote)


async def reply_of(backend: Backend, request: ChatRequest) -> Reply:
    """Return the whole answer of ``backend``; raises as its stream does, ``StreamIncomplete`` where it has no end."""
    started = time.monotonic()
    accepted, ended = Accepted(backend.endpoint.model), None
    cleaner, text, tokens = StreamCleaner(), list[str](), list[TokenLogprob]()
    async with aclosing(backend.stream(request)) as parts:
        async for part in parts:
            match part:
                case Piece(thinking=False):
                    text.append(cleaner.feed(part.text))
                    tokens += part.logprobs
                case Accepted():
                    accepted = part
                case Ended():
                    ended = part
    if ended is None:
        raise StreamIncomplete("the stream ended without saying that it was done", endpoint=backend.endpoint.name)
    whole = "".join((*text, cleaner.flush()))
    return Reply(accepted, whole, tuple(tokens), ended.finish_reason, ended.usage, time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class Direct:
    """Asks a backend without any turn around it; ``caps`` are the most tokens of an answer by the item's length.

    For a local model, or for another local model that plays the remote one: nothing asked here passes the privacy gate.
    """

    backend: Backend
    caps: dict[str, int]
    system: str = ""
    temperature: float | None = None
    seed: int | None = None
    top_k: int = 10
    quantisation: str | None = None
    template: str | None = None

    async def local(self, item: Item) -> LocalTrace:
        """Answer as the local model."""
        reply = await self._reply(item, self.top_k)
        return LocalTrace(
            reply.accepted.model,
            reply.text,
            reply.finish,
            round(reply.seconds, 3),
            grade(item, reply.text, reply.finish),
            token_rows(reply.tokens),
            reply.accepted.digest,
            self.quantisation,
            self.template,
            max((len(token.top) for token in reply.tokens), default=0),
            reply.usage.prompt_tokens,
        )

    async def remote(self, item: Item) -> RemoteTrace:
        """Answer as the remote model."""
        reply = await self._reply(item, 0)
        right = grade(item, reply.text, reply.finish)
        return RemoteTrace(reply.accepted.model, reply.text, reply.finish, round(reply.seconds, 3), right)

    async def _reply(self, item: Item, top_k: int) -> Reply:
        messages = [ChatMessage(Role.SYSTEM, self.system)] if self.system else []
        messages.append(ChatMessage(Role.USER, item.question))
        request = ChatRequest(tuple(messages), self.caps[item.length], self.temperature, self.seed, top_k)
        return await reply_of(self.backend, request)


def _opened(path: Path) -> FileIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0)  # noqa: PTH123 -- a mode is set
    except OSError as error:
        raise _cannot_write(path, error) from error


def _append(file: FileIO, trace: Trace, path: Path) -> None:
    line = encoded(trace)
    try:
        written = file.write(line)
    except OSError as error:
        raise _cannot_write(path, error) from error
    if written != len(line):  # what is there of it is cut off before the next line is written
        raise _cannot_write(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


def _cannot_write(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(f"cannot write {path}: {error.strerror}", hint="Free some space, or name another file.")
