"""Markdown documents for property tests: well-formed pieces in any order, and text that tries to be mistaken."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

_words = st.sampled_from(
    [
        "alpha",
        "beta *gamma*",
        "**delta**",
        "`code`",
        "[link](http://a.b)",
        "[late]",
        "[x]: no",
        "日本語",
        "שלום עולם",
        "مرحبا",
        "👩‍👩‍👧",
        "[bold]markup[/bold]",
        "<b>html</b>",
        "a\\*b",
        "~~gone~~",
        "![alt](p.png)",
        "1.",
        "-",
        "a|b",
        "$x",
    ]
)
_line = st.lists(_words, min_size=1, max_size=6).map(" ".join)
_lines = st.lists(_line, min_size=1, max_size=4)


def _prefixed(first: str, rest: str = "") -> st.SearchStrategy[str]:
    return _lines.map(
        lambda lines: "\n".join((first if number == 0 else rest) + line for number, line in enumerate(lines))
    )


@st.composite
def _list(draw: st.DrawFn) -> str:
    gap = draw(st.sampled_from(["\n", "\n\n"]))
    items = draw(
        st.lists(st.tuples(st.sampled_from(["- ", "* ", "1. ", "3. ", "7) ", "- [ ] ", "- [x] "]), _line), min_size=1)
    )
    nested = draw(
        st.sampled_from(
            ["", "\n   - inner", "\n   1. inner\n      - deeper", "\n\n   loose", "\n   ```py\n   x = 1\n   ```"]
        )
    )
    return gap.join(marker + text + nested for marker, text in items)


@st.composite
def _fence(draw: st.DrawFn) -> str:
    mark = draw(st.sampled_from(["```", "~~~", "````"]))
    info = draw(st.sampled_from(["", "python", "py title=x", "no-such-language"]))
    body = draw(st.lists(st.sampled_from(["def f():", "\treturn 1", "", "```", "# note", "日本語" * 9]), max_size=5))
    return "\n".join([mark + info, *body, *([mark] if draw(st.booleans()) else [])])


@st.composite
def _table(draw: st.DrawFn) -> str:
    rule = draw(st.sampled_from(["|---|:-:|--:|", "---|---|---", "|-|-|"]))
    rows = draw(st.lists(_line, max_size=4))
    return "\n".join(["| a | 値 | c |", rule, *(f"| {row} | {row[:3]} | 1 |" for row in rows)])


_pieces = st.one_of(
    _lines.map("\n".join),
    _line.map("## {}".format),
    _line.map("{}\n===".format),
    _line.map("{}\n---".format),
    _prefixed("> ", "> "),
    _prefixed("> - ", ">   "),
    _prefixed("    ", "    "),
    _list(),
    _fence(),
    _table(),
    st.sampled_from(
        [
            "***",
            "---",
            "<div>\n*x*\n</div>",
            "<!-- a\n\nb -->",
            "[late]: http://l.t 'title'",
            "[x]:\nhttp://x",
            "\u2028",
            "a\x0bb",
        ]
    ),
)
documents = st.lists(
    st.tuples(_pieces, st.sampled_from(["\n", "\n\n", "\r\n", "\r\n\r\n", "\n\n\n", "\u2028"])), max_size=7
).map(lambda parts: "".join(piece + gap for piece, gap in parts))
"""Documents of everything that Markdown has, in any order."""

mistakable = st.text(alphabet="ab-*+#`~>|[]():=_019. \n\n\r\t<&\\!\u2028値", max_size=80)
"""Text in which nearly every character could begin or end something."""


def chunked(text: str, cuts: list[int]) -> list[str]:
    """Return ``text`` cut at ``cuts``, taken modulo its length."""
    at = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(at)]
