from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.widgets import OptionList, Static

from hybridchat.assistant import Assistant
from hybridchat.backends.local_models import Found, LocalModels, Offer
from hybridchat.backends.model_files.catalogue import DEFAULT, STAND_IN
from hybridchat.backends.model_files.files import Progress
from hybridchat.errors import CannotWrite
from hybridchat.tui.first_run import FirstRunScreen
from tests.tui.conftest import Chat, Running


class Machine(LocalModels):
    """A machine without a model, whose downloads go as a test says."""

    def __init__(self, found: Found | None = None) -> None:
        super().__init__("phi3.5", Path(), embedded=True)
        self.found = found or Found(ready=False, ollama=False, engine=True)
        self.got: list[str] = []
        self.failure: Exception | None = None
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    async def look(self) -> Found:
        return self.found

    def offers(self, found: Found) -> Sequence[Offer]:
        return [Offer(STAND_IN, "embedded"), Offer(DEFAULT, "ollama")] if found.engine else []

    def get(self, offer: Offer, progress: Callable[[Progress], None]) -> None:
        progress(Progress("Downloading", 10, 100))
        self.begun.set()
        self.go_on.wait()
        progress(Progress("Downloading", 100, 100))
        if self.failure is not None:
            raise self.failure
        self.got.append(offer.model.name)


class OnMachine(Chat):
    machine: Machine

    def assistant(self) -> Assistant:
        assistant = super().assistant()
        assistant.models = self.machine
        return assistant


def on(chat: Chat, machine: Machine) -> OnMachine:
    chat.__class__ = OnMachine
    assert isinstance(chat, OnMachine)
    chat.machine = machine
    return chat


def text_of(running: Running) -> str:
    return "\n".join(str(widget.render()) for widget in running.app.screen.query(Static))


async def offered(running: Running) -> list[str]:
    screen = await running.dialog(FirstRunScreen)
    options = screen.query_one(OptionList)
    await running.until(lambda: options.option_count > 0)
    return [str(options.get_option_at_index(index).prompt) for index in range(options.option_count)]


async def test_a_machine_without_a_model_is_led_to_a_working_chat(chat: Chat) -> None:
    machine = Machine()
    async with on(chat, machine).running() as running:
        rows = await offered(running)
        assert rows[0] == "Get SmolLM2-135M (98 MB) now: a small stand-in, for a first contact"
        assert rows[1] == "Get Phi-3.5-mini (2,393 MB) into Ollama now"
        assert rows[2:] == ["Look again", "Go on with the remote model alone"]
        assert "ollama pull phi3.5" in text_of(running)
        assert "--model FILE.gguf" in text_of(running)
        assert "keys set huggingface" in text_of(running)
        await running.press("enter")
        assert not machine.begun.is_set()
        await running.press("down", "enter")
        await running.until(lambda: running.app.screen is running.screen)
        assert machine.got == ["smollm2"]
        assert running.told == ["SmolLM2-135M is ready"]
        await running.ask()
        assert running.answers == ["Paris. Yes"]


async def test_a_download_tells_how_far_it_is_and_can_be_stopped(chat: Chat) -> None:
    machine = Machine()
    machine.go_on.clear()
    async with on(chat, machine).running() as running:
        await offered(running)
        await running.press("down", "enter")
        await running.until(machine.begun.is_set)
        await running.until(lambda: "Downloading 10% of 0 MB" in text_of(running))
        await running.press("enter", "escape")
        machine.go_on.set()
        await running.until(lambda: "What was fetched is kept" in text_of(running))
        assert machine.got == []
        await running.press("escape")
        assert running.app.screen is running.screen


async def test_a_download_that_fails_says_why(chat: Chat) -> None:
    machine = Machine()
    machine.failure = CannotWrite("no room", hint="Make some.")
    async with on(chat, machine).running() as running:
        await offered(running)
        await running.press("down", "enter")
        await running.until(lambda: "no room\nMake some." in text_of(running))


async def test_looking_again_finds_what_was_started_meanwhile(chat: Chat) -> None:
    machine = Machine(Found(ready=False, ollama=True, engine=False))
    chat.remote = None
    async with on(chat, machine).running() as running:
        assert await offered(running) == ["Look again", "Go on without a model"]
        assert "Ollama runs, but has not got it" in text_of(running)
        assert "hybridchat[embedded]" in text_of(running)
        machine.found = Found(ready=True, ollama=True, engine=False)
        await running.press("down", "enter")
        await running.until(lambda: "can answer (phi3.5)" in text_of(running))
        assert await offered(running) == ["Look again", "Go on"]
        await running.press("down", "down", "enter")
        assert running.app.screen is running.screen
        await running.send("/models")
        await offered(running)


async def test_whoever_is_writing_already_is_only_told(chat: Chat) -> None:
    async with on(chat, Machine(Found(ready=True, ollama=True, engine=True))).running() as running:
        assert running.app.screen is running.screen
        assert isinstance(chat, OnMachine)
        chat.machine.found = Found(ready=False, ollama=False, engine=False)
        await running.write("a draft")
        running.screen.look_for_models()
        await running.until(lambda: running.told == ["no model on this machine can answer yet: /models helps"])


async def test_whoever_types_gets_the_composer_and_every_character(chat: Chat) -> None:
    machine = Machine()
    async with on(chat, machine).running() as running:
        await offered(running)
        await running.press("h", "i", "enter")
        await running.idle()
        assert running.questions == ["You: hi"]
        assert not machine.begun.is_set()
