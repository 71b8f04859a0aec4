"""One turn: who answers, who takes over, and what is told of it.

The turn is a task of its own. It tells what happens through a bounded channel of events, and is told two things:
``answer`` (to a ``ConsentRequested`` or ``ModelChoiceRequested``) and ``cancel``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any

from hybridchat.engine.budget_gate import BudgetGate
from hybridchat.engine.channel import EventChannel
from hybridchat.engine.connection_ahead import ConnectionAhead
from hybridchat.engine.escalation import Escalation
from hybridchat.engine.local_answer import LocalAnswer
from hybridchat.engine.local_prompt import LocalPrompt
from hybridchat.engine.opening import Opening, own_words, turns_since_remote
from hybridchat.engine.recorder import Recorder
from hybridchat.engine.remote_answer import RemoteAnswer
from hybridchat.engine.second_look import SecondLook, worth_looking
from hybridchat.engine.shadow import Shadow
from hybridchat.errors import Blocked, CannotWrite, HybridChatError, Interrupted
from hybridchat.events import Escalated, Event, Failed, Finished, KeptLocal, Opened, Reply, Routed, SetAside
from hybridchat.messages import FinishReason, Place, Role, Status
from hybridchat.routing.policy import Action, Question

if TYPE_CHECKING:
    from hybridchat.engine.request import TurnRequest
    from hybridchat.engine.resources import Resources

_log = logging.getLogger(__name__)


class Turn:
    """An asynchronous iterator of events, of which exactly one ``Finished`` or ``Failed`` is the last."""

    def __init__(self, resources: Resources, request: TurnRequest) -> None:
        self._resources = resources
        self._request = request
        self._channel = EventChannel()
        self._recorder = Recorder(resources.store)
        self._opening = Opening(resources, request, self._recorder, self._channel.put)
        self._connection: ConnectionAhead | None = None
        self._shadow: Shadow | None = None
        self.second_look: SecondLook | None = None  # after a ``Finished`` whose confidence decided little
        if resources.second_look is not None:  # the user goes on: the local model is needed for this
            resources.second_look.stop()
        self._local: LocalAnswer | None = None
        self._streaming: asyncio.Task[None] | None = None
        self._remote: RemoteAnswer | None = None
        self._escalation: Escalation | None = None
        resources.condensing.stop()
        self._work = asyncio.create_task(self._run())
        self._task = asyncio.create_task(self._live())  # never cancelled by us: it tells how the work ended

    def __aiter__(self) -> AsyncIterator[Event]:
        """Yield the turn's events; to be iterated once."""
        return aiter(self._channel)

    def answer(self, reply: Reply) -> None:
        """Reply to the last ``ConsentRequested`` (``Consent`` or ``Revise``) or ``ModelChoiceRequested`` (a model)."""
        if self._escalation is not None:
            self._escalation.reply(reply)

    def cancel(self) -> None:
        """Stop; what was said is kept, and the turn ends with ``Failed`` (code ``interrupted``)."""
        self._work.cancel()

    async def aclose(self) -> None:
        """Stop, and wait until what was said is kept; for whoever reads no more events."""
        self.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self) -> None:
        try:
            await asyncio.wait({self._work})
        except asyncio.CancelledError:  # the event loop is closing
            await _stop(self._work)
            await self._end()
            raise
        last = await self._end()
        if isinstance(last, Finished):
            self._resources.condensing.begin(last.message_id)
            if self._shadow is not None:
                self._resources.shadows.begin(self._shadow)

    async def _end(self) -> Finished | Failed:
        last = await self._last()
        if self._connection is not None:
            await self._connection.stop()
        await self._opening.close()  # before anybody hears of the end, who might go on at once
        self._channel.close(last)
        return last

    async def _last(self) -> Finished | Failed:
        """Describe how the work ended."""
        try:
            return self._work.result()
        except asyncio.CancelledError:
            kept = self._resources.settings.store.save
            hint = "What was said is kept: `hybridchat ask --continue` goes on from it." if kept else ""
            return await self._fail(Interrupted("stopped", hint=hint))
        except HybridChatError as error:
            return await self._fail(error)
        except Exception:  # noqa: BLE001  # whatever happens, the turn must end with an event
            _log.exception("a turn failed unexpectedly")
            hint = "This is a fault of hybridchat itself; what was said is kept."
            return await self._fail(HybridChatError("something went wrong inside hybridchat", hint=hint))

    async def _run(self) -> Finished:
        conversation, path = await self._opening.begin()
        question_message = path[-1]
        system = self._resources.settings.answer.system if self._request.system is None else self._request.system
        gate = BudgetGate(self._resources.spending, self._resources.settings.budget, conversation.id)
        budget = await gate.look()
        escalation = self._escalation = Escalation(
            self._resources,
            self._request,
            conversation,
            path,
            system,
            recorder=self._recorder,
            emit=self._channel.put,
            gate=gate,
        )
        await self._resources.local_context.load(conversation.id)
        prompt = LocalPrompt(self._resources, path, system, emit=self._channel.put)
        question = Question(
            text=own_words(path),
            choice=self._request.choice,
            can_escalate=escalation.possible,
            why_not=escalation.why_not,
            fits_local=prompt.fits,
            min_confidence=self._min_confidence,
            earlier_turns=sum(message.role is Role.USER for message in path) - 1,
            turns_since_remote=turns_since_remote(path),
            ahead=budget.ahead,
        )
        decision = self._resources.policy.pre(question)
        place = Place.REMOTE if decision.action is Action.REMOTE else Place.LOCAL
        await self._channel.put(
            Routed(
                conversation.id,
                question_message.id,
                place,
                decision.reason,
                can_escalate=place is Place.LOCAL and escalation.possible,
            )
        )
        if place is Place.REMOTE:
            return await self._answer_remotely(await escalation.open(decision.reason))
        self._connection = ConnectionAhead(self._resources.connect_ahead if escalation.needs_no_yes else None)
        self._local = LocalAnswer(
            self._resources.local,
            question_message,
            partial(self._resources.experience.watch, question),
            decision.reason,
            recorder=self._recorder,
            emit=self._channel.put,
            on_doubt=self._connection.open,
        )
        finished = await self._answer_locally(self._local, prompt)
        if self._remote is None and self._request.choice is None:
            shadow = Shadow(self._resources, self._request, conversation, path, system, gate)
            self._shadow = shadow if shadow.is_due(self._local) else None
        return finished

    async def _answer_locally(self, local: LocalAnswer, prompt: LocalPrompt) -> Finished:
        assert self._escalation is not None
        streaming = self._streaming = asyncio.create_task(prompt.stream(local))
        waiting: set[asyncio.Future[Any]] = {streaming, local.doubt}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        wish = self._why_escalate(local, streaming)
        if wish and self._escalation.possible:
            try:
                remote = await self._escalation.open(wish, local.text)
            except HybridChatError as refusal:
                message_id = local.message.id if local.message else None
                outcome = "the local answer stands" if local.message else "the remote model does not answer either"
                reason = f"{outcome}: {refusal.message}"
                await self._channel.put(KeptLocal(message_id, reason, refusal.code, refusal.hint))
            else:
                await _stop(streaming)
                return await self._answer_remotely(remote, in_place_of=local, because=wish)
        await local.show()
        failure = streaming.exception() if streaming.done() else None
        escalation = self._escalation
        if isinstance(failure, HybridChatError) and (
            escalation.only_the_budget_is_missing or await escalation.only_consent_is_missing()
        ):
            raise Blocked(
                f"{failure.message}; the remote model was not asked: {escalation.why_not}",
                hint=escalation.hint,
            ) from failure
        await streaming
        await local.finish(Status.COMPLETE)
        assert local.message is not None
        await self._resources.experience.judged(local.message, local.model, local.decision, kept=True)
        self.second_look = self._resources.second_look = worth_looking(self._resources, local)
        return self._finished(local.message.id, local)

    @staticmethod
    def _why_escalate(local: LocalAnswer, streaming: asyncio.Task[None]) -> str:
        """Return the reason for bringing in the remote model, or nothing."""
        failure = streaming.exception() if streaming.done() else None
        if isinstance(failure, HybridChatError):
            return f"the local model cannot answer: {failure.message}"
        return local.doubt.result().reason if local.doubt.done() else ""

    async def _answer_remotely(
        self, remote: RemoteAnswer, *, in_place_of: LocalAnswer | None = None, because: str = ""
    ) -> Finished:
        message = await remote.begin()
        provenance, local = remote.provenance, in_place_of
        if local is None:
            self._remote = remote
            await self._channel.put(Opened(message.id, Place.REMOTE, provenance.endpoint, provenance.model))
        else:
            if local.message is not None:
                confidence = local.doubt.result().confidence if local.doubt.done() else None
                await self._channel.put(SetAside(local.message.id, local.tokens_shown, confidence, because))
            self._remote = remote  # only once it is told: until then, the local answer is what a stopped turn leaves
            await self._channel.put(
                Escalated(
                    message.id,
                    local.message.id if local.message else None,
                    provenance.endpoint,
                    provenance.model,
                    provenance.reason,
                    remote.outgoing.redactions,
                )
            )
            await local.finish(Status.SET_ASIDE, because)
            if local.message is not None and local.ended is not None:
                await self._resources.experience.judged(local.message, local.model, local.decision, kept=False)
        await remote.run()
        await remote.finish(Status.COMPLETE)
        return self._finished(message.id, remote)

    def _finished(self, message_id: str, answer: LocalAnswer | RemoteAnswer) -> Finished:
        provenance, notes, exit_code = answer.provenance, [], 0
        if provenance.finish_reason is FinishReason.LENGTH:
            notes.append("the answer was cut off at its length limit (setting answer.max_tokens, or the window)")
        least, confidence = self._min_confidence, provenance.confidence
        if least is not None and provenance.place is Place.LOCAL and (confidence is None or confidence.value < least):
            sure = "of unknown confidence" if confidence is None else f"{confidence.value:.0%}"
            notes.append(f"unsure: {sure}, below the {least:.0%} asked for")
            exit_code = 10
        assert self._escalation is not None
        notes += self._escalation.notes
        if self._recorder.problem is not None:
            notes.append(f"this turn is not saved: {self._recorder.problem.message}")
            exit_code = CannotWrite.exit_code
        return Finished(message_id, answer.text, Status.COMPLETE, provenance, tuple(notes), exit_code)

    async def _fail(self, error: HybridChatError) -> Failed:
        """End everything that runs, keep what was said, and describe the failure."""
        if self._streaming is not None:
            await _stop(self._streaming)
        if self._escalation is not None:
            await self._escalation.close()
        if self._local is not None:  # after the remote answer, so that the conversation stands on the one that counts
            await self._local.finish(Status.SET_ASIDE if self._remote else Status.PARTIAL)
        answer: LocalAnswer | RemoteAnswer | None = self._remote or self._local
        message = answer.message if answer else None
        return Failed(
            error.code,
            error.message,
            error.hint,
            error.exit_code,
            message.id if message else None,
            answer.text if answer else "",
        )

    @property
    def _min_confidence(self) -> float | None:
        asked = self._request.min_confidence
        return self._resources.settings.routing.min_confidence if asked is None else asked


async def _stop(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
