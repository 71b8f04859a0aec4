"""The way to the remote model: data policy, key, redaction, consent, ledger, and another model where one is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from hybridchat.backends.protocol import Backend
from hybridchat.engine.preparation import Preparation, Prepared
from hybridchat.engine.recorder import Recorder
from hybridchat.engine.remote_answer import RemoteAnswer
from hybridchat.errors import Blocked, ContextOverflow, HybridChatError, ModelMissing
from hybridchat.events import Consent, ConsentRequested, ContextTrimmed, Event, ModelChoiceRequested, Reply, Revise
from hybridchat.messages import Conversation, DataPolicy, Message, Place, Status
from hybridchat.privacy import data_policy
from hybridchat.privacy.data_policy import Permission, Verdict

if TYPE_CHECKING:
    from hybridchat.engine.budget_gate import BudgetGate
    from hybridchat.engine.request import TurnRequest
    from hybridchat.engine.resources import Resources


class Escalation:
    """One turn's chance to bring in the remote model.

    ``possible`` and ``why_not`` are known from the start; ``notes`` are sentences for the user about what was done.
    """

    def __init__(
        self,
        resources: Resources,
        request: TurnRequest,
        conversation: Conversation,
        path: Sequence[Message],
        system: str,
        *,
        recorder: Recorder,
        emit: Callable[[Event], Awaitable[None]],
        gate: BudgetGate,
    ) -> None:
        self._resources = resources
        self._gate = gate
        self._request = request
        self._conversation = conversation
        self._path = path
        self._preparation = Preparation(resources, request, path, system, emit)
        self._recorder = recorder
        self._emit = emit
        self._reply: asyncio.Future[Reply] | None = None
        self._answer: RemoteAnswer | None = None
        self._prepared: Prepared | None = None
        self._always = False
        self.notes: list[str] = []
        self._verdict = self._judge(can_ask=request.can_ask)

    @property
    def possible(self) -> bool:
        """Whether anything may be sent at all, be it after a question."""
        return (
            self._request.choice is not Place.LOCAL
            and self._resources.open_remote is not None
            and self._verdict.permission is not Permission.REFUSE
            and not self._gate.used_up
        )

    @property
    def needs_no_yes(self) -> bool:
        """Whether the data policy itself lets things leave, so that nobody is or was asked."""
        return self.possible and self._policy is DataPolicy.ALLOW

    @property
    def only_the_budget_is_missing(self) -> bool:
        """Whether the remote model would be asked, if only the budget were not used up."""
        reachable = self._request.choice is not Place.LOCAL and self._resources.open_remote is not None
        return reachable and self._verdict.permission is not Permission.REFUSE and bool(self._gate.used_up)

    @property
    def hint(self) -> str:
        """What the user can do where it is not possible."""
        return self._verdict.hint if self._verdict.permission is Permission.REFUSE else self._gate.way_out

    @property
    def why_not(self) -> str:
        """The reason why it is not possible; empty where it is."""
        if self.possible:
            return ""
        if self._request.choice is Place.LOCAL:
            return "you asked for the local model"
        if self._resources.open_remote is None:
            return "no remote model is configured"
        return self._verdict.reason if self._verdict.permission is Permission.REFUSE else self._gate.used_up

    async def only_consent_is_missing(self) -> bool:
        """Whether the remote model would be there, and only nobody is there to be asked."""
        if self._gate.used_up or self.possible or self._request.choice is Place.LOCAL:
            return False
        if self._resources.open_remote is None:
            return False
        with_a_person = self._judge(can_ask=True)
        if with_a_person.permission is Permission.REFUSE:
            return False
        try:
            await self._resources.open_remote(None)
        except HybridChatError:
            return False
        return True

    def reply(self, reply: Reply) -> None:
        """Take the user's answer to the question that stands; without one, it is not heard."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(reply)

    async def open(self, reason: str, draft: str = "") -> RemoteAnswer:
        """Send the conversation, when all agree, and return the answer as its first piece arrives.

        The local model's ``draft`` goes along where that is set. What the remote model asks about a document is looked
        up by the local one, and goes the same way again.

        Raises ``Blocked`` when data policy or the user says no, ``KeyMissing`` without a key, and whatever the backend
        raises.
        """
        open_remote = self._resources.open_remote
        if open_remote is None:
            raise Blocked(
                "no remote model is configured",
                hint="Name one with --remote-preset, or `hybridchat config set remote.preset huggingface`.",
            )
        if self._verdict.permission is Permission.REFUSE:
            raise Blocked(self._verdict.reason, hint=self._verdict.hint)
        if self._gate.used_up:
            raise Blocked(self._gate.used_up, hint=self._gate.way_out)
        model: str | None = None
        tried = set[str]()
        if self._resources.settings.handover.draft:
            self._preparation.draft = draft
        agreed = self._needs_no_question
        while True:
            backend = await open_remote(model)
            answer = await self._prepare(backend, reason) if agreed else await self._agreed(backend, reason)
            agreed = True  # from here on, nothing more than this leaves: at most another model is asked, or with less
            try:
                await answer.open()
                if self._preparation.may_ask and (asked := self._preparation.questions(await answer.read_ahead())):
                    await answer.close(None)
                    await self._preparation.look_up(asked)
                    agreed = self._needs_no_question  # what was found was not agreed to yet
                    continue
            except ModelMissing as missing:
                unavailable = model or backend.endpoint.model
                tried.add(unavailable)
                model = await self._choose_model(missing, unavailable, tried)
            except ContextOverflow:
                agreed = await self._shrink(backend.endpoint.name) or self._needs_no_question
            else:
                await self._tell_form()
                return answer

    async def close(self) -> None:
        """End a call that was broken off, and what was kept of its answer; changes nothing about one that has ended."""
        if self._answer is not None:
            await self._answer.close(asyncio.CancelledError())
            await self._answer.finish(Status.PARTIAL)

    def _judge(self, *, can_ask: bool) -> Verdict:
        return data_policy.verdict(
            self._policy,
            offline=self._resources.settings.privacy.offline,
            allow_remote=self._request.allow_remote,
            can_ask=can_ask,
            always=self._conversation.remote_agreed,
        )

    @property
    def _policy(self) -> DataPolicy:
        return data_policy.effective(
            call=self._request.data_policy,
            conversation=self._conversation.data_policy,
            folder=None,  # the settings that the engine was given already hold the folder's
            user=self._resources.settings.privacy.data_policy,
        )

    @property
    def _needs_no_question(self) -> bool:
        return self._verdict.permission is Permission.SEND or self._always

    async def _prepare(self, backend: Backend, reason: str, note: str = "") -> RemoteAnswer:
        self._prepared = await self._preparation.prepare(backend, reason, note)
        self._answer = RemoteAnswer(
            backend,
            self._prepared,
            self._path[-1],
            store=self._resources.store,
            recorder=self._recorder,
            emit=self._emit,
            gate=self._gate,
        )
        return self._answer

    async def _agreed(self, backend: Backend, reason: str) -> RemoteAnswer:
        """Return what the user agreed to send, after it was prepared anew as often as the user wanted."""
        note = ""
        while True:
            answer = await self._prepare(backend, reason, note)
            match await self._ask(ConsentRequested(answer.outgoing)):
                case Consent.SEND:
                    return answer
                case Consent.ALWAYS:
                    self._always = True
                    await self._recorder.agree_to_remote(self._conversation.id)
                    return answer
                case Revise() as revise:
                    note = await self._preparation.revise(revise)
                case _:
                    raise Blocked("you chose to stay local")

    async def _choose_model(self, missing: ModelMissing, unavailable: str, tried: set[str]) -> str:
        alternatives = tuple(name for name in missing.alternatives if name not in tried)
        if not alternatives:
            raise missing
        if not self._request.can_ask:
            self.notes.append(f"{unavailable} is not served any more; {alternatives[0]} was asked instead")
            return alternatives[0]
        choice = await self._ask(ModelChoiceRequested(missing.endpoint, unavailable, alternatives))
        if not isinstance(choice, str) or choice not in alternatives:
            raise missing
        return choice

    async def _shrink(self, endpoint: str) -> bool:
        """Send less; return whether that is a part of what was to be sent before, and nothing else."""
        event = await self._preparation.shrink()
        if event is None:
            raise ContextOverflow(
                "the question is longer than the remote model's context window",
                endpoint=endpoint,
                hint="Ask about a part of it, or choose a model with a longer context.",
            )
        if isinstance(event, ContextTrimmed):
            await self._emit(event)
        return isinstance(event, ContextTrimmed)

    async def _tell_form(self) -> None:
        """Tell in which form it went where nobody was shown."""
        assert self._prepared is not None
        if self._prepared.condensed is not None:
            await self._emit(self._prepared.condensed)
        if self._needs_no_question and self._prepared.outgoing.note:
            self.notes.append(self._prepared.outgoing.note)

    async def _ask(self, question: ConsentRequested | ModelChoiceRequested) -> Reply:
        self._reply = asyncio.get_running_loop().create_future()
        await self._emit(question)
        return await self._reply
