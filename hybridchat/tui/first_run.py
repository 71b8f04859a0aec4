"""Where nothing on this machine can answer yet: the way to a first chat."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import getters, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from hybridchat.errors import HybridChatError, Interrupted
from hybridchat.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult

    from hybridchat.backends.local_models import Found, LocalModels, Offer
    from hybridchat.backends.model_files.files import Progress

_TICK = 0.2  # seconds between two looks at a download


class FirstRunScreen(ModalScreen[bool]):
    """Offers what can be done; ends with whether a model can answer now.

    Whoever types has something else in mind: the screen makes room, and the characters go on to ``typed``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]
    choices = getters.query_one(OptionList)

    def __init__(self, models: LocalModels, *, has_remote: bool, typed: Callable[[str], None] = lambda _: None) -> None:
        super().__init__()
        self._typed = typed
        self._models = models
        self._has_remote = has_remote
        self._offers: dict[str, Offer] = {}
        self._progress: Progress | None = None
        self._getting = False
        self._stopped = False

    def compose(self) -> ComposeResult:
        """Yield what is the matter, and what can be done."""
        with Vertical(classes="dialog wide"):
            yield Static("Models on this machine", classes="dialog-title", markup=False)
            yield Static("looking for models…", id="matter", markup=False)
            yield OptionList(markup=False, compact=True)
            yield Static("↑ ↓ and Enter choose, Esc leaves", id="progress", classes="dialog-hint", markup=False)

    def on_mount(self) -> None:
        """Look at what there is."""
        self.look()

    @work(exclusive=True, group="look")
    async def look(self) -> None:
        """Look for models and offer what fits."""
        found = await self._models.look()
        self.query_one("#matter", Static).update(clean(self._matter(found)))
        self._offers = {str(number): offer for number, offer in enumerate(self._models.offers(found))}
        self.choices.clear_options()
        self.choices.add_options(
            [
                *(Option(_described(offer), id=key) for key, offer in self._offers.items()),
                Option("Look again", id="again"),
                Option(self._going_on(found), id="leave"),
            ]
        )
        self.choices.highlighted = None  # an Enter that was meant for the composer chooses nothing
        self.choices.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Do what was chosen."""
        if self._getting:
            return
        if event.option_id == "again":
            self.look()
        elif event.option_id == "leave":
            self.dismiss(False)
        else:
            self.get(self._offers[event.option_id or ""])

    @work(exclusive=True, group="get")
    async def get(self, offer: Offer) -> None:
        """Get a model, telling how far it is."""
        self._getting, self._stopped = True, False
        ticking = self.set_interval(_TICK, self._show_progress)
        try:
            await asyncio.to_thread(partial(self._models.get, offer, self._follow))
        except HybridChatError as error:
            self.query_one("#progress", Static).update(clean(f"{error.message}\n{error.hint}"))
        else:
            self.app.notify(f"{offer.model.title} is ready", markup=False)
            self.dismiss(True)
        finally:
            self._getting = False
            ticking.stop()

    def on_key(self, event: events.Key) -> None:
        """Make room for the composer."""
        if event.is_printable and event.character and not self._getting:
            event.stop()
            self._typed(event.character)
            if self.is_current:
                self.dismiss(False)

    def action_leave(self) -> None:
        """Stop a download, or leave."""
        if self._getting:
            self._stopped = True
        else:
            self.dismiss(False)

    def _follow(self, progress: Progress) -> None:
        """Keep how far it is; called in the thread that gets the model."""
        if self._stopped:
            raise Interrupted("stopped", hint="What was fetched is kept for the next time.")
        self._progress = progress

    def _show_progress(self) -> None:
        if (step := self._progress) is not None:
            share = f" {step.done / step.total:.0%} of {step.total / 1e6:,.0f} MB" if step.total else ""
            self.query_one("#progress", Static).update(clean(f"{step.stage}{share} · Esc stops"))

    def _matter(self, found: Found) -> str:
        if found.ready:
            return f"A local model is there and can answer ({self._models.model})."
        lines = [f"No model on this machine can answer yet; {self._models.model} is wanted."]
        if found.ollama:
            lines.append(f"Ollama runs, but has not got it: `ollama pull {self._models.model}` gets it, too.")
        else:
            lines.append(
                "With Ollama (https://ollama.com/download): install it, run "
                f"`ollama pull {self._models.model}`, and look again."
            )
        if not found.engine:
            lines.append("Without Ollama: `pip install 'hybridchat[embedded]'` brings an engine of its own.")
        else:
            lines.append("With a model file of yours: leave, and start `hybridchat chat --model FILE.gguf`.")
        if self._has_remote:
            lines.append(
                "With Hugging Face's models: `hybridchat keys set huggingface` keeps a token; HF_TOKEN does, too."
            )
        return "\n".join(lines)

    def _going_on(self, found: Found) -> str:
        if found.ready:
            return "Go on"
        return "Go on with the remote model alone" if self._has_remote else "Go on without a model"


def _described(offer: Offer) -> str:
    size = f" ({offer.model.size / 1e6:,.0f} MB)" if offer.model.size else ""
    what = ": a small stand-in, for a first contact" if offer.model.stand_in else ""
    where = " into Ollama" if offer.holder == "ollama" else ""
    return f"Get {offer.model.title}{size}{where} now{what}"
