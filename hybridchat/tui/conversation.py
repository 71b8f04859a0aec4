"""The conversation that is open, and the requests that can be made of it. No widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridchat.messages import GO_ON, Conversation, Message, Place, Status
from hybridchat.tui.branches import Branches

if TYPE_CHECKING:
    from hybridchat.assistant import Assistant, WindowUse
    from hybridchat.engine import TurnRequest
    from hybridchat.tui.branches import Exchange


class OpenConversation:
    """A conversation and the branch of it that the user stands on; ``id`` is None before the first question."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.id: str | None = None
        self.title = ""
        self.branches = Branches()

    async def open(self, conversation: Conversation) -> None:
        """Open another one."""
        messages = await self._assistant.tree(conversation.id)
        self.id, self.title = conversation.id, conversation.title
        self.branches = Branches(messages, conversation.head_id)

    def close(self) -> None:
        """Begin a new one with the next question."""
        self.id, self.title, self.branches = None, "", Branches()

    async def take_in(self, conversation_id: str, user_message_id: str, answer_id: str | None) -> None:
        """Take in what a turn has added; ``answer_id`` is its answer, None if there is none."""
        if conversation_id != self.id:
            await self.open(await self._assistant.conversation(conversation_id))
            return
        self.branches.add(await self._assistant.message(user_message_id))
        for answer in await self._assistant.answers(user_message_id):
            self.branches.add(answer)
        self.branches.head_id = answer_id or user_message_id

    async def stand_on(self, message_id: str) -> None:
        """Go over to the branch that ends in a message."""
        assert self.id is not None
        await self._assistant.stand_on(self.id, message_id)
        self.branches.head_id = message_id

    async def rename(self, title: str) -> None:
        """Give it another title."""
        assert self.id is not None
        self.title = (await self._assistant.rename(self.id, title)).title

    @property
    def last(self) -> Exchange | None:
        """The last exchange of the branch."""
        return next(self.branches.from_the_end(), None)

    @property
    def last_answered(self) -> Exchange | None:
        """The last exchange that has an answer to show."""
        return next((exchange for exchange in self.branches.from_the_end() if exchange.shown is not None), None)

    @property
    def last_answer(self) -> Message | None:
        """The last answer that is shown."""
        return self.last_answered.shown if self.last_answered is not None else None

    @property
    def window_use(self) -> WindowUse:
        """How full the local model's window is."""
        return self._assistant.window_use(self.branches.path())

    def ask(self, text: str, *, edit_of: str | None = None, choice: Place | None = None) -> TurnRequest:
        """Return the request for a new question, or for another version of the question ``edit_of``."""
        return self._request(text, edit_of=edit_of, choice=choice)

    def ask_alone(self, text: str) -> TurnRequest:
        """Return the request for a question of which the remote model is sent nothing but the text itself."""
        return self._request(text, choice=Place.REMOTE, alone=True)

    def ask_again(self, choice: Place | None) -> TurnRequest | None:
        """Return the request for another answer to the last question; None where there is none."""
        return self._request("", choice=choice, answer_to=self.last.question.id) if self.last else None

    def go_on(self, choice: Place | None) -> TurnRequest | None:
        """Return the request to continue the last answer, from its beginning if it has none yet; None if it ended."""
        stopped = self.last.shown if self.last else None
        if stopped is None or not (stopped.content.strip() or stopped.status is Status.COMPLETE):
            return self.ask_again(choice)
        return self._request(GO_ON, choice=choice) if stopped.status is Status.PARTIAL else None

    def _request(
        self,
        text: str,
        *,
        choice: Place | None = None,
        answer_to: str | None = None,
        edit_of: str | None = None,
        alone: bool = False,
    ) -> TurnRequest:
        from hybridchat.engine import TurnRequest  # noqa: PLC0415 -- the first frame needs no engine

        return TurnRequest(
            text,
            conversation_id=self.id,
            parent_id=self.branches.head_id,
            answer_to=answer_to,
            edit_of=edit_of,
            choice=choice,
            can_ask=True,
            selection=text if alone else None,
            with_question=not alone,
        )
