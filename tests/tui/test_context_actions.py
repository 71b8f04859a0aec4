from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textual.widgets import Static

from hybridchat.backends.protocol import ChatRequest
from hybridchat.backends.scripted import ScriptedBackend, script
from hybridchat.config.settings import BudgetSettings
from hybridchat.messages import DataPolicy
from hybridchat.tui.consent import ConsentDialog
from hybridchat.tui.dialogs import TextDialog
from tests.engine.conftest import LOCAL, REMOTE
from tests.tui.conftest import Chat, Running


class Described(ScriptedBackend):
    def request_line(self) -> str:
        return "POST https://remote.test/v1/chat/completions"

    def headers(self, _request: ChatRequest) -> Mapping[str, str]:
        return {}


def text_of(running: Running) -> str:
    return "\n".join(str(widget.render()) for widget in running.app.screen.query(Static))


async def test_the_oldest_turns_are_kept_from_the_local_model_and_given_again(chat: Chat) -> None:
    async with chat.running() as running:
        await running.send("/trim")
        assert running.told == ["there is no question yet"]
        await running.ask("one")
        await running.ask("two")
        await running.send("/trim")
        await running.until(lambda: any("oldest 1 turn any more" in one for one in running.told))
        await running.ask("three")
        assert [m.content for m in chat.local.requests[-1].messages] == ["two", "Paris. Yes", "three"]
        await running.send("/undo")
        await running.until(lambda: any("given those turns again" in one for one in running.told))
        await running.ask("four")
        assert chat.local.requests[-1].messages[0].content == "one"
        await running.send("/trim 99")
        await running.until(lambda: any("cannot be left out" in one for one in running.told))


async def test_older_turns_are_condensed_by_the_local_model(chat: Chat) -> None:
    chat.local_says(script(["first " * 100]), script(["second"]), script(["a summary"]), script(["third"]))
    async with chat.running() as running:
        await running.ask("one")
        await running.ask("two")
        await running.send("/condense")
        await running.until(lambda: any("a summary stands for the oldest 1 turn" in one for one in running.told))
        await running.ask("three")
        given = " ".join(message.content for message in chat.local.requests[-1].messages)
        assert "a summary" in given
        assert "first" not in given


async def test_a_window_nearly_full_offers_what_can_be_done(chat: Chat) -> None:
    chat.local = ScriptedBackend(replace(LOCAL, num_ctx=110), script(["Paris"]))
    async with chat.running() as running:
        await running.ask("What is the capital of France, and since when has it been the capital of the country?")
        assert any("/condense" in one and "/trim" in one and "/escalate" in one for one in running.told)


async def test_a_thumb_is_kept_with_the_last_answer(chat: Chat) -> None:
    async with chat.running() as running:
        await running.press("f6")
        assert running.told == ["there is no answer yet"]
        await running.ask()
        await running.press("f6")
        await running.until(lambda: any(one.startswith("noted: good") for one in running.told))
        await running.press("f7")
        await running.until(lambda: any(one.startswith("noted: bad") for one in running.told))


async def test_the_budget_shows_what_was_spent_and_what_may_be(chat: Chat) -> None:
    chat.allow(DataPolicy.ALLOW)
    chat.settings = replace(chat.settings, budget=BudgetSettings(month_calls=9))
    async with chat.running() as running:
        await running.ask()
        await running.press("ctrl+r")
        await running.idle()
        await running.send("/budget")
        await running.dialog(TextDialog)
        assert "This month: 1 call" in text_of(running)
        assert "(limits: 1 call of 9 calls)" in text_of(running)


async def test_what_would_leave_can_be_looked_at_and_nothing_does(chat: Chat) -> None:
    async with chat.running() as running:
        await running.press("ctrl+l")
        await running.until(lambda: running.told == ["there is no question yet"])
        running.screen.assistant._open_preview = lambda: Described(REMOTE)
        await running.write("Write to joe@example.org")
        await running.press("ctrl+l")
        dialog = await running.dialog(ConsentDialog)
        assert "joe@example.org" not in str(dialog.query_one("#payload-text", Static).render())
        await running.press("s", "a", "o")
        await running.until(lambda: "joe@example.org" in text_of(running))
        await running.press("escape")
        await running.until(lambda: running.app.screen is running.screen)
        assert chat.remote is not None
        assert chat.remote.requests == []
        assert running.screen.composer.text == "Write to joe@example.org"


async def test_how_much_never_left_is_told(chat: Chat) -> None:
    async with chat.running() as running:
        await running.send("/kept")
        await running.until(lambda: any(one.startswith("never left: 0 answers") for one in running.told))
        await running.ask()
        await running.send("/kept")
        await running.until(lambda: any(one.startswith("never left: 1 answer, ") for one in running.told))
