from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from textual.app import App
from textual.containers import VerticalScroll
from textual.geometry import Offset, Size
from textual.selection import SELECT_ALL, Selection

from hybridchat.tui.answer import Answer
from hybridchat.tui.block_view import BlockView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

DOCUMENT = """# Title

Some words that are long enough to be wrapped at least once on a narrow screen, and `code`.

1. one
2. two

```python
print(1)
```

> quoted words

| a | b |
|---|---|
| 1 | 2 |

---

the end"""


@asynccontextmanager
async def shown(answer: Answer, size: tuple[int, int] = (60, 40)) -> AsyncIterator[Pilot[None]]:
    app = App[None]()
    async with app.run_test(size=size) as pilot:
        await app.mount(VerticalScroll(answer))
        await pilot.pause()
        yield pilot


def views(answer: Answer) -> list[BlockView]:
    return list(answer.query(BlockView))


def text_of(view: BlockView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.content_size.height)]


async def test_each_top_level_block_is_one_widget() -> None:
    answer = Answer(DOCUMENT)
    async with shown(answer):
        assert [view.block.kind.value for view in views(answer)] == [
            "heading", "paragraph", "list", "code", "quote", "table", "rule", "paragraph",
        ]  # fmt: skip
        assert text_of(views(answer)[2]) == ["1. one", "2. two"]


async def test_an_update_keeps_the_widgets_and_changes_only_what_looks_different() -> None:
    answer = Answer("# Title\n\nfirst")
    async with shown(answer) as pilot:
        title, paragraph = views(answer)
        before = paragraph.render_line(0)
        answer.append(" " + "words " * 20)
        await pilot.pause()
        assert views(answer) == [title, paragraph]
        grown = paragraph.render_line(0)
        assert grown is not before
        assert paragraph.size.height == 3
        answer.append("more")
        await pilot.pause()
        assert paragraph.render_line(0) is grown
        assert paragraph.render_line(2).text.rstrip().endswith("more")


async def test_a_change_within_the_line_asks_for_no_layout() -> None:
    answer = Answer("word")
    async with shown(answer) as pilot:
        layouts: list[object] = []
        pilot.app.screen.screen_layout_refresh_signal.subscribe(pilot.app, layouts.append)
        answer.append(" word")
        await pilot.pause()
        assert not layouts
        answer.append("\n\nnew")
        await pilot.pause()
        assert layouts


async def test_a_block_that_turns_out_to_be_another_changes_its_kind_and_keeps_its_widget() -> None:
    answer = Answer("title")
    async with shown(answer) as pilot:
        (view,) = views(answer)
        assert view.has_class("-paragraph")
        answer.append("\n===")
        await pilot.pause()
        assert views(answer) == [view]
        assert view.has_class("-heading")
        assert not view.has_class("-paragraph")


async def test_a_block_that_vanishes_takes_its_widget_along() -> None:
    answer = Answer("text\n\nmore\n\n[a]:\n")
    async with shown(answer) as pilot:
        assert len(views(answer)) == 3
        answer.append("http://a.example")
        await pilot.pause()
        assert [view.block.source for view in views(answer)] == ["text", "more"]
        answer.append("\n\nthen")
        await pilot.pause()
        assert [view.block.source for view in views(answer)] == ["text", "more", "then"]


async def test_what_comes_before_mounting_is_shown_once() -> None:
    answer = Answer("a\n\nb")
    answer.append("\n\nc")
    async with shown(answer):
        assert [view.block.source for view in views(answer)] == ["a", "b", "c"]


async def test_definitions_that_come_late_are_used_at_the_end() -> None:
    answer = Answer("see [here]\n\nmiddle\n\nmore\n\n")
    async with shown(answer) as pilot:
        answer.append("[here]: http://h.example")
        await pilot.pause()
        assert text_of(views(answer)[0]) == ["see [here]"]
        answer.finish()
        await pilot.pause()
        assert text_of(views(answer)[0]) == ["see here (http://h.example)"]


def test_definitions_that_came_early_are_used_at_once() -> None:
    answer = Answer("[here]: http://h.example\n\nfirst\n\nsecond\n\nthird\n\n")
    answer.append("see [here]")
    assert answer.blocks[-1].layout(60).plain == "see here (http://h.example)"


async def test_what_is_fed_is_drawn_paced_and_finish_draws_the_rest() -> None:
    answer = Answer()
    async with shown(answer) as pilot:
        for word in ["one ", "two ", "three\r"]:
            answer.feed(word)
        assert answer.source == "one two three"
        answer.finish()
        await pilot.pause()
        assert answer.source == "one two three\n"
        assert text_of(views(answer)[0]) == ["one two three"]


async def test_what_is_fed_before_mounting_waits_for_no_frame_and_is_shown() -> None:
    answer = Answer()
    answer.feed("one ")
    assert [block.source for block in answer.blocks] == ["one "]
    answer.feed("two")
    assert answer.source == "one two"
    async with shown(answer) as pilot:
        answer.finish()
        await pilot.pause()
        assert text_of(views(answer)[0]) == ["one two"]


async def test_held_nothing_is_drawn_and_nothing_is_lost() -> None:
    answer = Answer("a")
    async with shown(answer) as pilot:
        answer.hold()
        answer.feed(" b")
        await pilot.pause()
        assert text_of(views(answer)[0]) == ["a"]
        assert answer.source == "a b"
        answer.release()
        await pilot.pause()
        assert text_of(views(answer)[0]) == ["a b"]


