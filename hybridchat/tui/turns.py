"""The part of the chat screen that runs turns: prompts in, events shown, questions answered, one turn at a time."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from textual import on, work
from textual.worker import Worker, WorkerError

from hybridchat.errors import HybridChatError, InputError, InputMissing
from hybridchat.events import (
    Failed,
    Finished,
    Routed,
)
from hybridchat.handover.mentions import attached
from hybridchat.messages import GO_ON, Place
from hybridchat.text import one_line
from hybridchat.tui.completion import slash_command
from hybridchat.tui.composer import Composer
from hybridchat.tui.conversation_screen import ConversationScreen
from hybridchat.tui.keys import Action
from hybridchat.tui.provenance import Question
from hybridchat.tui.status import Work
from hybridchat.tui.turn_questions import TurnQuestions, look_again
from hybridchat.tui.turn_view import TurnView

if TYPE_CHECKING:
    from pathlib import Path

    from hybridchat.assistant import Assistant
    from hybridchat.engine import Turn, TurnRequest
    from hybridchat.engine.second_look import SecondLook
    from hybridchat.messages import Conversation


class TurnScreen(ConversationScreen):
    """Prompts written before the assistant is there, or while it answers, wait."""

    def __init__(self, *, folder: Path | None = None) -> None:
        super().__init__(folder=folder)
        self._turn: Turn | None = None
        self._worker: Worker[None] | None = None
        self._busy = False
        self._queue: deque[str] = deque()
        self._questions: TurnQuestions | None = None

    async def start_with(self, assistant: Assistant, conversation: Conversation | None = None) -> None:
        """Take the assistant, open ``conversation``, and send what was written meanwhile."""
        await super().start_with(assistant, conversation)
        self._send_next()

    @property
    def is_busy(self) -> bool:
        """Whether a turn runs."""
        return self._busy

    @property
    def queued(self) -> tuple[str, ...]:
        """Prompts that wait for their turn."""
        return tuple(self._queue)

    @on(Composer.Sent)
    async def take_prompt(self, event: Composer.Sent) -> None:
        """Do what was typed: a slash command at once, a prompt as soon as it is its turn."""
        event.stop()
        try:
            if command := slash_command(event.text):
                await self.do(*command)
                return
            if self.composer.editing is not None and self._busy:
                raise InputError("an answer is under way", hint="Stop it before the edited question is sent.")
            prompt = attached(event.text, self.folder, event.written)
        except HybridChatError as error:
            self.complain(error)
            self.composer.give_back(event.written)
            return
        if (edited := self.composer.leave_edit()) is not None:
            await self._branch_off(prompt, edited)
            return
        self._queue.append(prompt)
        self._send_next()

    async def do(self, action: Action, argument: str) -> None:
        """Do what a slash command asks for; the whole screen knows how."""
        raise NotImplementedError

    def begin(self, request: TurnRequest, question: str | None = None) -> None:
        """Run a turn; ``question`` is shown, None where it is already there."""
        self._busy = True
        self._worker = self.run_worker(self._run(request, question), group="turn")

    def action_stop(self) -> None:
        """Stop the answer; what was said is kept, and what waited for its turn is written again."""
        if self._turn is not None:
            self._turn.cancel()
        elif self.composer.leave_edit() is not None:
            self._rest()
        else:
            self.composer.focus()

    async def close_turn(self) -> None:
        """Stop the answer and wait until it is kept: before leaving."""
        if self._turn is not None:
            await self._turn.aclose()
        if self._worker is not None:
            with suppress(WorkerError):
                await self._worker.wait()
        if self._unsent is not None:
            await self._unsent.keep()

    async def _branch_off(self, prompt: str, edited: str) -> None:
        """Send another version of an earlier question: what followed it goes from the screen, not from the store."""
        request = self.conversation.ask(prompt, edit_of=edited)
        before = self.conversation.branches.get(edited)
        self.conversation.branches.head_id = before.parent_id if before else None
        await self.redraw()
        self.begin(request, prompt)

    def _send_next(self) -> None:
        if self._queue and self.is_ready and not self._busy:
            prompt = self._queue.popleft()
            self.begin(self.conversation.ask(prompt), prompt)
        self._show_queue()

    def _show_queue(self) -> None:
        self.keep_soon()
        self.waiting.display = bool(self._queue)
        self.waiting.update("\n".join(f"waits: {one_line(prompt, 70)}" for prompt in self._queue))

    async def _run(self, request: TurnRequest, question: str | None) -> None:
        settings, place = self.assistant.settings, request.choice or Place.LOCAL
        model = settings.local.model if place is Place.LOCAL else settings.remote.model or "the remote model"
        work = Work(model, place)
        self.status.begin(work)
        goes_on = self._goes_on(request)
        view = TurnView(self.transcript, work, Question(question) if question is not None else None, goes_on=goes_on)
        routed: Routed | None = None
        try:
            await view.begin()
            turn = self._turn = self.assistant.turn(request)
            questions = self._questions = TurnQuestions(self.app, turn, self.composer.type_in)
            async for event in turn:
                await view.show(event)
                match event:
                    case Routed():
                        routed = event
                    case Finished() | Failed():
                        await self.attempt(partial(self._end, routed, event))
                    case _:
                        questions.consider(event)
        finally:
            self._turn = None
            self._busy = False
            self.status.end()
        if turn.second_look is not None and not self._queue:
            self._look_again(turn.second_look)
        self._send_next()

    @work(group="second-look", exclusive=True)
    async def _look_again(self, looks: SecondLook) -> None:
        await look_again(self, looks)

    def _goes_on(self, request: TurnRequest) -> bool:
        answered = self.conversation.branches.get(request.answer_to or "")
        return request.text == GO_ON if answered is None else answered.goes_on

    async def _end(self, routed: Routed | None, last: Finished | Failed) -> None:
        if self._questions is not None:
            self._questions.withdraw()
        if isinstance(last, Failed) and last.code == "interrupted" and self._queue:
            self.composer.give_back("\n".join(self._queue))
            self._queue.clear()
        self._rest()
        if routed is not None:
            with suppress(InputMissing):  # what could not be saved is not there, which the turn itself has told
                await self.conversation.take_in(routed.conversation_id, routed.user_message_id, last.message_id)
            self.show_window()
            self._rest()

    def _rest(self) -> None:
        assert self._resting is not None
        exchange = self.conversation.last
        self._resting.learn(exchange.answers if exchange and self._worker is not None else ())
