from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.token import Token
from rich.cells import cell_len

from hybridchat.tui import code, inline
from hybridchat.tui.blocks import Kind, blocks
from tests.tui.documents import documents, mistakable


def drawn(source: str, width: int = 40) -> list[str]:
    return "\n\n".join(block.layout(width).plain for block in blocks(source)).split("\n")


def styles(source: str, of: str) -> set[str]:
    content = blocks(source)[0].layout(60)
    start = content.plain.index(of)
    return {str(style) for begin, end, style in content.spans if begin <= start and start + len(of) <= end}


def test_blocks_know_their_kind_their_first_line_and_their_source() -> None:
    source = "# A\n\ntext\nmore\n\n- x\n\n| a |\n|---|\n\n```\nc\n```\n\n> q\n\n***\n\n<div>\n\n    code"
    found = blocks(source, first_line=10)
    assert [block.kind for block in found] == [
        Kind.HEADING, Kind.PARAGRAPH, Kind.LIST, Kind.TABLE, Kind.CODE, Kind.QUOTE, Kind.RULE, Kind.HTML, Kind.CODE,
    ]  # fmt: skip
    assert [block.first_line for block in found] == [10, 12, 15, 17, 20, 24, 26, 28, 30]
    assert found[1].source == "text\nmore"


def test_no_text_is_taken_for_console_markup() -> None:
    source = "[bold]not bold[/bold] [/nothing] [@click=app.quit]no[/]"
    content = blocks(source)[0].layout(80)
    assert content.plain == source
    assert not content.spans


@pytest.mark.parametrize(
    ("source", "text", "style"),
    [
        ("a **strong** b", "strong", "bold"),
        ("a *soft* b", "soft", "italic"),
        ("a ~~gone~~ b", "gone", "strike"),
        ("# title", "title", "$text-primary bold underline"),
    ],
)
def test_emphasis_is_told_by_more_than_colour(source: str, text: str, style: str) -> None:
    assert style in styles(source, text)


def test_a_link_shows_where_it_leads() -> None:
    assert drawn("[bank](http://evil.example)") == ["bank (http://evil.example)"]
    assert drawn("[**bank**](http://evil.example)") == ["bank (http://evil.example)"]
    assert drawn("<http://a.example> <me@a.example>") == ["http://a.example me@a.example"]
    assert drawn("[run](javascript:alert)") == ["[run](javascript:alert)"]


def test_a_reference_link_finds_its_address_in_the_text() -> None:
    assert drawn("[here][r]\n\n[r]: http://r.example") == ["here (http://r.example)"]


def test_html_is_shown_as_it_is_written_but_for_line_breaks() -> None:
    assert drawn("a <b>b</b><br>c<BR/>d") == ["a <b>b</b>", "c", "d"]
    assert drawn("<div>\n<i>x</i>\n</div>") == ["<div>", "<i>x</i>", "</div>"]


def test_a_picture_is_its_description_and_address() -> None:
    assert drawn("![a cat](cat.png)") == ["image: a cat (cat.png)"]


def test_a_backslash_at_the_end_breaks_the_line_and_a_line_end_does_not() -> None:
    assert drawn("a\\\nb\nc") == ["a", "b c"]


def test_lists_hang_their_wrapped_lines_under_their_text() -> None:
    assert drawn("9. nine words that are too long\n10. ten\n    - inner words that wrap", 20) == [
        " 9. nine words that",
        "    are too long",
        "10. ten",
        "    ◦ inner words",
        "      that wrap",
    ]


def test_lists_in_lists_change_their_bullets() -> None:
    assert drawn("- a\n  - b\n    - c\n      - d") == ["• a", "  ◦ b", "    ▪ c", "      • d"]


def test_a_loose_list_keeps_its_blank_lines_and_a_tight_one_has_none() -> None:
    assert drawn("- a\n\n- b\n\n  c") == ["• a", "", "• b", "", "  c"]
    assert drawn("- a\n- b\n-") == ["• a", "• b", "• "]


def test_tasks_have_boxes_and_numbered_tasks_keep_their_numbers() -> None:
    assert drawn("- [ ] open\n- [x] done\n- [y] neither") == ["☐ open", "☑ done", "• [y] neither"]
    assert drawn("1. [X] done\n   - more") == ["1. done", "   ◦ more"]
    assert drawn("- [ ] open\n\n  more") == ["☐ open", "", "  more"]


def test_quotes_have_a_bar_at_every_line() -> None:
    assert drawn("> some words to wrap\n> - and a list", 14) == ["▌ some words", "▌ to wrap", "▌ ", "▌ • and a list"]


def test_a_rule_is_as_wide_as_the_screen() -> None:
    assert drawn("***", 30) == ["─" * 30]


def test_code_keeps_its_spaces_says_its_language_and_is_cut_only_where_it_must_be() -> None:
    assert drawn("```python x\ndef f():\n\treturn  1\n\n```", 20) == ["python", "def f():", "    return  1"]
    assert drawn("```\n" + "x " * 10 + "\n```", 12) == ["x x x x x x ", "x x x x "]
    assert drawn("- a\n  ```sh\n  ls\n\n  pwd\n  ```") == ["• a", "    sh", "    ls", "", "    pwd"]


