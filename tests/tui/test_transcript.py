from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from textual.app import App
from textual.widgets import Static

from hybridchat.tui.answer import Answer
from hybridchat.tui.block_view import BlockView
from hybridchat.tui.more_rows import EarlierRow, LaterRow, MoreRow
from hybridchat.tui.transcript import Transcript, Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from textual.pilot import Pilot
    from textual.widget import Widget

LONG = "\n\n".join(f"paragraph {number}" for number in range(30))


@asynccontextmanager
async def shown(transcript: Transcript) -> AsyncIterator[Pilot[None]]:
    app = App[None]()
    async with app.run_test(size=(60, 20)) as pilot:
        await app.mount(transcript)
        transcript.focus()
        await pilot.pause()
        yield pilot


def turn(number: int, paragraphs: int = 3) -> Turn:
    text = "\n\n".join(f"turn {number} paragraph {part}" for part in range(paragraphs))
    return [Static(f"question {number}", markup=False), Answer(text)]


async def load(first: int, last: int) -> Sequence[Turn]:
    return [turn(number) for number in range(first, last)]


def questions(transcript: Transcript) -> list[str]:
    return [str(widget.render()) for widget in transcript.query(Static) if not isinstance(widget, MoreRow)]


def row(transcript: Transcript) -> EarlierRow:
    return transcript.query_one(EarlierRow)


def on_screen(transcript: Transcript, widget: Widget) -> int:
    return widget.region.y - transcript.region.y


async def test_it_stays_at_the_end_while_an_answer_grows() -> None:
    transcript, answer = Transcript(), Answer()
    async with shown(transcript) as pilot:
        await transcript.begin_turn(answer)
        for piece in LONG.split(" "):
            answer.append(piece + " ")
            await pilot.pause()
        assert transcript.following
        assert transcript.max_scroll_y > 0
        assert transcript.scroll_y == transcript.max_scroll_y


async def test_a_conversation_that_does_not_fill_the_screen_begins_at_its_top() -> None:
    transcript, answer = Transcript(), Answer("short")
    async with shown(transcript) as pilot:
        await transcript.begin_turn(answer)
        await pilot.pause()
        assert on_screen(transcript, answer) == 0
        answer.append("\n\n" + LONG)
        await pilot.pause()
        assert transcript.scroll_y == transcript.max_scroll_y > 0
        await pilot.resize_terminal(60, 100)
        await pilot.pause()
        assert on_screen(transcript, answer) == 0


async def test_scrolled_up_nothing_jumps_and_nothing_is_drawn() -> None:
    transcript, answer = Transcript(), Answer(LONG)
    async with shown(transcript) as pilot:
        await transcript.begin_turn(answer)
        await pilot.pause()
        await pilot.press("pageup")
        await pilot.pause()
        at, blocks = transcript.scroll_y, len(answer.blocks)
        assert not transcript.following
        frames: list[object] = []
        pilot.app.screen.screen_layout_refresh_signal.subscribe(pilot.app, frames.append)
        for _ in range(50):
            answer.feed("\n\nmore")
            await pilot.pause()
        assert transcript.scroll_y == at
        assert len(answer.blocks) == blocks
        assert not frames
        assert answer.source.endswith("more")


async def test_end_follows_again_and_draws_what_came_meanwhile() -> None:
    transcript, answer = Transcript(), Answer(LONG)
    async with shown(transcript) as pilot:
        await transcript.begin_turn(answer)
        await pilot.pause()
        await pilot.press("home")
        await pilot.pause()
        answer.feed("\n\nthe last words")
        await pilot.press("end")
        await pilot.pause()
        assert transcript.following
        assert answer.blocks[-1].source == "the last words"
        assert transcript.scroll_y == transcript.max_scroll_y


async def test_scrolling_down_to_the_end_follows_again() -> None:
    transcript, answer = Transcript(), Answer(LONG)
    async with shown(transcript) as pilot:
        await transcript.begin_turn(answer)
        await pilot.pause()
        await pilot.press("up", "up")
        await pilot.pause()
        assert not transcript.following
        await pilot.press("down", "down", "down")
        await pilot.pause()
        assert transcript.following


async def test_a_conversation_that_fits_is_always_followed() -> None:
    transcript, answer = Transcript(), Answer("short")
    async with shown(transcript) as pilot:
        await transcript.begin_turn(answer)
        await pilot.press("up")
        await pilot.pause()
        assert transcript.following


async def test_what_is_added_while_the_user_reads_is_held_until_he_returns() -> None:
    transcript = Transcript()
    async with shown(transcript) as pilot:
        await transcript.begin_turn(Answer(LONG))
        await pilot.pause()
        await pilot.press("home")
        await pilot.pause()
        late = Answer()
        await transcript.add(late)
        late.feed("held")
        await pilot.pause()
        assert not late.blocks
        await pilot.press("end")
        await pilot.pause()
        assert [block.source for block in late.blocks] == ["held"]


async def test_the_oldest_turns_go_when_there_are_too_many_widgets() -> None:
    transcript = Transcript(widget_limit=20)
    async with shown(transcript) as pilot:
        for number in range(8):
            await transcript.begin_turn(*turn(number))
            await pilot.pause()
            assert transcript.widgets <= 20
        assert questions(transcript) == ["question 4", "question 5", "question 6", "question 7"]
        assert len(transcript.query(BlockView)) == 12
        assert transcript.earlier == 4
        assert row(transcript).display
        assert "4 turns" in str(row(transcript).render())
        assert transcript.scroll_y == transcript.max_scroll_y


async def test_the_last_two_turns_stay_however_long_they_are() -> None:
    transcript = Transcript(widget_limit=5)
    async with shown(transcript):
        for number in range(4):
            await transcript.begin_turn(*turn(number, paragraphs=40))
        assert questions(transcript) == ["question 2", "question 3"]


