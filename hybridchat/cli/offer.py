"""Offers to fetch a local model, at a terminal, where a question found none on this machine, and asks it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hybridchat.cli import wiring
from hybridchat.config import paths
from hybridchat.errors import BadConfiguration, HybridChatError, InputMissing
from hybridchat.events import Escalated, Event, Failed, Routed
from hybridchat.messages import Place
from hybridchat.plain.terminal import open_terminal

if TYPE_CHECKING:
    from hybridchat.assistant import Assistant
    from hybridchat.backends.model_files.catalogue import Model
    from hybridchat.config.settings import Settings
    from hybridchat.plain.consent import Asks
    from hybridchat.plain.session import Face
    from hybridchat.plain.streams import Narration

Ask = Callable[["Face", str | None], int]
"""Shows a turn and returns the exit code; the name of a user message means that it is to be answered again."""

_NO_MODEL = {"model_missing", "unreachable"}


def ask_with_offer(ask: Ask, face: Face, settings: Settings, narration: Narration) -> int:
    """Ask; where no local model can answer, offer to fetch one, and ask again. Return the exit code.

    The failure is held back until the offer is declined. There is no offer where nothing may be downloaded, to
    whoever wants quiet, and where no person sees it. Raises what a pull raises.
    """
    if wiring.downloads_forbidden_by(settings) or narration.quiet or not narration.is_terminal:
        return ask(face, None)
    turn = _Withholding(face)
    code = ask(turn, None)
    if turn.failure is None:
        return code
    missing = _missing_engine()
    models = [] if missing else _models(settings)
    if (model := _chosen(models)) is not None:
        _pull(model, settings)
        return ask(face, turn.question_id)
    face.show(turn.failure)
    if missing and _is_embedded_wanted(settings) and missing.hint not in turn.failure.hint:
        narration.say(f"  {missing.message}. {missing.hint}")
    return code


async def still_kept(message_id: str | None, assistant: Assistant) -> str | None:
    """Return ``message_id`` if there is such a message, None where it was not kept: then the question is put anew."""
    try:
        return None if message_id is None else (await assistant.message(message_id)).id
    except InputMissing:
        return None


class _Withholding:
    """Shows a turn, all but its failure if that is for want of a local model."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._is_local = False
        self.question_id: str | None = None
        self.failure: Failed | None = None

    @property
    def waits_for_questions(self) -> bool:
        return self._face.waits_for_questions

    def show(self, event: Event) -> None:
        match event:
            case Routed():
                self._is_local, self.question_id = event.place is Place.LOCAL, event.user_message_id
            case Escalated():
                self._is_local = False
            case Failed(message_id=None) if self._is_local and event.code in _NO_MODEL:
                self.failure = event
                return
        self._face.show(event)

    def fail(self, error: HybridChatError) -> None:
        self._face.fail(error)


def _missing_engine() -> BadConfiguration | None:
    from hybridchat.backends.embedded.model import check_engine  # noqa: PLC0415 -- only an offer needs it

    try:
        check_engine()
    except BadConfiguration as missing:
        return missing
    return None


def _models(settings: Settings) -> Sequence[Model]:
    """Return the models of which each would answer once it is here; none where something else is amiss."""
    from hybridchat.backends.model_files.catalogue import DEFAULT, STAND_IN  # noqa: PLC0415 -- the same
    from hybridchat.backends.model_files.files import list_installed  # noqa: PLC0415 -- the same

    if not _is_embedded_wanted(settings) or list_installed(paths.models_folder(settings.store)):
        return []
    return {DEFAULT.name: [DEFAULT, STAND_IN], STAND_IN.name: [STAND_IN]}.get(settings.local.model, [])


def _is_embedded_wanted(settings: Settings) -> bool:
    return settings.local.backend in {"auto", "embedded"}


def _chosen(models: Sequence[Model]) -> Model | None:
    """Return the model that the person at the terminal wants, None for none or where nobody is there."""
    terminal = open_terminal() if models else None
    if terminal is None:
        return None
    with terminal:
        return asyncio.run(_choice(models, terminal))


async def _choice(models: Sequence[Model], terminal: Asks) -> Model | None:
    from hybridchat.backends.model_files.catalogue import readable_size  # noqa: PLC0415 -- only an offer needs it

    keys = {model.title[0].lower(): model for model in models}
    rows = [
        f"  {key}  {'a small stand-in, ' if model.stand_in else ''}{model.title} ({readable_size(model.size)})"
        for key, model in keys.items()
    ]
    question = "\n".join(["No local model is on this machine. Get one now?", *rows, "  n  no", "> "])
    while True:
        terminal.write(question)
        answer = await terminal.line()
        if answer is None or (answer := answer.strip().lower()) in {"n", "no"}:
            return None
        if answer in keys:
            return keys[answer]
        question = f"{', '.join(keys)} or n\n> "


def _pull(model: Model, settings: Settings) -> None:
    from hybridchat.cli import model_commands  # noqa: PLC0415 -- only an accepted offer needs it

    model_commands.fetch(model.name, None, settings)
