"""Takes private values out of what is sent, and puts them back into what comes in.

Each value found is replaced by a placeholder that stays the same all through a conversation, so that the remote model
can speak about it; ``restore(redact(text).text) == text`` holds for every text, also for one that contains text like a
placeholder, which is then replaced like a value. A text that cannot be checked is never let through.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from hybridchat.errors import Blocked
from hybridchat.messages import ChatMessage
from hybridchat.privacy import seams
from hybridchat.privacy.detectors import Detector, Kind, Span, detect, detectors, merged
from hybridchat.privacy.edges import fitted, is_bare_number
from hybridchat.privacy.identity import NOBODY, Identity
from hybridchat.privacy.placeholders import FORM, numeric_placeholder, parsed, placeholder, unfinished
from hybridchat.privacy.words import word_detector

_NOT_REPEATED = {Kind.WORD, Kind.PLACEHOLDER, Kind.NAME, Kind.HOME, Kind.HOST}
_SHORTEST_REPEAT = 6  # a shorter secret, or one of letters only, is too likely to be an ordinary word elsewhere
_FEW = 40  # values that are faster sought one by one
_REMEMBERED = 2_000  # texts whose private spans are kept, for each turn redacts the conversation again


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with placeholders.

    ``spans`` are what they stand for in the original text; ``counts`` says how many different values of each kind
    were taken out (text that merely looked like a placeholder is not counted).
    """

    text: str
    spans: tuple[Span, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RedactedMessages:
    """Messages with placeholders; ``counts`` says how many different values of each kind were taken out of them all.

    ``spans`` are what the placeholders stand for in each of the original messages.
    """

    messages: tuple[ChatMessage, ...]
    counts: Mapping[str, int]
    spans: tuple[tuple[Span, ...], ...] = ()


class Redactor:
    """Redacts the texts of one conversation; may be used from several threads.

    ``words`` are the user's own words to take out, ``identity`` says who the user is; ``mapping`` is what an earlier
    redactor of the same conversation exported as ``mapping``: placeholders and their values. Raises ``Blocked`` if the
    mapping is not one.
    """

    def __init__(
        self, words: Sequence[str] = (), mapping: Mapping[str, str] | None = None, identity: Identity = NOBODY
    ) -> None:
        self._alone = Lock()
        self._detectors: tuple[Detector, ...] = (_placeholder_forms, *detectors(words, identity))
        self._found: dict[str, list[Span]] = {}
        self._values: dict[str, str] = {}
        self._meanings: dict[str, tuple[Kind, int]] = {}
        self._known: defaultdict[str, list[tuple[str, Kind]]] = defaultdict(list)  # by how they begin
        self._last: Counter[Kind] = Counter()
        for name, value in (mapping or {}).items():
            meaning = parsed(name)
            if meaning is None or name != placeholder(*meaning) or not value:
                raise Blocked(
                    "This conversation's placeholders cannot be read back, so nothing of it can be sent.",
                    hint="Go on in a new conversation.",
                )
            self._learn(*meaning, value)

    @property
    def mapping(self) -> dict[str, str]:
        """The placeholders given so far and their values, as plain data; it holds secrets."""
        return dict(self._values)

    def add_words(self, words: Sequence[str]) -> None:
        """Take out these words, too, from now on."""
        with self._alone:
            self._detectors = (*self._detectors, word_detector(words))
            self._found.clear()

    def redact(self, text: str) -> Redacted:
        """Return ``text`` with placeholders. Raises ``Blocked`` if a detector fails: then nothing may be sent."""
        (redacted,) = self._redact_all([text], ())
        return redacted

    def redact_messages(self, messages: Sequence[ChatMessage]) -> RedactedMessages:
        """Redact all that is sent at once. Raises ``Blocked``.

        A secret found in one message is taken out of all, and so are both halves of a value that stands at the end of
        one message and the beginning of the next, be it the next that the same person wrote.
        """
        redacted = self._redact_all(
            [message.content for message in messages], seams.between([message.role for message in messages])
        )
        return RedactedMessages(
            tuple(replace(message, content=r.text) for message, r in zip(messages, redacted, strict=True)),
            self._counts(
                value
                for message, r in zip(messages, redacted, strict=True)
                for value in _values(message.content, r.spans)
            ),
            tuple(r.spans for r in redacted),
        )

    def restore(self, text: str) -> str:
        """Return ``text`` with the values in place of their placeholders; unknown placeholders stay."""
        return FORM.sub(self._value, text)

    def restorer(self) -> Restorer:
        """Return what restores one streamed answer."""
        return Restorer(self)

    def _redact_all(self, texts: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[Redacted]:
        with self._alone:
            return self._redact_together(texts, pairs)

    def _redact_together(self, texts: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[Redacted]:
        try:
            found = [self._detect(text) for text in texts]
            for first, second in pairs:
                ends, begins = seams.across(texts[first], found[first], texts[second], found[second], self._detectors)
                found[first], found[second] = merged([*found[first], *ends]), merged([*found[second], *begins])
            for text, spans in zip(texts, found, strict=True):
                self._assign(text, spans)
            redacted = []
            for text, spans in zip(texts, found, strict=True):
                complete = fitted(text, merged([*spans, *self._repeats(text)]))
                self._assign(text, complete)
                redacted.append(self._replaced(text, complete))
        except Exception as error:
            raise Blocked(
                f"The text could not be searched for private data ({type(error).__name__}), so it is not sent.",
                hint="This is a fault of the program. --local answers without sending anything.",
            ) from error
        return redacted

    def _detect(self, text: str) -> list[Span]:
        if text not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[text] = fitted(text, detect(text, self._detectors))
        return self._found[text]

    def _assign(self, text: str, spans: Iterable[Span]) -> None:
        for span in spans:
            value = text[span.start : span.end]
            if value not in self._meanings:
                self._learn(span.kind, self._last[span.kind] + 1, value)

    def _learn(self, kind: Kind, number: int, value: str) -> None:
        self._last[kind] = max(self._last[kind], number)
        self._values[placeholder(kind, number)] = value
        self._meanings[value] = kind, number
        if kind not in _NOT_REPEATED and len(value) >= _SHORTEST_REPEAT and not value.isalpha():
            self._known[value[:_SHORTEST_REPEAT]].append((value, kind))

    def _repeats(self, text: str) -> Iterator[Span]:
        """Find known values where nothing but themselves gives them away."""
        for start in self._beginnings(text):
            for value, kind in self._known.get(text[start : start + _SHORTEST_REPEAT], ()):
                end = start + len(value)
                if text.startswith(value, start) and not (_digits_meet(text, start) or _digits_meet(text, end)):
                    yield Span(start, end, kind)

    def _beginnings(self, text: str) -> Iterable[int]:
        """Return where a known value may begin, in one pass however many there are."""
        if len(self._known) > _FEW:
            known, length = self._known, _SHORTEST_REPEAT
            return [at for at in range(len(text) - length + 1) if text[at : at + length] in known]
        return (match.start() for known in self._known for match in re.finditer(f"(?={re.escape(known)})", text))

    def _replaced(self, text: str, spans: Sequence[Span]) -> Redacted:
        pieces, position = [], 0
        for span in spans:
            meaning = self._meanings[text[span.start : span.end]]
            written = numeric_placeholder if is_bare_number(text, span) else placeholder
            pieces += [text[position : span.start], written(*meaning)]
            position = span.end
        return Redacted("".join([*pieces, text[position:]]), tuple(spans), self._counts(_values(text, spans)))

    def _counts(self, values: Iterable[str]) -> dict[str, int]:
        kinds = (kind for kind, _ in {self._meanings[value] for value in values} if kind is not Kind.PLACEHOLDER)
        return dict(sorted(Counter(kind.value for kind in kinds).items()))

    def _value(self, match: re.Match[str]) -> str:
        meaning = parsed(match[0])
        return self._values.get(placeholder(*meaning), match[0]) if meaning else match[0]


class Restorer:
    """Restores a streamed answer, with the same result however the stream is cut.

    Held back is only what may yet become a placeholder: at most the length of one.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""
        self._before = ""  # the last character let through: a digit there makes a number another one

    def feed(self, delta: str) -> str:
        """Take in the next piece; return what can be shown now."""
        text = self._before + self._held + delta
        end = max(unfinished(text), len(self._before))
        shown = self._redactor.restore(text[:end])[len(self._before) :]
        self._before, self._held = text[:end][-1:], text[end:]
        return shown

    def flush(self) -> str:
        """Return what is still held back, at the end of the stream."""
        text = self._redactor.restore(self._before + self._held)[len(self._before) :]
        self._before = self._held = ""
        return text


def _placeholder_forms(text: str) -> Iterator[Span]:
    return (Span(*match.span(), Kind.PLACEHOLDER) for match in FORM.finditer(text) if parsed(match[0]))


def _values(text: str, spans: Iterable[Span]) -> Iterator[str]:
    return (text[span.start : span.end] for span in spans)


def _digits_meet(text: str, edge: int) -> bool:
    return 0 < edge < len(text) and text[edge - 1].isdigit() and text[edge].isdigit()
