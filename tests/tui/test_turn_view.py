from __future__ import annotations

from hybridchat.backends.protocol import Backend
from hybridchat.errors import KeyMissing
from hybridchat.events import ContextCondensed, FollowUp
from hybridchat.messages import Place
from hybridchat.tui.provenance import Question
from hybridchat.tui.status import Work
from hybridchat.tui.turn_view import TurnView
from tests.engine.policies import ScriptedPolicy
from tests.tui.conftest import Chat


async def test_what_the_remote_model_asks_about_a_document_is_told_with_its_answer(chat: Chat) -> None:
    async with chat.running() as running:
        view = TurnView(running.screen.transcript, Work("small", Place.LOCAL), Question("go"))
        await view.begin()
        await view.show(FollowUp(1, "report.txt", "When was it?"))
        await view.show(FollowUp(1, "report.txt", "When was it?", "In May."))
        await running.pilot.pause()
        assert running.notes == [
            "the remote model asks about report.txt: When was it?",
            "the local model answered from report.txt: In May.",
        ]


async def test_a_summary_in_the_place_of_older_turns_is_told(chat: Chat) -> None:
    async with chat.running() as running:
        view = TurnView(running.screen.transcript, Work("small", Place.LOCAL), Question("go"))
        await view.begin()
        await view.show(ContextCondensed(Place.LOCAL, 3, 6, 1200, 300))
        await running.pilot.pause()
        assert "a summary stands for the oldest 3 turns" in running.notes[0]
        assert "1,200 tokens became 300" in running.notes[0]


async def test_why_the_remote_model_could_not_be_asked_is_told_at_length_once(chat: Chat) -> None:
    chat.policy = ScriptedPolicy(doubt_after=1)
    async with chat.running() as running:

        async def no_key(_model: str | None) -> Backend:
            raise KeyMissing("there is no key", hint="Set one.")

        running.screen.assistant._engine.open_remote = no_key
        await running.ask()
        await running.ask("And of Germany?")
        told = [note for note in running.notes if "stands" in note]
        assert told == [
            "the local answer stands: there is no key\nSet one.",
            "the local answer stands, for the same reason as before",
        ]
