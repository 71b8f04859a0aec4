"""What a summary may not lose: numbers, names, code, and what the user insists on; found and checked without a model.

Names are told by capital letters, and so are only found in scripts that have them; where nouns are capitalised, too
(German), a name is what has several capitals. Documents that are attached are no part of this: only what was said is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hybridchat.handover.attachments import replaced
from hybridchat.messages import Message, Role
from hybridchat.text import one_line

LONGEST_CODE = 1_500
"""Characters of a block of code that is kept word for word; a longer one is too much for a summary."""

MOST_MESSAGES = 1_000

_ROOM = 2_400  # characters for the sentences in which lost items stand; beyond, the items stand by themselves
_BARE_ROOM = 1_600  # characters for those
_LONGEST_SENTENCE = 240

_BLOCK = re.compile(r"^(?P<fence>`{3,}|~{3,})[^\n]*\n(?P<code>.*?)^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]{1,200})`(?!`)")
_NUMBER = re.compile(r"(?<![\w.])[$€£]?\d+(?:[.,:/-]\d+)*(?:%|[A-Za-zµ°]{1,3}(?![\w]))?")
_GOES_ON = re.compile(r"\d|[.,:/-]\d")  # what makes another number of what stands before it
_LIST_MARK = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s<>()\"']+[^\s<>()\"'.,;:!?]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<![\w/])/?(?:[\w.-]+/)+[\w.-]*\w"
)
_IDENTIFIER = re.compile(r"\b(?:[A-Za-z]+_\w+|[a-z]+[A-Z]\w*|[A-Z]{2,}\w*|[A-Z][a-z]+[A-Z]\w*|\w*[A-Za-z]\d\w*)\b")
_CAPITALISED = re.compile(r"\b[A-ZÀ-ÞА-ЯΑ-Ω][\w'’-]+(?:[ \t]+[A-ZÀ-ÞА-ЯΑ-Ω][\w'’-]+)*")
_WORD = re.compile(r"\b\w+\b")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_OPENING = " \t\"'“„«([*_#>-"
_INSISTENCE = re.compile(
    r"\b(?:must|mustn['’]t|never|always|only|exactly|at (?:most|least)|no (?:more|less|fewer) than"
    r"|do(?:es)? not|don['’]t|cannot|can['’]t|without|except|required?|should(?:n['’]t)?|has to|have to|need(?:s)? to"
    r"|muss|müssen|darf|dürfen|nicht|nie|niemals|immer|nur|genau|höchstens|mindestens|ohne|kein\w*|soll\w*"
    r"|doit|doivent|jamais|toujours|seulement|au (?:plus|moins)|sans|ne \w+ pas"
    r"|debe\w*|nunca|siempre|solo|sólo|sin|como (?:máximo|mínimo)"
    r"|deve\w*|mai|sempre|senza|al (?:massimo|minimo)|moet\w*|nooit|altijd|alleen|zonder|hoogstens|minstens)\b",
    re.IGNORECASE,
)


class Sort(StrEnum):
    """What a thing to keep is."""

    CONSTRAINT = "constraint"
    CODE = "code"
    NUMBER = "number"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Item:
    """Something to keep, with the sentence that it stands in."""

    sort: Sort
    text: str
    sentence: str


def items_of(text: str, *, constraints: bool = True) -> list[Item]:
    """Return what must be kept of a message, each thing once; ``constraints`` are only looked for in a user's own."""
    said = replaced(text, lambda _number, attachment: f"({attachment.label})")
    found: dict[tuple[Sort, str], Item] = {}

    def take(sort: Sort, thing: str, sentence: str) -> None:
        found.setdefault((sort, thing), Item(sort, thing, sentence))

    for block in _BLOCK.finditer(said):
        code = block["code"].strip("\n")
        if code.strip() and len(code) <= LONGEST_CODE:
            take(Sort.CODE, code, code)
    prose = _LIST_MARK.sub("", _BLOCK.sub("\n", said))
    has_capital_nouns = _capitalises_nouns(prose)
    for sentence in _sentences(prose):
        short = one_line(sentence, _LONGEST_SENTENCE)
        if constraints and _INSISTENCE.search(sentence):
            take(Sort.CONSTRAINT, sentence, sentence)
        for span in _SPAN.finditer(sentence):
            take(Sort.CODE, span[1], short)
        plain = _SPAN.sub(" ", sentence)
        for address in _ADDRESS.finditer(plain):
            take(Sort.NAME, address[0], short)
        plain = _ADDRESS.sub(" ", plain)
        for number in _NUMBER.finditer(plain):
            take(Sort.NUMBER, number[0], short)
        for name in _names(plain, only_sure=has_capital_nouns):
            take(Sort.NAME, name, short)
    return list(found.values())


