"""What can be done about what the models are given, what would leave, what it may cost, and how good it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from hybridchat import phrases
from hybridchat.errors import HybridChatError
from hybridchat.messages import Place
from hybridchat.tui.answer_actions import AnswerActions
from hybridchat.tui.consent import ConsentDialog
from hybridchat.tui.dialogs import TextDialog
from hybridchat.tui.turn_view import condensed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybridchat.messages import Spent
    from hybridchat.routing.budget import Allowance


class ContextActions(AnswerActions):
    """Actions on the open conversation as a whole, and judgements of its answers."""

    @work(group="look")
    async def action_condense(self) -> None:
        """Let a summary stand for the older turns in what the local model is given."""
        if (conversation := self._shortenable()) is not None:
            self.tell("the local model writes a summary of the older turns …")
            try:
                self.tell(condensed(await self.assistant.condense(conversation)))
            except HybridChatError as error:
                self.complain(error)
            self.show_window()

    @work(group="look")
    async def action_trim(self, number: str = "") -> None:
        """Leave the oldest turn, or ``number`` of them, out of what the local model is given."""
        if (conversation := self._shortenable()) is not None:
            turns = int(number) if number.isdecimal() else 1
            try:
                event = await self.assistant.trim(conversation, turns)
            except HybridChatError as error:
                self.complain(error)
            else:
                left_out = phrases.counted(event.turns, "turn")
                self.tell(f"the local model is not given the oldest {left_out} any more; /undo takes that back")
            self.show_window()

    @work(group="look")
    async def action_undo(self) -> None:
        """Take back the last ``condense`` or ``trim``."""
        if (conversation := self._shortenable()) is not None:
            undone = await self.assistant.undo_shortening(conversation)
            self.tell("the local model is given those turns again" if undone else "nothing was condensed or trimmed")
            self.show_window()

    @work(group="look")
    async def action_preview(self) -> None:
        """Show what would leave for what is written, or for the last question; nothing is sent."""
        if not self.is_ready:
            return
        text = self.composer.text.strip()
        request = self.conversation.ask(text, choice=Place.REMOTE) if text else None
        request = request or self.conversation.ask_again(Place.REMOTE)
        if request is None:
            self.tell("there is no question yet")
            return
        try:
            shown = await self.assistant.preview(request)
        except HybridChatError as error:
            self.complain(error)
            return
        await self.app.push_screen_wait(ConsentDialog(shown.outgoing))

    @work(group="look")
    async def action_budget(self) -> None:
        """Show what may be spent on the remote model, and what was."""
        if not self.is_ready:
            return
        try:
            budget = await self.assistant.budget(self.conversation.id)
        except HybridChatError as error:
            self.complain(error)
            return
        lines = [
            f"This month: {_spent(budget.month, budget.of_month)}",
            f"This conversation: {_spent(budget.conversation, budget.of_conversation)}",
        ]
        if not budget.is_set:
            lines += ["", "No limit is set: hybridchat config set budget.month_dollars 5"]
        self.app.push_screen(TextDialog("Spent on the remote model", "\n".join(lines)))

    @work(group="look")
    async def action_kept(self) -> None:
        """Show how much never left the machine."""
        if not self.is_ready:
            return
        try:
            self.tell(await self.assistant.never_left())
        except HybridChatError as error:
            self.complain(error)

    async def action_good(self) -> None:
        """Keep that the last answer is good."""
        await self._judge(good=True)

    async def action_bad(self) -> None:
        """Keep that the last answer is bad."""
        await self._judge(good=False)

    async def _judge(self, *, good: bool) -> None:
        answer = self.conversation.last_answer if self.is_ready else None
        if answer is None or self.is_busy:
            self.tell("an answer is under way" if self.is_busy else "there is no answer yet")
            return
        try:
            learned = await self.assistant.feedback(answer.id, good=good)
        except HybridChatError as error:
            self.complain(error)
            return
        said = f"noted: {'good' if good else 'bad'}"
        self.tell(f"{said}, and learned from" if learned else f"{said}; only finished local answers are learned from")

    def _shortenable(self) -> str | None:
        if self.is_busy or not self.is_ready or self.conversation.id is None:
            self.tell("an answer is under way: stop it first" if self.is_busy else "there is no question yet")
            return None
        return self.conversation.id


def _spent(spent: Spent, limits: Sequence[Allowance]) -> str:
    money = "unknown cost" if spent.dollars is None else phrases.money(spent.dollars)
    against = f" (limits: {', '.join(map(str, limits))})" if limits else ""
    return f"{phrases.counted(spent.calls, 'call')}, {money}{against}"
