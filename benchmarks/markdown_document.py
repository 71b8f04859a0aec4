"""A long Markdown answer, the same each time: headings, prose, code, lists and tables, as chat models write them."""

from __future__ import annotations

import random
import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = (  # noqa: SIM905 - a sentence reads better than forty quoted words
    "the a model answer token local remote stream buffer latency cache window context prompt memory thread signal "
    "measure because which when every between never should could value result number order small large first last "
    "reads writes returns keeps drops moves"
).split()
_TOKEN = re.compile(r"\s?\w{1,5}|\s|[^\w\s]")


def sections(seed: int = 1) -> Iterator[str]:
    """Yield sections without end: of one structure and about one length, with other words each."""
    words = random.Random(seed)
    number = 0
    while True:
        number += 1
        yield _section(words, number)


def tokens(count: int) -> list[str]:
    """Return the document's first ``count`` tokens: pieces of about three characters that together are its text."""
    return list(islice((token for section in sections() for token in split(section)), count))


def split(text: str) -> list[str]:
    """Return ``text`` in pieces of a token's length."""
    return _TOKEN.findall(text)


def open_list(items: int) -> str:
    """Return a bullet list that goes on."""
    words = random.Random(2)
    return "\n".join(f"- **{words.choice(_WORDS)}**: {_prose(words, 10)}" for _ in range(items))


def open_table(rows: int) -> str:
    """Return a table that goes on."""
    words = random.Random(3)
    lines = [f"| {_prose(words, 2)} | {words.randrange(1000)} | `{words.choice(_WORDS)}` |" for _ in range(rows)]
    return "\n".join(["| Name | Count | Call |", "|:-----|------:|:-----|", *lines])


def _prose(words: random.Random, count: int) -> str:
    return " ".join(words.choice(_WORDS) for _ in range(count))


def _paragraph(words: random.Random) -> str:
    return (
        f"{_prose(words, 18)} **{_prose(words, 2)}** {_prose(words, 12)} `{words.choice(_WORDS)}` {_prose(words, 9)}."
    )


def _section(words: random.Random, number: int) -> str:
    head = [f"def {words.choice(_WORDS)}_{number}(value: int) -> str:", f'    """{_prose(words, 6)}."""']
    body = [f"    {words.choice(_WORDS)} = value * {words.randrange(90)}  # {_prose(words, 4)}" for _ in range(9)]
    rows = [f"| {words.choice(_WORDS)} | {words.randrange(999)} | {_prose(words, 4)} |" for _ in range(6)]
    parts = [
        f"## {number}. {_prose(words, 4)}",
        _paragraph(words),
        "\n".join(f"- **{words.choice(_WORDS)}**: {_prose(words, 9)}" for _ in range(6)),
        _paragraph(words),
        "```python\n" + "\n".join([*head, *body, "    return str(value)"]) + "\n```",
        "\n".join(f"{i}. {_prose(words, 8)}\n   - {_prose(words, 7)}" for i in range(1, 5)),
        "\n".join(["| Name | Count | Meaning |", "|---|--:|---|", *rows]),
        f"> {_prose(words, 22)}",
    ]
    return "\n\n".join(parts) + "\n\n"
