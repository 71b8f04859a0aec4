"""Shadow escalations: a share of the kept answers is put to the remote model, too, to measure how many are wrong.

Other signals come from answers that somebody doubted. These are chosen by chance, so that what they show holds for all
kept answers, as far as two answers can be held against each other at all. Off unless the user sets a share.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hybridchat.engine.escalation import Escalation
from hybridchat.engine.recorder import Recorder
from hybridchat.errors import HybridChatError
from hybridchat.routing.agreement import agrees, comparable
from hybridchat.routing.learning import Signal

if TYPE_CHECKING:
    from hybridchat.engine.budget_gate import BudgetGate
    from hybridchat.engine.local_answer import LocalAnswer
    from hybridchat.engine.request import TurnRequest
    from hybridchat.engine.resources import Resources
    from hybridchat.events import Event
    from hybridchat.messages import Conversation, Message

REASON = "a check by chance: to measure how many of the kept answers are wrong"


class Shadows:
    """The checks that run in the background; none of them is shown, and none outlives the program."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, shadow: Shadow) -> None:
        """Let one run."""
        task = asyncio.get_running_loop().create_task(shadow.run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def aclose(self) -> None:
        """End those that run; their calls are settled."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


class Shadow:
    """One kept answer's check, under the same data policy, redaction, ledger and budget as any call.

    Nobody is asked for it: where that would be needed, nothing is sent.
    """

    def __init__(
        self,
        resources: Resources,
        request: TurnRequest,
        conversation: Conversation,
        path: Sequence[Message],
        system: str,
        gate: BudgetGate,
    ) -> None:
        self._resources = resources
        self._gate = gate
        self._local: LocalAnswer | None = None
        self._escalation = Escalation(
            resources,
            replace(request, can_ask=False),
            conversation,
            path,
            system,
            recorder=Recorder(resources.store),
            emit=_unheard,
            gate=gate,
        )

    def is_due(self, local: LocalAnswer) -> bool:
        """Whether ``local`` is one of the share, and may and can be checked."""
        self._local = local
        routing = self._resources.settings.routing
        return (
            routing.shadow > 0
            and routing.learn
            and local.message is not None
            and by_chance(local.message.id) < routing.shadow
            and self._escalation.possible
            and self._gate.budget.ahead == 0
            and comparable(local.text)
        )

    async def run(self) -> None:
        """Ask the remote model and note whether it says the same; a failure is no matter."""
        assert self._local is not None
        assert self._local.message is not None
        try:
            remote = await self._escalation.open(REASON)
            await remote.run()
        except HybridChatError:
            return
        finally:
            await self._escalation.close()
        same = agrees(self._local.text, remote.text)
        if same is not None:
            signal = Signal.CONFIRMED if same else Signal.CONTRADICTED
            await self._resources.experience.signal(self._local.message.id, signal)


def by_chance(message_id: str) -> float:
    """Return a number from 0 to 1 that is spread evenly over messages, and always the same for one."""
    return int.from_bytes(hashlib.sha256(message_id.encode()).digest()[:6]) / 2**48


async def _unheard(_: Event) -> None:
    return
