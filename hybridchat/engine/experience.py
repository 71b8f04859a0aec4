"""What was made of local answers so far: kept in the store, learned from by the policy."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hybridchat.errors import HybridChatError
from hybridchat.messages import Message, Place, Role
from hybridchat.routing.history import HistorySummary, summarised
from hybridchat.routing.learning import NOTHING, STALE, Label, Learned, Signal
from hybridchat.routing.policy import Decision, LocalModel, Policy, Question, Watch
from hybridchat.store.judgements import Judgement

if TYPE_CHECKING:
    from hybridchat.store.database import Store

T = TypeVar("T")

_SIGNALS = frozenset(signal.value for signal in Signal)


class Experience:
    """Judgements of local answers and the signals about them; nothing of it may ever stop a turn.

    ``learns`` false keeps nothing and learns nothing.
    """

    def __init__(self, store: Store, policy: Policy, *, learns: bool) -> None:
        self._judgements = store.judgements
        self._policy = policy
        self._learns = learns

    async def watch(self, question: Question, model: LocalModel) -> Watch:
        """Return what follows the answer of ``model``, in the light of what was learned about it."""
        return self._policy.watch(replace(question, model=model, learned=await self.learned(model)))

    async def learned(self, model: LocalModel) -> Learned:
        """Return what was learned about exactly this version of ``model``; ``STALE`` where all of it is of others."""
        if not self._learns:
            return NOTHING
        labels, others = await self._labels(model.name, self._policy.scored_by(model))
        return self._policy.feedback(labels) if labels or not others else STALE

    async def judged(self, message: Message, model: LocalModel, decision: Decision | None, *, kept: bool) -> None:
        """Keep how sure the policy was of a finished answer."""
        if self._learns and decision is not None and decision.score is not None:
            judgement = Judgement(model.name, self._policy.scored_by(model), decision.score, kept)
            await _tried(self._judgements.add(message.id, judgement), None)

    async def signal(self, message_id: str, signal: Signal | None) -> bool:
        """Note what the user made of an answer, None to take it back; return whether anything is learned from it.

        Nothing is from the remote model's answers, from those that were not finished, and from what a stronger signal
        was given about already.
        """
        replacing = None if signal is None else signal.replaces
        return self._learns and await _tried(self._judgements.signal(message_id, signal, replacing), otherwise=False)

    async def answered_again(self, answers: Sequence[Message], choice: Place | None) -> None:
        """Note that the user wanted another answer beside ``answers``, which speaks against the last local one."""
        local = [message for message in answers if _is_local(message)]
        if local:
            await self.signal(local[-1].id, Signal.ESCALATED if choice is Place.REMOTE else Signal.REGENERATED)

    async def went_on(self, path: Sequence[Message]) -> None:
        """Note that the user goes on below ``path``, which speaks a little for the answer at its end."""
        if path and _is_local(path[-1]):
            await self.signal(path[-1].id, Signal.QUIET)

    async def summaries(self) -> list[HistorySummary]:
        """Return what was learned about each model, of the version that was judged last."""
        found = []
        for name in await self._judgements.models():
            signalled = await self._judgements.signalled(name)
            newest = signalled[-1].scored_by if signalled else ""
            labels, others = _split(signalled, newest)
            found.append(summarised(name, labels, others))
        return found

    async def _labels(self, name: str, scored_by: str) -> tuple[list[Label], int]:
        return _split(await _tried(self._judgements.signalled(name), []), scored_by)


def _split(judgements: Sequence[Judgement], scored_by: str) -> tuple[list[Label], int]:
    """Return the labels of one version, and how many there are of others; what is no signal of ours is passed over."""
    known = [one for one in judgements if one.signal in _SIGNALS]
    own = [one for one in known if one.scored_by == scored_by]
    return [Label(one.score, Signal(one.signal), one.kept) for one in own if one.signal], len(known) - len(own)


def _is_local(message: Message) -> bool:
    source = message.provenance
    return message.role is Role.ASSISTANT and source is not None and source.place is Place.LOCAL


async def _tried(work: Awaitable[T], otherwise: T) -> T:
    try:
        return await work
    except HybridChatError:
        return otherwise