def test_a_language_that_nobody_knows_leaves_code_plain_and_none_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    def guess(*_: object, **__: object) -> str:
        raise AssertionError("a language was guessed")

    monkeypatch.setattr("textual.highlight.guess_language", guess)
    for info in ("no-such-language", ""):
        assert drawn(f"```{info}\ndef f(): 'x'\n```")[-1] == "def f(): 'x'"


def test_growing_code_is_highlighted_up_to_a_length_and_again_when_it_is_closed() -> None:
    def colours(lines: int, end: str) -> int:
        return len(blocks("```python\n" + "x = 'y'\n" * lines + end)[0].layout(60).spans)

    assert colours(20, "x") > 20
    assert colours(code.OPEN_LIMIT + 5, "x") < 5
    assert colours(code.OPEN_LIMIT + 5, "```") > code.OPEN_LIMIT
    assert colours(code.CLOSED_LIMIT + 5, "```") < 5


def test_a_fence_that_holds_a_shorter_fence_is_still_open() -> None:
    assert len(blocks("````python\n" + "x = 'y'\n" * 70 + "```")[0].layout(60).spans) < 5


TABLE = "| Name | Count | 値 |\n|:--|--:|:-:|\n| one | 1 | 日本 |\n| *two* | 22222 | x<br>y |"


def test_tables_align_their_columns_with_wide_characters_too() -> None:
    assert drawn(TABLE) == [
        "Name │ Count │  値 ",
        "─────┼───────┼─────",
        "one  │     1 │ 日本",
        "two  │ 22222 │  x  ",
        "     │       │  y  ",
    ]
    assert {cell_len(line) for line in drawn(TABLE)} == {len(drawn(TABLE)[1])}


def test_a_table_that_is_too_wide_wraps_its_widest_column_first() -> None:
    lines = drawn("| key | text |\n|---|---|\n| abc | " + "word " * 12 + "|", 24)
    assert lines[0].startswith("key │ text")
    assert all(cell_len(line) <= 24 for line in lines)
    assert lines[2].startswith("abc │ word word")
    assert lines[3].startswith("    │ word")


def test_a_table_with_more_columns_than_fit_becomes_records() -> None:
    source = "| first | second | third |\n|---|---|---|\n| aaaa | bbbb | cccc cccc |\n| d | e | f |"
    assert drawn(source, 14) == [
        "first: aaaa", "second: bbbb", "third: cccc", "  cccc", "", "first: d", "second: e", "third: f",
    ]  # fmt: skip
    assert drawn("| first | second | third |\n|---|---|---|", 14) == ["first: ", "second: ", "third: "]


def test_another_width_lays_out_anew_and_the_same_width_does_not() -> None:
    block = blocks("some words to wrap")[0]
    assert block.lines(40) is block.lines(40)
    assert block.layout(12).plain == "some words\nto wrap"
    assert block.layout(40).plain == "some words to wrap"


def test_inline_text_is_kept_so_that_a_growing_list_costs_one_item(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = inline._parser().parseInline

    def counted(text: str, env: dict[str, object]) -> list[Token]:
        parsed.append(text)
        return parse(text, env)

    monkeypatch.setattr(inline._parser(), "parseInline", counted)
    items = [f"- grown item *{number}*" for number in range(30)]
    for end in range(1, 31):
        blocks("\n".join(items[:end]))[0].lines(40)
    assert len(parsed) == 30


def test_of_a_text_that_grows_very_long_no_version_is_kept() -> None:
    source = "a *b* " * 1000
    first, second = (blocks(source)[0].lines(40)[0] for _ in range(2))
    assert first is not second
    assert first.same(second)
    short = [blocks("a *b*")[0].lines(40)[0] for _ in range(2)]
    assert short[0] is short[1]


@pytest.mark.parametrize("source", [">" * 500 + " deep", "\n".join("  " * depth + "- a" for depth in range(120))])
def test_what_is_nested_too_deep_to_parse_is_shown_as_written(source: str) -> None:
    assert drawn(source, 1000)[-1].strip() == source.rsplit("\n", maxsplit=1)[-1].strip()
    assert len(drawn("\n".join("  " * depth + "- a" for depth in range(40)), 200)) == 40


def test_one_endless_line_of_code_is_not_highlighted() -> None:
    assert len(blocks("```python\n" + "x = 1;" * 6000 + "\n```")[0].layout(60).spans) < 5


@settings(deadline=None, max_examples=100)
@given(source=st.one_of(documents, mistakable), width=st.integers(min_value=24, max_value=90))
def test_no_line_is_wider_than_the_screen(source: str, width: int) -> None:
    source = source.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\x0b", "\n")
    for block in blocks(source):
        for line in block.lines(width):
            assert line.content.cell_length <= width
            assert "\n" not in line.content.plain


@pytest.mark.parametrize(("no_color", "told"), [("1", "reverse"), ("", "$text-warning on $boost")])
def test_inline_code_can_be_told_without_colour(no_color: str, told: str) -> None:
    program = "from hybridchat.tui.inline import inline; print(inline('`x`', ()).spans[0].style)"
    environ = {**os.environ, "NO_COLOR": no_color}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told
