"""The part of the chat screen that runs turns: prompts in, events shown, questions answered, one turn at a time."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import getters, on, work
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerError

from hybridchat.errors import HybridChatError, InputError, InputMissing
from hybridchat.events import (
    Failed,
    Finished,
    Routed,
)
from hybridchat.messages import GO_ON, Place, Provenance
from hybridchat.text import one_line
from hybridchat.tui.attachments import attached
from hybridchat.tui.completion import CompletionList, slash_command
from hybridchat.tui.composer import Composer
from hybridchat.tui.conversation import OpenConversation
from hybridchat.tui.keys import Action
from hybridchat.tui.provenance import Question
from hybridchat.tui.status import StatusLine, Work, at_rest
from hybridchat.tui.transcript import Transcript
from hybridchat.tui.turn_questions import TurnQuestions, look_again
from hybridchat.tui.turn_view import TurnView, stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult
    from textual.widget import Widget

    from hybridchat.assistant import Assistant
    from hybridchat.engine import Turn, TurnRequest
    from hybridchat.engine.second_look import SecondLook
    from hybridchat.messages import Conversation

_FIRST_SHOWN = 20  # turns that are drawn when a conversation is opened; the others come with "load earlier"


class TurnScreen(Screen[None]):
    """Transcript above, composer below. Prompts written before the assistant is there, or while it answers, wait."""

    transcript = getters.query_one(Transcript)
    composer = getters.query_one(Composer)
    status = getters.query_one(StatusLine)
    waiting = getters.query_one("#waiting", Static)

    def __init__(self, *, folder: Path | None = None) -> None:
        super().__init__()
        self.folder = folder or Path.cwd()
        self._assistant: Assistant | None = None
        self._conversation: OpenConversation | None = None
        self._turn: Turn | None = None
        self._worker: Worker[None] | None = None
        self._warm: Provenance | None = None
        self._warned = False
        self._busy = False
        self._queue: deque[str] = deque()
        self._questions: TurnQuestions | None = None

    def compose(self) -> ComposeResult:
        """Yield the parts from top to bottom."""
        yield Transcript()
        yield Static("", id="waiting", markup=False)
        yield CompletionList()
        yield Composer()
        yield StatusLine()
        yield Static("", id="too-small", markup=False)

    def on_mount(self) -> None:
        """Begin where the user writes."""
        self.composer.focus()

    @property
    def assistant(self) -> Assistant:
        """The assistant, once it is there."""
        assert self._assistant is not None
        return self._assistant

    @property
    def conversation(self) -> OpenConversation:
        """The open conversation, once the assistant is there."""
        assert self._conversation is not None
        return self._conversation

    @property
    def is_ready(self) -> bool:
        """Whether the assistant is there."""
        return self._assistant is not None

    @property
    def is_busy(self) -> bool:
        """Whether a turn runs."""
        return self._busy

    @property
    def queued(self) -> tuple[str, ...]:
        """Prompts that wait for their turn."""
        return tuple(self._queue)

    async def start_with(self, assistant: Assistant, conversation: Conversation | None = None) -> None:
        """Take the assistant, open ``conversation``, and send what was written meanwhile."""
        self._assistant = assistant
        self._conversation = OpenConversation(assistant)
        self._rest()
        if conversation is not None:
            await self.show(conversation)
        self._send_next()

    async def show(self, conversation: Conversation) -> None:
        """Open ``conversation`` where the user last stood in it."""
        self.composer.leave_edit()
        await self.conversation.open(conversation)
        await self.redraw()

    async def redraw(self) -> None:
        """Draw the open conversation's branch anew."""
        exchanges = self.conversation.branches.exchanges()

        async def load(first: int, last: int) -> list[list[Widget]]:
            return [stored(exchange) for exchange in exchanges[first:last]]

        shown = max(0, len(exchanges) - _FIRST_SHOWN)
        old = self.transcript
        new = Transcript(load, earlier=shown)
        with self.app.batch_update():
            await old.remove()
            await self.mount(new, before=self.waiting)
            for exchange in exchanges[shown:]:
                await new.begin_turn(*stored(exchange))
        self.composer.prompts.replace(one.question.content for one in exchanges if not one.question.goes_on)
        self.show_window()

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
            prompt = attached(event.text, self.folder)
        except HybridChatError as error:
            self.complain(error)
            self.composer.give_back(event.text)
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

    def complain(self, error: HybridChatError | Failed) -> None:
        """Tell an error, and what to do."""
        self.app.notify(f"{error.message}\n{error.hint}".strip(), severity="error", markup=False, timeout=10)

    def tell(self, text: str) -> None:
        """Tell something in passing."""
        self.app.notify(text, markup=False)

    async def attempt(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Do ``work``; tell its error instead of raising it. Return whether it went well."""
        try:
            await work()
        except HybridChatError as error:
            self.complain(error)
            return False
        return True

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
        self.waiting.display = bool(self._queue)
        self.waiting.update("\n".join(f"waits: {one_line(prompt, 70)}" for prompt in self._queue))

    async def _run(self, request: TurnRequest, question: str | None) -> None:
        work = Work(self.assistant.settings.local.model, request.choice or Place.LOCAL)
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

    def show_window(self) -> None:
        """Tell how full the local model's window is, and warn before it overflows."""
        use = self.conversation.window_use
        self.status.show_window(use)
        if use.is_nearly_full and not self._warned:
            self.tell(
                f"the conversation takes {use.share:.0%} of what the local model can read; beyond, the oldest turns "
                "are left out. /condense lets a summary stand for them, /trim leaves them out, /escalate brings in the "
                "remote model."
            )
        self._warned = use.is_nearly_full

    def _rest(self) -> None:
        exchange = self.conversation.last
        answers = (answer.provenance for answer in reversed(exchange.answers if exchange else ()))
        local = next((source for source in answers if source is not None and source.place is Place.LOCAL), None)
        if self._worker is not None and local is not None:  # before the first turn, nothing is known to be loaded
            self._warm = local
        self.status.rest(at_rest(self.assistant.settings.local.model, self._warm))
