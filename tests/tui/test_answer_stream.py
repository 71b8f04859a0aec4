from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App

from hybridchat.tui.answer import Answer
from hybridchat.tui.block_view import BlockView
from tests.tui.documents import chunked, documents, mistakable

if TYPE_CHECKING:
    from textual.content import Span

    from hybridchat.tui.blocks import Block

cuts = st.lists(st.integers(min_value=0, max_value=2000), max_size=40)


def picture(blocks: list[Block]) -> list[tuple[str, int, str, list[Span]]]:
    laid_out = [(block, block.layout(50)) for block in blocks]
    return [(block.kind.value, block.first_line, content.plain, list(content.spans)) for block, content in laid_out]


def streamed(pieces: list[str]) -> Answer:
    answer = Answer()
    for piece in pieces:
        answer.append(piece)
    answer.finish()
    return answer


def whole(text: str) -> Answer:
    return streamed([text])


@settings(deadline=None, max_examples=120)
@given(text=documents, at=cuts)
def test_any_chunking_of_a_document_ends_in_the_picture_of_the_whole(text: str, at: list[int]) -> None:
    answer, once = streamed(chunked(text, at)), whole(text)
    assert answer.source == once.source
    assert picture(answer.blocks) == picture(once.blocks)


@settings(deadline=None, max_examples=120)
@given(text=st.one_of(mistakable, documents))
def test_character_by_character_ends_in_the_picture_of_the_whole(text: str) -> None:
    assert picture(streamed(list(text)).blocks) == picture(whole(text).blocks)


@settings(deadline=None, max_examples=25)
@given(text=st.one_of(mistakable, documents))
def test_every_moment_of_a_stream_without_definitions_shows_what_the_part_alone_would(text: str) -> None:
    text = text.replace("]:", "] ")
    answer = Answer()
    for end, character in enumerate(text, 1):
        answer.append(character)
        if character != "\r":
            assert picture(answer.blocks) == picture(Answer(text[:end]).blocks)


@settings(deadline=None, max_examples=6)
@given(text=documents, at=cuts)
async def test_on_the_screen_the_widgets_are_those_of_the_whole_in_their_order(text: str, at: list[int]) -> None:
    answer, once = Answer(), Answer(text)
    app = App[None]()
    async with app.run_test() as pilot:
        await app.mount(answer, once)
        for piece in chunked(text, at):
            answer.append(piece)
            await pilot.pause()
        answer.finish()
        once.finish()
        await pilot.pause()
        views = [list(shown.query(BlockView)) for shown in (answer, once)]
        assert [view.block.source for view in views[0]] == [view.block.source for view in views[1]]
        assert [view.size for view in views[0]] == [view.size for view in views[1]]
        lines = [[view.render_line(y).text for view in shown for y in range(view.size.height)] for shown in views]
        assert lines[0] == lines[1]