def items_of_all(messages: Iterable[Message]) -> list[tuple[Message, Item]]:
    """Return what must be kept of several messages, each thing where it was said first."""
    found: dict[tuple[Sort, str], tuple[Message, Item]] = {}
    for message in messages:
        for item in items_of(message.content, constraints=message.role is Role.USER):
            found.setdefault((item.sort, item.text), (message, item))
    return list(found.values())


class _Searched:
    """A text in which many items are looked for."""

    def __init__(self, text: str) -> None:
        self._exact = " ".join(text.split())
        self._folded = self._exact.casefold()

    def holds(self, item: Item) -> bool:
        wanted = " ".join(item.text.split())
        if item.sort is Sort.CODE:
            return wanted in self._exact
        if item.sort is Sort.NUMBER:
            return self._holds_number(wanted.casefold())
        return wanted.casefold() in self._folded

    def _holds_number(self, number: str) -> bool:
        start = self._folded.find(number)
        while start >= 0:
            before, rest = self._folded[start - 1 : start], self._folded[start + len(number) :][:2]
            if not (before.isalnum() or before == "_" or _GOES_ON.match(rest)):
                return True
            start = self._folded.find(number, start + 1)
        return False


def is_kept(item: Item, text: str) -> bool:
    """Whether ``text`` still holds an item: code exactly but for white space, all else in any case."""
    return _Searched(text).holds(item)


def lost(items: Sequence[Item], text: str) -> list[Item]:
    """Return the items that ``text`` does not hold."""
    searched = _Searched(text)
    return [item for item in items if not searched.holds(item)]


def completed(summary: str, messages: Sequence[Message]) -> str:
    """Return a summary of ``messages`` with what it lost appended, each thing in its sentence while there is room.

    What the user said comes before what was answered. Where the conversation holds more than a summary can, the result
    says how many things are missing from it. Of more than ``MOST_MESSAGES``, the last ones are looked at.
    """
    pairs = items_of_all(messages[-MOST_MESSAGES:])
    pairs.sort(key=lambda pair: (pair[0].role is not Role.USER, pair[1].sort is not Sort.CONSTRAINT))
    text = summary.strip()
    searched = _Searched(text)
    lines: list[str] = []
    bare: list[str] = []
    missing = 0
    room, bare_room = _ROOM, _BARE_ROOM
    for message, item in pairs:
        if searched.holds(item):
            continue
        if len(line := _line(message, item)) <= room:
            lines.append(line)
            room -= len(line)
        elif len(line := f"`{item.text}`" if item.sort is Sort.CODE else item.text) <= bare_room:
            bare.append(line)
            bare_room -= len(line)
        else:
            missing += 1
            continue
        text += f"\n{line}"
        searched = _Searched(text)
    if bare:
        lines.append(f"- also: {', '.join(bare)}")
    if missing:
        lines.append(f"- {missing} more numbers, names, pieces of code or demands are not in this summary")
    return "\n".join(
        [summary.strip(), *(["", "Word for word from the conversation:", *lines] if lines else [])]
    ).strip()


def _line(message: Message, item: Item) -> str:
    """Return an item in its sentence; alone where the sentence was cut before it."""
    if item.sort is Sort.CODE and item.text == item.sentence:
        return f"```\n{item.text}\n```"
    who = "the user" if message.role is Role.USER else "the answer"
    return f"- {who}: {item.sentence if is_kept(item, item.sentence) else item.text}"


def _sentences(text: str) -> Iterator[str]:
    for sentence in _SENTENCE_END.split(text):
        if sentence.strip():
            yield " ".join(sentence.split())


def _names(sentence: str, *, only_sure: bool) -> Iterator[str]:
    for match in _IDENTIFIER.finditer(sentence):
        yield match[0]
    if only_sure:
        return
    start = len(sentence) - len(sentence.lstrip(_OPENING))
    for match in _CAPITALISED.finditer(sentence):
        words = match[0].split()
        if match.start() <= start:  # any word is capitalised there: only what follows it is sure to be a name
            words = words[1:]
        if name := " ".join(words):
            yield name


def _capitalises_nouns(text: str) -> bool:
    words = capitals = 0
    for sentence in _sentences(text):
        inner = [word[0] for word in _WORD.finditer(sentence)][1:]
        words += len(inner)
        capitals += sum(word[0].isupper() and word[1:].islower() and len(word) > 1 for word in inner)
    return words >= 20 and capitals > 0.2 * words
