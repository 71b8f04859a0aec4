"""Full-text search over titles and messages.

All words must occur (in any order, case and accents aside), and the last one may be unfinished unless it is a single
letter. Titles come first, then messages by BM25, then answers that an escalation set aside: they may hold what is
looked for, but another answer took their place. Where no whole word is found, the text is looked for anywhere, also
within words: so it is found in languages that put no spaces between words, too.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Sequence
from typing import Any

from hybridchat.store import rows
from hybridchat.store.records import Hit

_LONGEST = 1000  # characters of a search text; SQLite bounds its patterns and queries
_BEFORE, _WIDTH = 40, 160  # characters of a snippet: before its first match, and in all

# FTS5 sorts by its own `rank` (BM25) and reads further columns only for the rows that LIMIT lets through. Its own
# snippet() takes time quadratic in the matches of a message: minutes for a long log and a common word.
_IN_TITLES = f"""
    SELECT {rows.CONVERSATION}, rank
    FROM title_index CROSS JOIN conversation ON conversation.number = title_index.rowid
    WHERE title_index MATCH :wanted ORDER BY rank LIMIT :limit
"""  # noqa: S608 - our own columns
_IN_MESSAGES = f"""
    SELECT {rows.CONVERSATION}, rank, {rows.MESSAGE}
    FROM content_index
    CROSS JOIN message ON message.number = content_index.rowid
    CROSS JOIN conversation ON conversation.id = message.conversation_id
    WHERE content_index MATCH :wanted AND message.status %s 'set_aside' ORDER BY rank LIMIT :limit
"""  # noqa: S608 - our own columns
_WHOLE_WORDS = (_IN_TITLES, _IN_MESSAGES % "<>", _IN_MESSAGES % "=")

_WITHIN_TITLES = f"""
    SELECT {rows.CONVERSATION}, 0.0 FROM conversation
    WHERE title LIKE :wanted ESCAPE '\\' ORDER BY conversation.number DESC LIMIT :limit
"""  # noqa: S608 - our own columns
_WITHIN_MESSAGES = f"""
    SELECT {rows.CONVERSATION}, 0.0, {rows.MESSAGE}
    FROM message JOIN conversation ON conversation.id = message.conversation_id
    WHERE content LIKE :wanted ESCAPE '\\'
    ORDER BY message.status = 'set_aside', message.number DESC LIMIT :limit
"""  # noqa: S608 - our own columns
_WITHIN_WORDS = (_WITHIN_TITLES, _WITHIN_MESSAGES)

_RANK = rows.CONVERSATION.count(",") + 1  # the column after the conversation's


def search(connection: sqlite3.Connection, text: str, limit: int) -> list[Hit]:
    """Return at most ``limit`` places where ``text`` occurs, best first.

    Any text is allowed; one without a letter or digit finds nothing, and what is beyond ``_LONGEST`` is ignored.
    """
    words = [word for word in rows.clean(text[:_LONGEST]).split() if any(character.isalnum() for character in word)]
    if not words:
        return []
    if found := _find(connection, _WHOLE_WORDS, _query(words), limit):
        return [_hit(row, _whole_words(words)) for row in found]
    needle = " ".join(words)
    anywhere = "%" + re.sub(r"([%_\\])", r"\\\1", needle) + "%"
    return [_hit(row, [re.escape(_folded(needle))]) for row in _find(connection, _WITHIN_WORDS, anywhere, limit)]


def _find(connection: sqlite3.Connection, statements: Sequence[str], wanted: str, limit: int) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for statement in statements:
        found += connection.execute(statement, {"wanted": wanted, "limit": max(limit - len(found), 0)})
    return found


def _query(words: Sequence[str]) -> str:
    """Return an FTS5 query for ``words``, each quoted as a string so that nothing in it is syntax."""
    quoted = " ".join('"' + word.replace('"', '""') + '"' for word in words)
    return quoted + "*" if len(words[-1]) > 1 else quoted


def _whole_words(words: Sequence[str]) -> list[str]:
    """Return regular expressions, the longest first, that find ``words`` in folded text much as FTS5 does."""
    parts = re.findall(r"[^\W_]+", _folded(" ".join(words)))
    whole = [rf"(?<![^\W_]){part}(?![^\W_])" for part in parts[:-1]]
    return sorted([*whole, rf"(?<![^\W_]){parts[-1]}[^\W_]*"], key=len, reverse=True)


def _hit(row: tuple[Any, ...], patterns: Sequence[str]) -> Hit:
    conversation = rows.to_conversation(row[:_RANK])
    message = rows.to_message(row[_RANK + 1 :]) if row[_RANK + 1 :] else None
    snippet, marks = _snippet(conversation.title if message is None else message.content, patterns)
    return Hit(conversation, message, snippet, marks, row[_RANK])


def _snippet(text: str, patterns: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the surroundings of the first match of the first pattern that matches, and all matches in them.

    Where FTS5 and these patterns disagree about what a word is, it is the text's beginning, without marks.
    """
    folded = _folded(text)
    first = next((match for pattern in patterns if (match := re.search(pattern, folded))), None)
    begin = 0 if first is None else max(0, first.start() - _BEFORE)
    end = begin + _WIDTH
    prefix = "…" if begin > 0 else ""
    shift = len(prefix) - begin
    marks = tuple(
        (match.start() + shift, match.end() + shift)
        for match in re.compile("|".join(patterns)).finditer(folded, begin, end)
    )
    return prefix + re.sub(r"\s", " ", text[begin:end]) + ("…" if end < len(text) else ""), marks


class _Folding(dict[int, str]):
    """Maps a character's code to one lower-case character without accents."""

    def __missing__(self, code: int) -> str:
        base = unicodedata.normalize("NFD", chr(code))[0].lower()
        self[code] = base if len(base) == 1 else chr(code)
        return self[code]


_FOLDING = _Folding()


def _folded(text: str) -> str:
    """Return ``text`` without case and accents, and as long as it was."""
    return text.translate(_FOLDING)
