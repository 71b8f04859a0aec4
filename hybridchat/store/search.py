"""Full-text search over titles and messages.

All words must occur (in any order, case and accents aside), and the last one may be unfinished. Titles come first,
then messages by BM25, then answers that an escalation set aside: they may hold what is looked for, but another answer
took their place. Where no whole word is found, the text is looked for anywhere, also within words: so it is found in
languages that put no spaces between words, too.
"""

from __future__ import annotations

import re
import sqlite3

from hybridchat.messages import Message
from hybridchat.store import rows
from hybridchat.store.records import Hit

# Unicode reserves these two for a program's internal use: they are no part of any text.
_BEGIN, _END = "\ufdd0", "\ufdd1"
_MARKED = re.compile(f"{_BEGIN}([^{_END}]*){_END}")
_SNIPPET_WORDS = 16
_LONGEST = 1000  # characters of a search text; SQLite bounds its patterns and queries
_CONTEXT = 40  # characters on either side of a text found within words

_CONVERSATION_COLUMNS = rows.CONVERSATION.count(",") + 1

_IN_TITLES = f"""
    SELECT {rows.CONVERSATION}, snippet(title_index, 0, :begin, :end, '…', {_SNIPPET_WORDS}), bm25(title_index)
    FROM title_index JOIN conversation ON conversation.number = title_index.rowid
    WHERE title_index MATCH :query ORDER BY bm25(title_index), conversation.number DESC LIMIT :limit
"""  # noqa: S608 - our own columns
_IN_MESSAGES = f"""
    SELECT {rows.CONVERSATION}, snippet(content_index, 0, :begin, :end, '…', {_SNIPPET_WORDS}), bm25(content_index),
        {rows.MESSAGE}
    FROM content_index
    JOIN message ON message.number = content_index.rowid
    JOIN conversation ON conversation.id = message.conversation_id
    WHERE content_index MATCH :query
    ORDER BY message.status = 'set_aside', bm25(content_index), message.number DESC LIMIT :limit
"""  # noqa: S608 - our own columns
_WITHIN_TITLES = f"""
    SELECT {rows.CONVERSATION}, conversation.title, 0.0 FROM conversation
    WHERE title LIKE :pattern ESCAPE '\\' ORDER BY conversation.number DESC LIMIT :limit
"""  # noqa: S608 - our own columns
_WITHIN_MESSAGES = f"""
    SELECT {rows.CONVERSATION}, message.content, 0.0, {rows.MESSAGE}
    FROM message JOIN conversation ON conversation.id = message.conversation_id
    WHERE content LIKE :pattern ESCAPE '\\'
    ORDER BY message.status = 'set_aside', message.number DESC LIMIT :limit
"""  # noqa: S608 - our own columns


def search(connection: sqlite3.Connection, text: str, limit: int) -> list[Hit]:
    """Return at most ``limit`` places where ``text`` occurs, best first.

    Any text is allowed; one without a letter or digit finds nothing, and what is beyond ``_LONGEST`` is ignored.
    """
    words = [word for word in rows.clean(text[:_LONGEST]).split() if any(character.isalnum() for character in word)]
    if not words:
        return []
    values = {"query": _query(words), "begin": _BEGIN, "end": _END, "limit": limit}
    found = [
        (row, *_marks(row[_CONVERSATION_COLUMNS]))
        for statement in (_IN_TITLES, _IN_MESSAGES)
        for row in connection.execute(statement, values)
    ]
    if not found:
        needle = " ".join(words)
        values = {"pattern": f"%{_escaped(needle)}%", "limit": limit}
        found = [
            (row, *_excerpt(row[_CONVERSATION_COLUMNS], needle))
            for statement in (_WITHIN_TITLES, _WITHIN_MESSAGES)
            for row in connection.execute(statement, values)
        ]
    return [
        Hit(
            conversation=rows.to_conversation(row[:_CONVERSATION_COLUMNS]),
            message=_message(row[_CONVERSATION_COLUMNS + 2 :]),
            snippet=snippet,
            marks=marks,
            rank=row[_CONVERSATION_COLUMNS + 1],
        )
        for row, snippet, marks in found[:limit]
    ]


def _query(words: list[str]) -> str:
    """Return an FTS5 query for ``words``, each quoted as a string so that nothing in it is syntax."""
    return " ".join('"' + word.replace('"', '""') + '"' for word in words) + "*"


def _escaped(needle: str) -> str:
    """Return ``needle`` for LIKE, so that nothing in it is a wildcard."""
    return re.sub(r"([%_\\])", r"\\\1", needle)


def _marks(marked: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return a snippet without its marks, and where they were."""
    plain, marks, end = "", [], 0
    for match in _MARKED.finditer(marked):
        plain += marked[end : match.start()]
        marks.append((len(plain), len(plain) + len(match[1])))
        plain += match[1]
        end = match.end()
    return plain + marked[end:], tuple(marks)


def _excerpt(text: str, needle: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the surroundings of the first ``needle`` in ``text``, and where it stands in them."""
    match = re.search(re.escape(needle), text, re.IGNORECASE)
    if match is None:  # SQLite and Python differ on a few letters' case
        return text[: 2 * _CONTEXT], ()
    begin, end = max(0, match.start() - _CONTEXT), match.end() + _CONTEXT
    before = "…" if begin > 0 else ""
    snippet = before + text[begin:end] + ("…" if end < len(text) else "")
    start = len(before) + match.start() - begin
    return snippet, ((start, start + len(match[0])),)


def _message(columns: tuple[object, ...]) -> Message | None:
    return rows.to_message(columns) if columns else None
