"""Asks before something leaves the machine: shows exactly what, and lets the user change it, send it or keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import getters
from textual.binding import Binding, BindingType
from textual.containers import ItemGrid, Vertical, VerticalScroll
from textual.widgets import Button, Input, OptionList, Static

from hybridchat.events import Consent, Outgoing, Revise
from hybridchat.tui.dialogs import LOWEST, NARROWEST
from hybridchat.tui.payload import parts_rows, payload, summary, to_redact
from hybridchat.tui.unhurried import UnhurriedDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

_CHANGES = frozenset({"trim", "take_in", "form", "parts", "redact"})


class ConsentDialog(UnhurriedDialog[Consent]):
    """Shows exactly what would leave, and where to. Esc keeps it here.

    ``revise`` is told what the user wants to be changed; ``show`` then brings what would leave instead. Where it is
    None, this is only a look at what would leave: nothing can be sent or changed.
    """

    DEFAULT_CSS = """
    ConsentDialog {
        #consent-title { text-style: bold; height: auto; }
        #payload { height: 1fr; border-left: solid $primary; padding: 0 1; margin: 0; }
        #summary { margin: 0 0 1 0; }
        #choices { height: auto; grid-gutter: 0 1; }
        #choices Button { width: auto; }
        #words { border-top: solid $primary; }
        &.-low #choices .change { display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "answer('send')", "Send"),
        Binding("a", "answer('always')", "Always"),
        Binding("l", "answer('stay_local')", "Stay local"),
        Binding("escape", "back", "Stay local"),
        Binding("t", "trim", "Trim"),
        Binding("T", "take_in", "Take in"),
        Binding("f", "form", "Form"),
        Binding("p", "parts", "Parts"),
        Binding("r", "redact", "Redact"),
        Binding("o", "originals", "Originals"),
        Binding("space", "choose", "Choose"),
        Binding("up", "scroll(-1)", "Up"),
        Binding("down", "scroll(1)", "Down"),
        Binding("pageup", "scroll(-10)", "Up"),
        Binding("pagedown", "scroll(10)", "Down"),
    ]
    body = getters.query_one("#payload", VerticalScroll)
    parts = getters.query_one("#parts", OptionList)
    words = getters.query_one("#words", Input)

    def __init__(
        self,
        outgoing: Outgoing,
        typed: Callable[[str], None] = lambda _: None,
        revise: Callable[[Revise], None] | None = None,
    ) -> None:
        super().__init__(typed, rests_on="#stay_local")
        self.VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]
        self._outgoing = outgoing
        self._revise = revise
        self._originals = False
        self._preparing = False
        self._declined = False

    def compose(self) -> ComposeResult:
        """Yield what would leave, and the choices."""
        asks = self._revise is not None
        with Vertical(classes="dialog wide", id="consent"):
            yield Static("", id="consent-title", markup=False)
            with VerticalScroll(id="payload"):
                yield Static("", id="summary", markup=False)
                yield Static("", id="payload-text", markup=False)
            yield OptionList(id="parts", markup=False, compact=True)
            yield Input(id="words", placeholder="words to replace; Enter replaces, Esc leaves it", compact=True)
            with ItemGrid(min_column_width=18, id="choices"):
                if asks:
                    yield Button("Stay local (L)", id="stay_local", compact=True)
                    yield Button("Send (S)", id="send", compact=True)
                    yield Button("Always here (A)", id="always", compact=True)
                    yield Button("Redact (R)", id="redact", compact=True, classes="change")
                    yield Button("Trim (T)", id="trim", compact=True, classes="change")
                    yield Button("Leave out (P)", id="parts-button", compact=True, classes="change")
                    yield Button("Form (F)", id="form", compact=True, classes="change")
                yield Button("Originals (O)", id="originals", compact=True, classes="change")
                if not asks:
                    yield Button("Close (Esc)", id="stay_local", compact=True)

    def on_mount(self) -> None:
        """Wait for a moment of quiet."""
        self.parts.display = self.words.display = False
        self._draw()
        self.begin(is_question=self._revise is not None)

    def armed_changed(self) -> None:
        """Say above what would leave when no key answers yet."""
        self._say()

    def show(self, outgoing: Outgoing) -> None:
        """Show what would leave now, after a change; a user who has said no meanwhile need not say it again."""
        self._outgoing, self._preparing = outgoing, False
        if self._declined:
            self.dismiss(Consent.STAY_LOCAL)
        else:
            self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's
        """Let no key answer before the question was seen, and no change be made where nothing can be changed."""
        if action == "choose":
            return self.parts.display
        if action in _CHANGES:
            return self.armed and self._revise is not None
        return self.armed or action not in {"answer", "back", "originals"}

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        pressed = (event.button.id or "").removesuffix("-button")
        await self.run_action(pressed if pressed in _CHANGES | {"originals"} else f"answer('{pressed}')")

    def action_answer(self, answer: str) -> None:
        """Take the answer; nothing is agreed to on a terminal that cannot show what would leave, or unseen."""
        stays = Consent(answer) is Consent.STAY_LOCAL
        width, height = self.app.size
        if not stays and (self._revise is None or self._preparing or width < NARROWEST or height < LOWEST):
            self.app.bell()
        elif self._preparing:
            self._declined = True
            self._say()
        else:
            self.dismiss(Consent(answer))

    def action_back(self) -> None:
        """Leave the line or the list that is open; without one, stay local."""
        if self.words.display or self.parts.display:
            self._close_inner()
        else:
            self.action_answer(Consent.STAY_LOCAL)

    def action_originals(self) -> None:
        """Show what the placeholders stand for, or what would be sent."""
        self._originals = not self._originals
        self._draw()

    def action_scroll(self, lines: int) -> None:
        """Scroll what would leave."""
        self.body.scroll_relative(y=lines, animate=False)

    def action_trim(self) -> None:
        """Leave out one more of the oldest turns."""
        self._leave_out(1)

    def action_take_in(self) -> None:
        """Take in again the turn that was left out last."""
        self._leave_out(-1)

    def action_form(self) -> None:
        """Take the next of the forms in which the conversation can be handed over."""
        forms = self._outgoing.forms
        if len(forms) < 2:
            self._say("it can only be sent as it stands")
        else:
            self._change(Revise(form=forms[(forms.index(self._outgoing.form) + 1) % len(forms)]))

    def action_parts(self) -> None:
        """Choose among messages and attachments."""
        if not self._outgoing.parts:
            self._say("there is nothing but the question")
            return
        self.body.display, self.parts.display = False, True
        self._list_parts()
        self.parts.focus()

    def action_choose(self) -> None:
        """Leave the marked part out, or take it in again."""
        self.parts.action_select()

    def action_redact(self) -> None:
        """Take out what is selected; without a selection, ask for words."""
        if words := to_redact(self.get_selected_text() or ""):
            self.clear_selection()
            self._change(Revise(redact=words))
        else:
            self.words.display = True
            self.words.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the words out."""
        event.stop()
        words = event.value.strip()
        self._close_inner()
        if words:
            self._change(Revise(redact=(words,)))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Leave that part out, or take it in again."""
        event.stop()
        parts = self._outgoing.parts
        chosen = parts[event.option_index]
        self._change(Revise(left_out=tuple(part.id for part in parts if part.left_out != (part.id == chosen.id))))

    def _leave_out(self, more: int) -> None:
        turns = self._outgoing.turns_left_out + more
        if not 0 <= turns <= self._outgoing.turns:
            self._say("no older turn is left" if more > 0 else "no turn is left out")
        else:
            self._change(Revise(turns_left_out=turns))

    def _change(self, revise: Revise) -> None:
        if self._revise is None or self._preparing:
            self.app.bell()
            return
        self._preparing = True
        self._say()
        self._revise(revise)

    def _say(self, text: str = "") -> None:
        title = "What would be sent to a remote model"
        if self._revise is not None:
            doing = "staying local …" if self._declined else "preparing …" if self._preparing else ""
            note = text or doing or ("" if self.armed else "keys count in a moment")
            title = "Send this to a remote model?" + (f" · {note}" if note else "")
        self.query_one("#consent-title", Static).update(title)

    def _close_inner(self) -> None:
        self.words.value = ""
        self.words.display = self.parts.display = False
        self.body.display = True
        self.query_one("#stay_local").focus()

    def _draw(self) -> None:
        going = self._outgoing
        self._say()
        self.query_one("#summary", Static).update(summary(going))
        self.query_one("#payload-text", Static).update(payload(going, originals=self._originals))
        if self.parts.display:
            self._list_parts()

    def _list_parts(self) -> None:
        marked = self.parts.highlighted
        self.parts.clear_options()
        self.parts.add_options(parts_rows(self._outgoing))
        self.parts.highlighted = min(marked or 0, len(self._outgoing.parts) - 1)
