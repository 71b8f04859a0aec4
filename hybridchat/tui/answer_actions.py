"""What can be done about an answer: ask again, go on, look into it, copy it, go to its siblings."""

from __future__ import annotations

from textual import work
from textual.css.query import NoMatches

from hybridchat import phrases
from hybridchat.messages import Message, Place, Role
from hybridchat.text import one_line
from hybridchat.tui import confidence_map
from hybridchat.tui.answer import Answer
from hybridchat.tui.clipboard import copy
from hybridchat.tui.comparison import ComparisonDialog
from hybridchat.tui.dialogs import ChoiceDialog, TextDialog
from hybridchat.tui.explanation import explanation
from hybridchat.tui.provenance import Fold, Question
from hybridchat.tui.segments import Segment
from hybridchat.tui.turn_view import answer_id
from hybridchat.tui.turns import TurnScreen


class AnswerActions(TurnScreen):
    """Actions on the last answer, by key and by slash command."""

    def action_escalate(self) -> None:
        """Let the remote model answer the last question, too, or look at what is selected of the conversation."""
        if not self._can_begin():
            return
        selected = self.get_selected_text()
        if not self.assistant.has_remote:
            self.tell("no remote model is configured (hybridchat config set remote.preset huggingface)")
        elif selected and selected.strip():
            self.clear_selection()
            quoted = "\n".join(f"> {line}" for line in selected.strip().splitlines())
            question = f"Check this part, and answer it better:\n\n{quoted}"
            self.begin(self.conversation.ask_alone(question), question)
        else:
            self._ask_again(Place.REMOTE)

    def action_retry(self) -> None:
        """Answer the last question again."""
        if self._can_begin():
            self._ask_again(None)

    def action_continue(self, where: str = "") -> None:
        """Go on with an answer that was stopped."""
        if not self._can_begin():
            return
        request = self.conversation.go_on(Place.REMOTE if where.startswith("r") else None)
        if request is None:
            self.tell("the last answer was not stopped: there is nothing to go on with")
        else:
            self.begin(request)

    def action_edit(self, number: str = "") -> None:
        """Take the last question, or question ``number`` (from 1), back into the composer."""
        exchanges = self.conversation.branches.questions() if self.is_ready else []
        place = int(number) - 1 if number.isdecimal() else len(exchanges) - 1
        if self.is_busy or not 0 <= place < len(exchanges):
            self.tell("an answer is under way: stop it first" if self.is_busy else "there is no such question")
        else:
            self._edit(exchanges[place].question)

    def on_question_edit_wanted(self, event: Question.EditWanted) -> None:
        """Take that question back into the composer."""
        event.stop()
        message = self.conversation.branches.get(event.message_id)
        if message is not None and not self.is_busy:
            self._edit(message)

    def action_why(self) -> None:
        """Show why this model answered."""
        exchange = self.conversation.last_answered if self.is_ready else None
        source = exchange.shown.provenance if exchange is not None and exchange.shown is not None else None
        if exchange is None or source is None:
            self.tell("there is no answer yet")
            return
        answers = [answer.provenance for answer in exchange.answers if answer.provenance is not None]
        local = [one for one in [*answers, source] if one.place is Place.LOCAL]
        self.app.push_screen(TextDialog("Why this answer", explanation(source, local[-1] if local else None)))

    @work(group="look")
    async def action_confidence(self, how: str = "") -> None:
        """Mark what the local model was unsure of in the last answer that has its probabilities, or stop it.

        ``how`` "raw" shows that answer as it was written, and not as it is drawn.
        """
        exchange = self.conversation.last if self.is_ready else None
        for message in reversed(exchange.answers if exchange else ()):
            widget = self._widget_of(message)
            if widget is not None and (tokens := await self.assistant.logprobs(message.id)):
                was_folded = any(fold.reveal(widget) for fold in self.query(Fold))
                if not confidence_map.is_shown(widget):
                    await confidence_map.show(widget, tokens, raw=how.startswith("r"))
                elif not was_folded:
                    await confidence_map.hide(widget)
                if was_folded:
                    self.transcript.scroll_to_widget(widget, animate=False)
                return
        self.tell("there are no token probabilities for this: only local answers have them, and not from every server")

    @work(group="look")
    async def action_compare(self) -> None:
        """Show two answers to the last question, and let the user keep one."""
        exchange = self.conversation.last if self.is_ready else None
        if exchange is None or exchange.shown is None or not exchange.others:
            self.tell("there is only one answer to this: /escalate or /retry give another")
            return
        kept = await self.app.push_screen_wait(ComparisonDialog(exchange.answers, exchange.shown))
        if kept is not None:
            await self._go_to(self.conversation.branches.end_below(kept))

    @work(group="look")
    async def action_copy(self, number: str = "") -> None:
        """Copy the last answer as it was written, or its code block ``number`` (from 1)."""
        answer = self.conversation.last_answer if self.is_ready else None
        widget = self._widget_of(answer) if answer else None
        if answer is None or widget is None:
            self.tell("there is no answer to copy yet")
            return
        text = widget.code_block(int(number)) if number.isdecimal() else answer.content
        if text is None:
            self.tell(f"the last answer has no code block {number}")
            return
        copied = await copy(text, self.write_to_terminal)
        self.app.notify(copied.message, severity="information" if copied.verified else "warning", markup=False)

    def write_to_terminal(self, sequence: str) -> None:
        """Send an escape sequence to the terminal itself."""
        if (driver := self.app._driver) is not None:  # noqa: SLF001 -- as Textual's own copy_to_clipboard does
            driver.write(sequence)

    @work(group="look")
    async def action_previous(self) -> None:
        """Go to the branch before."""
        await self._go_beside(-1)

    @work(group="look")
    async def action_next(self) -> None:
        """Go to the branch after."""
        await self._go_beside(1)

    @work(group="look")
    async def action_branches(self) -> None:
        """Let the user choose a branch."""
        leaves = self.conversation.branches.leaves() if self.is_ready else []
        if len(leaves) < 2:
            self.tell("this conversation has one branch only: editing a question begins another")
            return
        chosen = await self.app.push_screen_wait(
            ChoiceDialog("Go to a branch (the newest first)", [(leaf.id, _described(leaf)) for leaf in leaves])
        )
        if chosen is not None:
            await self._go_to(chosen)

    async def _go_beside(self, step: int) -> None:
        beside = self.conversation.branches.beside(step) if self.is_ready else None
        if beside is None:
            self.tell("there is no other branch: /retry, /escalate or editing a question begin one")
        else:
            await self._go_to(beside)

    async def _go_to(self, message_id: str) -> None:
        if self.is_busy:
            self.tell("an answer is under way: stop it first")
        elif await self.attempt(lambda: self.conversation.stand_on(message_id)):
            await self.redraw()

    def _can_begin(self) -> bool:
        if self.is_busy:
            self.tell("an answer is under way: stop it first")
        elif self.is_ready and self.conversation.last is not None:
            return True
        else:
            self.tell("there is no question yet")
        return False

    def _ask_again(self, choice: Place | None) -> None:
        if (request := self.conversation.ask_again(choice)) is not None:
            self.begin(request)

    def _edit(self, question: Message) -> None:
        self.composer.begin_edit(question.id, question.content)
        self.composer.focus()
        self.status.rest(Segment(("editing: Enter sends it as a new branch, Esc leaves it", "editing: Esc leaves it")))

    def _widget_of(self, message: Message) -> Answer | None:
        try:
            return self.query_one(f"#{answer_id(message.id)}", Answer)
        except NoMatches:
            return None


def _described(leaf: Message) -> str:
    who = "You" if leaf.role is Role.USER else "no model"
    if leaf.provenance is not None:
        who = f"{phrases.short_model(leaf.provenance.model)} ({phrases.where(leaf.provenance.place)})"
    return f"{leaf.created_at.astimezone():%m-%d %H:%M}  {who}: {one_line(leaf.content, 60)}"