async def test_a_draft_is_dim_until_it_turns_solid() -> None:
    answer = Answer("words", draft=True)
    async with shown(answer) as pilot:
        (view,) = views(answer)
        assert answer.draft
        assert all(segment.style and segment.style.dim for segment in view.render_line(0))
        answer.draft = False
        await pilot.pause()
        assert not any(segment.style and segment.style.dim for segment in view.render_line(0))


async def test_the_nth_fence_is_copied_from_the_source() -> None:
    answer = Answer("```py\nx  =\t1\n```\n\n- a\n  ```\n  y\n  ```\n\n> ~~~\n> z\n")
    assert answer.code_block(1) == "x  =\t1\n"
    assert answer.code_block(2) == "y\n"
    assert answer.code_block(3) == "z"
    assert answer.code_block(0) is None
    assert answer.code_block(4) is None


async def test_selecting_everything_gives_the_text_without_what_the_layout_put_in() -> None:
    answer = Answer(DOCUMENT)
    async with shown(answer, size=(40, 60)) as pilot:
        assert views(answer)[1].size.height == 3
        pilot.app.screen.selections = dict.fromkeys(views(answer), SELECT_ALL)
        text = pilot.app.screen.get_selected_text()
        assert text is not None
        assert "long enough to be wrapped at least once on a narrow screen, and code." in text
        assert "\n\n1. one\n2. two\n\nprint(1)\n\nquoted words\n\na │ b\n1 │ 2\n\n\n\nthe end" in text


async def test_dragging_across_blocks_selects_and_shows_the_text() -> None:
    answer = Answer("# Title\n\nfirst words\n\n- item one\n- item two")
    async with shown(answer) as pilot:
        title, _, items = views(answer)
        before = title.render_line(0)
        await pilot.mouse_down(title, offset=(2, 0))
        await pilot.hover(items, offset=(6, 1))
        await pilot.mouse_up(items, offset=(6, 1))
        assert pilot.app.screen.get_selected_text() == "tle\n\nfirst words\n\n• item one\n• item"
        selected = title.render_line(0)
        assert selected is not before
        assert selected.text == before.text
        pilot.app.screen.clear_selection()
        await pilot.pause()
        assert title.render_line(0) == before


@pytest.mark.parametrize(
    ("selection", "text"),
    [
        (Selection(Offset(4, 0), Offset(4, 0)), ""),
        (Selection(Offset(3, 0), Offset(7, 1)), "some words that"),
        (Selection(None, Offset(6, 1)), "1. some words tha"),
        (Selection(Offset(6, 1), None), "t wrap\n2. two"),
        (Selection(Offset(0, 2), Offset(2, 2)), "2."),
    ],
)
async def test_part_of_a_block_is_selected_as_text(selection: Selection, text: str) -> None:
    answer = Answer("1. some words that wrap\n2. two")
    async with shown(answer, size=(16, 20)):
        (view,) = views(answer)
        assert text_of(view)[:2] == ["1. some words", "   that wrap"]
        found = view.get_selection(selection)
        assert found is not None
        assert found[0] == text


async def test_another_theme_draws_anew() -> None:
    answer = Answer("# Title")
    async with shown(answer) as pilot:
        pilot.app.theme = "textual-dark"
        await pilot.pause()
        dark = views(answer)[0].render_line(0)
        pilot.app.theme = "textual-light"
        await pilot.pause()
        light = views(answer)[0].render_line(0)
        assert light.text == dark.text
        assert light != dark


async def test_every_theme_knows_every_style(recwarn: pytest.WarningsRecorder) -> None:
    answer = Answer(DOCUMENT + "\n\n[l](http://l) ![i](i.png)\n\n<div>x</div>")
    async with shown(answer) as pilot:
        for theme in pilot.app.available_themes:
            pilot.app.theme = theme
            await pilot.pause()
            styles = {style for view in views(answer) for span in view.render().spans if (style := span.style)}
            for style in styles:
                pilot.app.stylesheet.parse_style(style)
    assert not recwarn


async def test_without_colours_headings_emphasis_and_links_are_still_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    answer = Answer("# Title\n\n**bold** [link](http://l)")
    async with shown(answer) as pilot:
        segments = [
            segment
            for view in views(answer)
            for strip in view.render_lines(view.region.reset_offset)
            for segment in strip
        ]
        assert pilot.app.no_color
        for segment in segments:
            colour = segment.style.color if segment.style else None
            assert colour is None or colour.triplet is None or len(set(colour.triplet)) == 1
        told = {segment.text.strip(): segment.style for segment in segments if segment.style}
        assert [told["Title"].bold, told["Title"].underline, told["bold"].bold, told["link"].underline] == [True] * 4


async def test_another_width_wraps_anew() -> None:
    answer = Answer("word " * 20)
    async with shown(answer, size=(60, 20)) as pilot:
        (view,) = views(answer)
        assert view.size.height == 2
        await pilot.resize_terminal(30, 20)
        await pilot.pause()
        assert view.size.height == 4
        assert view.get_content_width(Size(77, 5), Size(80, 20)) == 77
        assert not view.render_line(99).text.strip()


async def test_foreign_control_characters_do_not_reach_the_screen() -> None:
    answer = Answer("a\x1b]0;title\x07b\x9b31mc\u2028d")
    assert answer.source == "abc\nd"
