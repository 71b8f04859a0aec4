"""Records live turns as traces, so that each can be replayed; nobody graded them.

A trace holds the question and the answers in clear: its file is the user's own (mode 600), and is only written where
the setting ``routing.record`` names one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridchat.engine import Engine, Turn, TurnRequest
from hybridchat.errors import CannotWrite, HybridChatError
from hybridchat.evaluation.traces import LocalTrace, RemoteTrace, Trace, encoded, token_rows
from hybridchat.events import Delta, Event, Failed, Finished, Opened, Routed
from hybridchat.messages import FinishReason, Message, Place, Status, TokenLogprob

if TYPE_CHECKING:
    from hybridchat.engine.resources import Resources

LONG = 64
"""Tokens from which an answer counts as a long one, where nobody asked for a length."""


class RecordingEngine(Engine):
    """Starts turns that are appended to the file ``path`` once they are over."""

    def __init__(self, *resources: Any, path: Path, **more: Any) -> None:
        super().__init__(*resources, **more)
        self._path = path

    @classmethod
    def into(cls, path: Path) -> partial[RecordingEngine]:
        """Return what builds an engine as ``Engine`` does, recording into ``path``; raises ``CannotWrite`` for it."""
        check_writable(path)
        return partial(cls, path=path)

    def turn(self, request: TurnRequest) -> Turn:
        """Start a turn; needs a running event loop."""
        return RecordedTurn(self, request, self._path)


class RecordedTurn(Turn):
    """A turn that is recorded as it is read. One whose local model was not asked leaves no trace."""

    def __init__(self, resources: Resources, request: TurnRequest, path: Path) -> None:
        super().__init__(resources, request)
        self._path = path
        self._question_id = ""
        self._answers: dict[Place, _Heard] = {}

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield the turn's events, the last one with a note where the trace could not be kept."""
        async for event in super().__aiter__():
            if not isinstance(event, Finished | Failed):
                self._hear(event)
                yield event
                continue
            problem = await self._keep()
            if problem is not None and isinstance(event, Finished):
                note = f"this turn is not recorded: {problem.message}"
                yield replace(event, notes=(*event.notes, note), exit_code=event.exit_code or problem.exit_code)
            else:
                yield event

    def _hear(self, event: Event) -> None:
        match event:
            case Routed():
                self._question_id = event.user_message_id
            case Opened():
                self._answers[event.place] = _Heard(event.message_id)
            case Delta(thinking=False):
                self._answers.setdefault(event.place, _Heard(event.message_id)).add(event)

    async def _keep(self) -> HybridChatError | None:
        """Append the trace; return what kept it from being written."""
        local = self._answers.get(Place.LOCAL)
        if local is None:
            return None
        conversations = self._resources.store.conversations
        try:
            question = await conversations.message(self._question_id)
            answer = await conversations.message(local.message_id)
            there = self._answers.get(Place.REMOTE)
            remote = _remote(there, await conversations.message(there.message_id)) if there else None
            trace = Trace(
                answer.id,
                question.content,
                _local(local, answer),
                length="long" if len(local.tokens) > LONG else "short",
                remote=remote,
            )
            await asyncio.to_thread(append, self._path, trace)
        except HybridChatError as error:
            return error
        return None


class _Heard:
    """What was said in one answer."""

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.text: list[str] = []
        self.tokens: list[TokenLogprob] = []

    def add(self, delta: Delta) -> None:
        self.text.append(delta.text)
        self.tokens += delta.logprobs


def _local(heard: _Heard, kept: Message) -> LocalTrace:
    """Return what was heard; an answer that was set aside may have gone on unheard."""
    provenance, text = kept.provenance, "".join(heard.text)
    ended = provenance is not None and provenance.finish_reason is not None
    return LocalTrace(
        provenance.model if provenance else "",
        text,
        (provenance.finish_reason if provenance else None) or FinishReason.STOP,
        round((provenance.seconds if provenance else None) or 0.0, 3),
        tokens=token_rows(heard.tokens),
        digest=provenance.digest if provenance else None,
        top_k=max((len(token.top) for token in heard.tokens), default=0),
        prompt_tokens=provenance.usage.prompt_tokens if provenance else None,
        cut_short=not ended or len(kept.content) > len(text),
    )


def _remote(heard: _Heard, kept: Message) -> RemoteTrace | None:
    provenance = kept.provenance
    if provenance is None or kept.status is not Status.COMPLETE:
        return None
    return RemoteTrace(
        provenance.model,
        "".join(heard.text),
        provenance.finish_reason or FinishReason.STOP,
        round(provenance.seconds or 0.0, 3),
        cost=provenance.cost,
    )


def check_writable(path: Path) -> None:
    """Raise ``CannotWrite`` where nothing can be appended to ``path``: before a turn, not after it."""
    append(path)


def append(path: Path, trace: Trace | None = None) -> None:
    """Append a trace to a file that only its owner may read; raises ``CannotWrite``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(descriptor, "ab") as file:  # noqa: PTH123 -- a mode is set
            file.write(encoded(trace) if trace else b"")
    except OSError as error:
        raise CannotWrite(
            f"the recording {path} cannot be written: {error.strerror}", hint="Name another file."
        ) from error
