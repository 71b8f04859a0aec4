"""Shows what would leave the machine, to the last byte, and sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from hybridchat.backends.protocol import Backend, ChatRequest
from hybridchat.engine.preparation import Preparation
from hybridchat.errors import Blocked
from hybridchat.events import Event, Outgoing
from hybridchat.messages import Message, Role
from hybridchat.privacy import data_policy
from hybridchat.privacy.data_policy import Verdict

if TYPE_CHECKING:
    from hybridchat.engine.request import TurnRequest
    from hybridchat.engine.resources import Resources
    from hybridchat.messages import Conversation


class DescribesRequests(Backend, Protocol):
    """A backend that can say where and with which headers it would send a request, without its key."""

    def request_line(self) -> str:
        """Return the method and the whole address, such as ``POST https://.../chat/completions``."""
        ...

    def headers(self, request: ChatRequest) -> Mapping[str, str]:
        """Return the headers of a request; ``[key]`` stands for the key."""
        ...


OpenPreview = Callable[[], DescribesRequests]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be sent: ``body`` is it exactly, ``original`` what it would be without redaction.

    ``verdict`` says whether it would be sent, asked about, or refused.
    """

    request_line: str
    headers: Mapping[str, str]
    body: bytes
    original: bytes
    outgoing: Outgoing
    verdict: Verdict


async def preview(resources: Resources, request: TurnRequest, open_preview: OpenPreview | None) -> Preview:
    """Prepare ``request`` as an escalation would, with neither key nor connection; nothing is kept.

    The local model may be asked to write a summary, where the hand-over needs one. Raises ``Blocked`` where no remote
    model is configured or the text cannot be redacted.
    """
    if open_preview is None:
        raise Blocked(
            "no remote model is configured, so nothing could be sent",
            hint="Name one with --remote-preset, or `hybridchat config set remote.preset huggingface`.",
        )
    conversation, path = await _path(resources, request)
    system = resources.settings.answer.system if request.system is None else request.system
    backend = open_preview()
    try:
        prepared = await Preparation(resources, request, path, system, _tell_nobody).prepare(backend, "a preview")
        headers = backend.headers(prepared.request)
    finally:
        await backend.aclose()
    privacy = resources.settings.privacy
    return Preview(
        backend.request_line(),
        headers,
        backend.body(prepared.request),
        backend.body(prepared.original),
        prepared.outgoing,
        data_policy.verdict(
            data_policy.effective(
                call=request.data_policy,
                conversation=conversation.data_policy if conversation else None,
                user=privacy.data_policy,
            ),
            offline=privacy.offline,
            allow_remote=request.allow_remote,
            can_ask=request.can_ask,
            always=conversation.remote_agreed if conversation else False,
        ),
    )


async def _path(resources: Resources, request: TurnRequest) -> tuple[Conversation | None, list[Message]]:
    conversations = resources.store.conversations
    if request.answer_to is not None:
        path = await conversations.path(request.answer_to)
        return await conversations.get(path[-1].conversation_id), path
    conversation = await conversations.get(request.conversation_id) if request.conversation_id else None
    parent = request.parent_id or (conversation.head_id if conversation else None)
    earlier = await conversations.path(parent) if parent else []
    conversation_id = conversation.id if conversation else ""
    return conversation, [
        *earlier,
        Message("preview", conversation_id, parent, Role.USER, request.text, datetime.now(UTC)),
    ]


async def _tell_nobody(_event: Event) -> None:
    """Nobody waits for what is told meanwhile."""
