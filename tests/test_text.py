from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybridchat.text import STRING_LIMIT, StreamCleaner, clean, one_line

FRAGMENTS = [
    "\x1b", "[", "]", "\\", "31m", "0;title", "\x07", "\x9c", "\x9b", "\x9d", "P", "X", "^", "_", "(", "B", " ", "\r",
    "\n", "\t", "\x0b", "\x0c", "\x85", "\u2028", "\x18", "\x1a", "\x00", "\x7f", "\ud83d", "\ude00", "\udb40",
    "\udc41", "a", "é", "漢", "\u202e", "\u2066", "\U000e0041", "\u200d", "\ufeff", "x" * 70, "1;" * 70,
]  # fmt: skip
hostile = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join),
    st.text(st.characters(exclude_categories=[]), max_size=50),
)
plain = st.text(st.characters(exclude_categories=["Cc", "Cn", "Cs", "Cf", "Zl", "Zp"]) | st.sampled_from("\n\t"))


def streamed(text: str, cuts: list[int]) -> str:
    cleaner = StreamCleaner()
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    pieces = [cleaner.feed(text[a:b]) for a, b in itertools.pairwise(edges)]
    return "".join(pieces) + cleaner.flush()


def is_forbidden(character: str) -> bool:
    category = unicodedata.category(character)
    return (
        (category == "Cc" and character not in "\n\t")
        or category in {"Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(character) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        or "\U000e0000" <= character <= "\U000e007f"
    )


@given(hostile)
def test_no_forbidden_character_comes_through(text: str) -> None:
    assert not [c for c in clean(text) if is_forbidden(c)]
    clean(text).encode()


@given(hostile)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(hostile, st.lists(st.integers(min_value=0)))
@example("\x1b]0;" + "x" * (STRING_LIMIT + 1) + "\x07", [10, 1026, 1028])
@example("\x1b]0;" + "x" * (STRING_LIMIT - 2) + "\x07", [STRING_LIMIT + 2])
@example("\x1b[" + "1" * 129 + "mx", [129, 130, 131])
@example("a\x1b]0;t\x1b", [])
@example("\x1b]a\x1b]b\x07c", [4, 5])
def test_any_cutting_of_a_stream_gives_what_the_whole_text_gives(text: str, cuts: list[int]) -> None:
    assert streamed(text, cuts) == clean(text)
    assert streamed(text, list(range(len(text)))) == clean(text)


@given(plain)
def test_plain_text_is_untouched_and_never_held_back(text: str) -> None:
    assert clean(text) == text
    assert StreamCleaner().feed(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;2;1;2;3mcolour\x1b[m", "colour"),
        ("\x1b[?25l\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b[0 qcursor shape", "cursor shape"),
        ("\x9b2A8-bit", "8-bit"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;ZXZpbA==\x1b\\text", "text"),
        ("\x9d8;;http://x.example\x9clink\x9d8;;\x9c", "link"),
        ("\x1bP1$r0m\x1b\\text", "text"),
        ("\x1b_Gf=100;AAAA\x1b\\text", "text"),
        ("\x1b^private\x1b\\\x1bXstart\x9ctext", "text"),
        ("\x1b(B\x1b)0\x1b#8\x1b=\x1b>\x1bc\x1b7text", "text"),
        ("\x1b]0;cancelled\x18text", "text"),
        ("\x1b]0;cut off by\x1b[31mtext", "text"),
        ("stray \x1b\\end \x1b", "stray end "),
        ("\x1b\x1b[1mtwice", "twice"),
        ("\x1b[31\nline", "\nline"),
        ("\x1bé", "é"),
    ],
)
def test_escape_sequences_go_whole(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text", ["\x1b]0;never ended", "\x1b]0;never ended\nnext line", "\x9d" + "x" * (STRING_LIMIT + 1)]
)
def test_a_control_string_without_an_end_swallows_nothing(text: str) -> None:
    assert clean(text) == re.sub(r"^(\x1b\]|\x9d)", "", text)


def test_the_hold_back_is_bounded() -> None:
    cleaner = StreamCleaner()
    assert not cleaner.feed("\x1b]0;")
    shown = "".join(cleaner.feed("word ") for _ in range(1000))
    assert 5000 - len(shown) < 5
    assert cleaner.feed(" on") == " on"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029", "\x0b", "\x0c"])
def test_every_line_break_becomes_a_newline(line_break: str) -> None:
    assert clean(f"a{line_break}b") == "a\nb"


def test_a_carriage_return_cannot_overwrite_a_line() -> None:
    assert clean("safe\rfake") == "safe\nfake"


def test_surrogates_are_joined_or_replaced() -> None:
    assert clean("\ud83d\ude00") == "\U0001f600"
    assert clean("\ud83d x \ude00") == "\ufffd x \ufffd"
    cleaner = StreamCleaner()
    assert cleaner.feed("a\ud83d") == "a"
    assert cleaner.feed("\ude00b") == "\U0001f600b"


def test_a_tag_character_in_two_halves_is_still_removed() -> None:
    assert clean("a\udb40\udc41b") == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧 ❤️ 🇩🇪",
        "می‌خواهم",
        "क्‍ष",
        "שלום\u200f!",
        "ภาษา\u200bไทย",
        "葛\U000e0100城",
        "co\u00adoperate",
        "[31m is text",
    ],
)
def test_emoji_and_scripts_keep_their_joiners(text: str) -> None:
    assert clean(text) == text


def test_a_reordered_file_name_reads_as_it_is() -> None:
    assert clean("photo_\u202egpj.exe") == "photo_gpj.exe"


def test_a_used_cleaner_starts_afresh_after_its_flush() -> None:
    cleaner = StreamCleaner()
    assert not cleaner.feed("\r")
    assert cleaner.flush() == "\n"
    assert cleaner.feed("\nx") == "\nx"
    assert cleaner.flush() == ""


def test_one_line_is_one_line_of_at_most_its_limit() -> None:
    assert one_line("  two\r\nlines\t\x1b[1mand more ", 80) == "two lines and more"
    assert one_line("abcdef", 6) == "abcdef"
    assert one_line("abcdefg", 6) == "abcde…"
    assert one_line("abcd efg", 6) == "abcd…"


@given(hostile, st.integers(min_value=1, max_value=40))
def test_one_line_never_breaks_its_promise(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert one_line(line, limit) == line
