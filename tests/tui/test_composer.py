from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from textual import events, on
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from hybridchat.tui.composer import Composer


class Desk(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.composer = Composer()

    def compose(self) -> ComposeResult:
        yield self.composer

    def on_mount(self) -> None:
        self.composer.focus()

    @on(Composer.Sent)
    def keep(self, event: Composer.Sent) -> None:
        self.sent.append(event.text)


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    async with Desk().run_test() as pilot:
        yield pilot


def desk(pilot: Pilot[None]) -> Desk:
    assert isinstance(pilot.app, Desk)
    return pilot.app


async def test_enter_sends(pilot: Pilot[None]) -> None:
    await pilot.press("h", "i", "enter")
    assert desk(pilot).sent == ["hi"]
    assert desk(pilot).composer.text == ""


async def test_a_burst_of_keys_loses_none_of_them(pilot: Pilot[None]) -> None:
    for key in [*"hello", "enter", *"again", "enter"]:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
    await pilot.pause()
    assert desk(pilot).sent == ["hello", "again"]


async def test_nothing_but_spaces_is_not_sent(pilot: Pilot[None]) -> None:
    await pilot.press("space", "enter")
    assert desk(pilot).sent == []


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "ctrl+enter", "alt+enter", "shift+\r"])
async def test_every_way_to_begin_a_line_begins_a_line(pilot: Pilot[None], key: str) -> None:
    await pilot.press("a", key, "b", "enter")
    assert desk(pilot).sent == ["a\nb"]


async def test_pasted_line_breaks_send_nothing_and_escapes_are_dropped(pilot: Pilot[None]) -> None:
    pilot.app.post_message(events.Paste("one\r\ntwo\n\x1b]0;title\x07three\n"))
    await pilot.pause()
    assert desk(pilot).sent == []
    assert desk(pilot).composer.text == "one\ntwo\nthree\n"


async def test_it_grows_to_ten_lines(pilot: Pilot[None]) -> None:
    composer = desk(pilot).composer
    assert composer.size.height == 1
    await pilot.press("ctrl+j", "ctrl+j")
    await pilot.pause()
    assert composer.size.height == 3
    await pilot.press(*["ctrl+j"] * 20)
    await pilot.pause()
    assert composer.size.height == 10


async def test_up_at_the_first_line_brings_earlier_prompts_and_down_what_was_being_written(pilot: Pilot[None]) -> None:
    composer = desk(pilot).composer
    await pilot.press("a", "enter", "b", "enter", "c", "up")
    assert composer.text == "b"
    await pilot.press("up")
    assert composer.text == "a"
    await pilot.press("up", "down")
    assert composer.text == "b"
    await pilot.press("down", "down")
    assert composer.text == "c"


async def test_within_a_text_the_arrow_keys_move_the_cursor(pilot: Pilot[None]) -> None:
    composer = desk(pilot).composer
    await pilot.press("x", "enter", "a", "ctrl+j", "b", "up")
    assert (composer.text, composer.cursor_location) == ("a\nb", (0, 1))
    await pilot.press("down")
    assert composer.cursor_location == (1, 1)


async def test_ctrl_d_deletes_where_something_is_written(pilot: Pilot[None]) -> None:
    await pilot.press("a", "b", "home", "ctrl+d")
    assert desk(pilot).composer.text == "b"


async def test_undo_brings_back_what_a_prompt_from_the_history_replaced(pilot: Pilot[None]) -> None:
    composer = desk(pilot).composer
    await pilot.press("a", "enter", "d", "r", "a", "f", "t", "up")
    assert composer.text == "a"
    await pilot.press("ctrl+z")
    assert composer.text == "draft"