async def test_nothing_goes_while_the_user_reads_and_it_goes_when_he_returns() -> None:
    transcript = Transcript(widget_limit=20)
    async with shown(transcript) as pilot:
        for number in range(4):
            await transcript.begin_turn(*turn(number))
        await pilot.pause()
        await pilot.press("home")
        await pilot.pause()
        await transcript.begin_turn(*turn(4))
        await transcript.begin_turn(*turn(5))
        assert len(questions(transcript)) == 6
        await pilot.press("end")
        await pilot.pause()
        assert questions(transcript) == ["question 2", "question 3", "question 4", "question 5"]


async def test_earlier_turns_come_above_and_what_is_read_stays_where_it_is() -> None:
    transcript = Transcript(load, earlier=25)
    async with shown(transcript) as pilot:
        await transcript.begin_turn(*turn(25))
        await transcript.begin_turn(*turn(26))
        await transcript.begin_turn(*turn(27))
        await pilot.pause()
        await pilot.press("home")
        await pilot.wait_for_scheduled_animations()
        transcript.scroll_home(animate=False, immediate=True)
        await pilot.pause()
        first = transcript.query(Answer).first()
        at = on_screen(transcript, first)
        await pilot.click(EarlierRow)
        await pilot.pause()
        assert questions(transcript)[0] == "question 15"
        assert len(questions(transcript)) == 13
        assert on_screen(transcript, first) == at
        assert transcript.earlier == 15
        assert not transcript.following


async def test_enter_brings_earlier_turns_until_there_are_no_more() -> None:
    transcript = Transcript(load, earlier=11)
    async with shown(transcript) as pilot:
        await transcript.begin_turn(*turn(11))
        for left in (1, 0):
            row(transcript).focus()
            await pilot.press("enter")
            await pilot.pause()
            assert transcript.earlier == left
            assert str(left) in str(row(transcript).render())
        assert questions(transcript)[0] == "question 0"
        assert not row(transcript).display
        await transcript.load_earlier()
        assert len(questions(transcript)) == 12


async def test_without_a_loader_nothing_comes() -> None:
    transcript = Transcript(earlier=3)
    async with shown(transcript):
        await transcript.load_earlier()
        assert transcript.earlier == 3


async def test_the_row_above_is_no_part_of_what_is_copied() -> None:
    transcript = Transcript(load, earlier=3)
    async with shown(transcript) as pilot:
        await transcript.begin_turn(Answer("words"))
        await pilot.pause()
        pilot.app.screen.text_select_all()
        assert pilot.app.screen.get_selected_text() == "words"


async def read_upwards(transcript: Transcript, pilot: Pilot[None], times: int) -> None:
    for _ in range(times):
        transcript.scroll_home(animate=False, immediate=True)
        await pilot.pause()
        first = transcript.query(Answer).first()
        at = on_screen(transcript, first)
        await transcript.load_earlier()
        await pilot.pause()
        await pilot.pause()
        assert on_screen(transcript, first) == at


async def test_reading_upwards_mounts_no_more_than_the_limit_and_keeps_the_last_turn() -> None:
    transcript = Transcript(load, earlier=57, widget_limit=80)
    async with shown(transcript) as pilot:
        for number in range(57, 61):
            await transcript.begin_turn(*turn(number))
        await pilot.pause()
        await read_upwards(transcript, pilot, 5)
        assert transcript.widgets <= 80
        assert questions(transcript)[0] == "question 7"
        assert questions(transcript)[-1] == "question 60"
        assert transcript.earlier + len(questions(transcript)) + transcript.later == 61
        assert str(transcript.later) in str(transcript.query_one(LaterRow).render())


async def test_reading_downwards_again_brings_all_turns_back_where_they_were() -> None:
    transcript = Transcript(load, earlier=57, widget_limit=80)
    async with shown(transcript) as pilot:
        for number in range(57, 61):
            await transcript.begin_turn(*turn(number))
        await pilot.pause()
        await read_upwards(transcript, pilot, 6)
        while transcript.later:
            transcript.scroll_end(animate=False, immediate=True)
            await pilot.pause()
            assert not transcript.following
            read = transcript.query(Answer)[-2]
            at = on_screen(transcript, read)
            transcript.query_one(LaterRow).focus(scroll_visible=False)
            await pilot.press("enter")
            await pilot.pause()
            await pilot.pause()
            assert on_screen(transcript, read) == at
            assert transcript.widgets <= 80
        assert not transcript.query(LaterRow)
        shown_now = questions(transcript)
        assert shown_now == [f"question {number}" for number in range(61 - len(shown_now), 61)]


async def test_going_to_the_end_leaves_what_was_read_and_shows_what_comes_before_the_last_turn() -> None:
    transcript = Transcript(load, earlier=57, widget_limit=80)
    async with shown(transcript) as pilot:
        for number in range(57, 61):
            await transcript.begin_turn(*turn(number))
        await pilot.pause()
        await read_upwards(transcript, pilot, 6)
        transcript.follow()
        await pilot.pause()
        await pilot.pause()
        assert (transcript.later, transcript.following) == (0, True)
        assert questions(transcript) == [f"question {number}" for number in range(50, 61)]
        await read_upwards(transcript, pilot, 6)
        await transcript.begin_turn(*turn(61))
        assert (transcript.later, questions(transcript)[-3:]) == (0, ["question 59", "question 60", "question 61"])


async def test_without_later_turns_nothing_comes() -> None:
    transcript = Transcript(load, earlier=3)
    async with shown(transcript) as pilot:
        await transcript.begin_turn(*turn(3))
        await transcript.load_later()
        await pilot.pause()
        assert questions(transcript) == ["question 3"]
