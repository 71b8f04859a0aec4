from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.tui.blocks import blocks
from hybridchat.tui.doubts import GUTTER, Doubt, doubts, underlined, within

SHAKY, SURE = math.log(0.3), math.log(0.9)


def marked(source: str, *shaky: str, width: int = 60) -> list[tuple[str, list[str]]]:
    """Return the lines that are drawn of a block, each with what is underlined in it."""
    block = blocks(source)[0]
    found = [Doubt(source.index(part), source.index(part) + len(part), False) for part in shaky]
    lines = underlined(block.lines(width), block.source, found)
    return [
        (
            line.content.plain.rstrip(),
            [line.content.plain[s.start : s.end] for s in line.content.spans if "underline dim" in str(s.style)],
        )
        for line in lines
    ]


def test_doubted_words_are_underlined_where_markdown_is_drawn_without_its_signs() -> None:
    assert marked("**John** wrote `it` in [1959](https://a.test)", "John", "1959") == [
        ("~ John wrote it in 1959 (https://a.test)", ["John", "1959"])
    ]


def test_the_same_word_is_underlined_only_where_it_was_doubted() -> None:
    source = "one two one"
    block = blocks(source)[0]
    (line,) = underlined(block.lines(40), source, [Doubt(8, 11, True)])
    assert [(span.start, span.end) for span in line.content.spans if "bold" in str(span.style)][-1] == (10, 13)
    assert line.content.plain == "? one two one"


def test_each_line_says_whether_something_in_it_is_doubted() -> None:
    assert marked("- first\n- second\n- third", "second") == [
        ("  • first", []),
        ("~ • second", ["second"]),
        ("  • third", []),
    ]


def test_a_word_that_is_wrapped_is_underlined_in_both_lines() -> None:
    drawn = marked("a Donaudampfschifffahrt b", "Donaudampfschifffahrt", width=12)
    assert "".join("".join(parts) for _, parts in drawn) == "Donaudampfschifffahrt"


def test_code_and_tables_are_underlined_too() -> None:
    assert marked("```python\nx = 1\ny = 2\n```", "2")[-1] == ("~ y = 2", ["2"])
    assert marked("| a | b |\n|---|---|\n| 1 | 2 |", "2")[-1] == ("~ 1 │ 2", ["2"])


def test_tokens_are_found_in_the_text_and_lose_their_spaces() -> None:
    tokens = [("Par", SURE), ("is", SHAKY), (" \x1b", SHAKY), (" was", SHAKY), ("", SHAKY), ("\n", SHAKY)]
    assert doubts("Paris was\n", tokens) == [Doubt(3, 5, False), Doubt(6, 9, False)]


def test_doubts_are_cut_to_a_block() -> None:
    assert within([Doubt(0, 4, False), Doubt(8, 12, True), Doubt(20, 22, False)], 10, 18) == [Doubt(0, 2, True)]


@given(st.text(alphabet="ab *_`#->|\n1.[]()", max_size=60), st.data())
def test_whatever_is_doubted_nothing_is_added_to_the_text_but_the_mark(source: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(source)))
    for block in blocks(source):
        plain = block.lines(40)
        drawn = underlined(plain, block.source, within([Doubt(start, start + 5, False)], 0, len(block.source)))
        assert [line.content.plain[GUTTER:] for line in drawn] == [line.content.plain for line in plain]
        assert [line.skip - GUTTER for line in drawn] == [line.skip for line in plain]


@pytest.mark.parametrize("width", [12, 40])
def test_without_a_doubt_nothing_is_underlined(width: int) -> None:
    assert all(not parts for _, parts in marked("one **two** three", width=width))
