"""Reads a user's own questions.

JSON Lines, one object a question: ``question`` and ``answer`` must be there. ``answer`` is a number, a text, or a list
of texts any of which is right; null where the right thing is to say that one does not know. ``grade`` says how answers
are compared (a ``Kind``); without it numbers are compared as numbers, texts as words, whatever their case. ``id``,
``family``, ``level`` and ``length`` (``short`` or ``long``) are optional; other fields are passed over.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from zlib import crc32

import msgspec

from hybridchat.errors import InputError, InputMissing
from hybridchat.evaluation.items import Check, Item, Kind
from hybridchat.evaluation.numerals import numbers
from hybridchat.evaluation.traces import Length

_NUMBER = re.compile(r"[-+\u2212]?\$?\d[\d,. ]*")

Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Line(msgspec.Struct):
    question: Text
    answer: int | float | Text | Annotated[list[Text], msgspec.Meta(min_length=1)] | None
    grade: Kind | None = None
    id: Text | None = None
    family: str = ""
    level: float | None = None
    length: Length = "short"


_decoder = msgspec.json.Decoder(_Line)


def read_questions(path: Path) -> list[Item]:
    """Read a file of questions.

    Raises ``InputMissing`` for a file that cannot be read, ``InputError`` naming the line that is broken, and for a
    file without questions.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputMissing(f"cannot read {path}: {error.strerror}", hint="Is the name right?") from error
    items: dict[str, Item] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            item = _item(line, f"line {number} of {path}")
            if item.id in items:
                raise InputError(
                    f"line {number} of {path} has the id {item.id}, as another one has",
                    hint="Give each an id of its own.",
                )
            items[item.id] = item
    if not items:
        raise InputError(f"{path} holds no questions", hint='A line is {"question": "...", "answer": "..."}.')
    return list(items.values())


def _item(line: bytes, where: str) -> Item:
    try:
        found = _decoder.decode(line)
        check = _check(found)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, re.error) as error:
        raise InputError(
            f"{where} is not a question: {error}", hint='A line is {"question": "...", "answer": "..."}.'
        ) from error
    name = found.id or f"q-{crc32(found.question.encode()):08x}"
    return Item(name, found.question, check, found.family, found.level, found.length)


def _check(line: _Line) -> Check:
    if line.answer is None:
        if line.grade not in {None, Kind.ABSTAIN}:
            raise ValueError(f"the answer is missing, and {line.grade} needs one")
        return Check(Kind.ABSTAIN)
    answers = line.answer if isinstance(line.answer, list) else [str(line.answer)]
    kind = line.grade or (Kind.NUMBER if all(map(_NUMBER.fullmatch, answers)) else Kind.TEXT)
    if kind is Kind.NUMBER and not all(map(numbers, answers)):
        raise ValueError(f"the answer {answers[0]!r} is no number")
    if kind is Kind.REGEX:
        for answer in answers:
            re.compile(answer)
    return Check(kind, tuple(answers))
