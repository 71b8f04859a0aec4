"""Asks the remote model graded questions by ordinary turns: data policy, redaction, consent, budget, ledger and all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hybridchat.assistant import Assistant
from hybridchat.engine import TurnRequest
from hybridchat.errors import HybridChatError
from hybridchat.evaluation.grading import grade
from hybridchat.evaluation.items import Item
from hybridchat.evaluation.traces import RemoteTrace
from hybridchat.events import Consent, ConsentRequested, Failed, Finished, ModelChoiceRequested, Outgoing, Reply, Routed
from hybridchat.messages import FinishReason, Place

AskConsent = Callable[[Outgoing], Awaitable[Reply]]


class RemoteTurns:
    """Asks one question after the other, each in a conversation of its own that is not kept; the ledger is.

    ``consent`` asks the user; who answers "always" is not asked again. None: there is nobody to ask.
    """

    def __init__(self, assistant: Assistant, *, allow_remote: bool = False, consent: AskConsent | None = None) -> None:
        self._assistant = assistant
        self._allow = allow_remote
        self._consent = consent

    async def ask(self, item: Item) -> RemoteTrace:
        """Return the remote model's answer; raises ``Failure`` where there is none."""
        turn = self._assistant.turn(
            TurnRequest(
                item.question,
                choice=Place.REMOTE,
                allow_remote=self._allow,
                can_ask=self._consent is not None,
            )
        )
        conversation_id = None
        try:
            async for event in turn:
                match event:
                    case Routed():
                        conversation_id = event.conversation_id
                    case ConsentRequested(outgoing=outgoing):
                        turn.answer(await self._asked(outgoing))
                    case ModelChoiceRequested():
                        turn.answer(None)
                    case Finished():
                        return _trace(item, event)
                    case Failed():
                        raise Failure(event)
        finally:
            await turn.aclose()
            if conversation_id is not None:
                await self._assistant.delete(conversation_id)
        raise RuntimeError("a turn ended without saying how")

    async def _asked(self, outgoing: Outgoing) -> Reply:
        if self._consent is None:
            return Consent.STAY_LOCAL
        said = await self._consent(outgoing)
        self._allow = self._allow or said is Consent.ALWAYS
        return said


def _trace(item: Item, event: Finished) -> RemoteTrace:
    source = event.provenance
    finish = source.finish_reason or FinishReason.STOP
    right = grade(item, event.text, finish)
    return RemoteTrace(source.model, event.text, finish, round(source.seconds or 0.0, 3), right, source.cost)


class Failure(HybridChatError):
    """What ended a turn, with the code and exit code of its cause."""

    def __init__(self, event: Failed) -> None:
        super().__init__(event.message, hint=event.hint)
        self._code = event.code
        self.exit_code = event.exit_code

    @property
    def code(self) -> str:
        """The stable name of the cause."""
        return self._code
