from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.backends.transport.lines import LineTooLong, events, lines


async def chunked(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def lines_of(*chunks: bytes) -> list[bytes]:
    return [line async for line in lines(chunked(chunks))]


async def events_of(*chunks: bytes) -> list[bytes]:
    return [event async for event in events(chunked(chunks))]


def split_at(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(bounds)]


CUTS = st.lists(st.integers(0, 80), max_size=12)
LINE_SOUP = st.lists(st.sampled_from([b"{}", b"\n", b"\r", b"\r\n", b" ", "\u2028é\x85".encode(), b"\x0b"])).map(
    b"".join
)
EVENT_SOUP = st.lists(
    st.sampled_from(
        [b"data:", b"data: ", b": hi", b"event: x", b"id:1", b"\n", b"\n\n", b"\r\n", b"data", "é".encode()]
    )
).map(b"".join)


@given(data=LINE_SOUP, cuts=CUTS)
async def test_lines_do_not_depend_on_where_the_chunks_end(data: bytes, cuts: list[int]) -> None:
    assert await lines_of(*split_at(data, cuts)) == await lines_of(data)


@given(data=LINE_SOUP)
async def test_lines_keep_every_byte_that_is_no_line_end(data: bytes) -> None:
    expected = [part.removesuffix(b"\r") for part in data.split(b"\n")]
    assert await lines_of(data) == [line for line in expected if line.strip()]


@given(data=EVENT_SOUP, cuts=CUTS)
async def test_events_do_not_depend_on_where_the_chunks_end(data: bytes, cuts: list[int]) -> None:
    assert await events_of(*split_at(data, cuts)) == await events_of(data)


async def test_only_a_newline_ends_a_line() -> None:
    text = "a\u0085b\u2028c\u2029d\x0be\x0cf\rg"
    assert await lines_of(text.encode() + b"\n") == [text.encode()]


async def test_one_trailing_carriage_return_is_dropped() -> None:
    assert await lines_of(b"a\r\r\nb\r\n") == [b"a\r", b"b"]


async def test_blank_lines_are_skipped_and_an_unterminated_last_line_is_not() -> None:
    assert await lines_of(b"\n\r\n  \na\n\n", b"b") == [b"a", b"b"]


async def test_a_character_cut_by_a_chunk_arrives_whole() -> None:
    euro = "€".encode()
    assert await lines_of(euro[:1], euro[1:2], euro[2:] + b"\n") == [euro]


@pytest.mark.parametrize("chunks", [(b"ok\n", b"12345", b"6789"), (b"ok\n123456789\n",), (b"ok\n1234567", b"89\n")])
async def test_a_line_beyond_the_limit_raises_after_those_before_it(chunks: tuple[bytes, ...]) -> None:
    async with aclosing(lines(chunked(chunks), limit=8)) as cut:
        assert await anext(cut) == b"ok"
        with pytest.raises(LineTooLong):
            await anext(cut)


async def test_a_line_of_exactly_the_limit_passes() -> None:
    assert [line async for line in lines(chunked([b"12345678\n"]), limit=8)] == [b"12345678"]


async def test_closing_the_lines_leaves_the_chunks_usable_by_their_owner() -> None:
    source = chunked([b"a\nb\n", b"c\n"])
    async with aclosing(lines(source)) as cut:
        assert await anext(cut) == b"a"
    assert await anext(source) == b"c\n"


async def test_data_may_stand_with_or_without_a_space() -> None:
    assert await events_of(b"data: a\n\ndata:b\n\ndata:  c\n\n") == [b"a", b"b", b" c"]


async def test_comments_and_other_fields_are_ignored() -> None:
    assert await events_of(b": keep-alive\n\nevent: message\nid: 7\nretry: 9\ndata: a\n\n: bye\n\n") == [b"a"]


async def test_several_data_lines_make_one_event() -> None:
    assert await events_of(b"data: a\r\ndata:\r\ndata: b\r\n\r\n") == [b"a\n\nb"]


async def test_events_without_data_are_skipped() -> None:
    assert await events_of(b"data:\n\nevent: ping\n\ndata: a\n\n") == [b"a"]


async def test_an_event_without_its_blank_line_at_the_end_still_counts() -> None:
    assert await events_of(b"data: a\n\ndata: [DONE]") == [b"a", b"[DONE]"]


async def test_an_event_is_not_cut_at_unicode_line_separators() -> None:
    assert await events_of("data: a\u2028b\u0085c\n\n".encode()) == ["a\u2028b\u0085c".encode()]


async def test_an_event_of_many_lines_beyond_the_limit_raises() -> None:
    with pytest.raises(LineTooLong):
        [event async for event in events(chunked([b"data: 12\n"] * 9), limit=20)]
