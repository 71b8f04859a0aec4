"""The database's shape, as the migrations that lead to it, oldest first.

A migration that was ever released is never changed: what follows it is a new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from hybridchat.store import rows

Migration = Callable[[sqlite3.Connection], None]

_CONVERSATIONS = (
    """
    CREATE TABLE conversation (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        head_id TEXT,
        data_policy TEXT CHECK (data_policy IN ('allow', 'confirm', 'local-only')),
        remote_agreed INTEGER NOT NULL DEFAULT 0 CHECK (remote_agreed IN (0, 1)),
        FOREIGN KEY (id, head_id) REFERENCES message (conversation_id, id) DEFERRABLE INITIALLY DEFERRED
    ) STRICT
    """,
    "CREATE INDEX conversation_by_update ON conversation (updated_at, number)",
    """
    CREATE TABLE message (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        parent_id TEXT,
        role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
        content TEXT NOT NULL,
        created_at TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('streaming', 'complete', 'partial', 'set_aside')),
        provenance TEXT,
        logprobs BLOB,
        session_id TEXT,
        UNIQUE (conversation_id, id),
        FOREIGN KEY (conversation_id, parent_id) REFERENCES message (conversation_id, id)
            DEFERRABLE INITIALLY DEFERRED
    ) STRICT
    """,
    "CREATE INDEX message_by_parent ON message (conversation_id, parent_id)",
    "CREATE INDEX message_being_written ON message (session_id) WHERE status = 'streaming'",
)

_JOURNAL = (
    """
    CREATE TABLE journal (
        message_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
        sequence INTEGER NOT NULL,
        text TEXT NOT NULL,
        logprobs BLOB,
        PRIMARY KEY (message_id, sequence)
    ) STRICT, WITHOUT ROWID
    """,
)

_LEDGER = (
    """
    CREATE TABLE ledger (
        number INTEGER PRIMARY KEY,
        sent_number INTEGER UNIQUE REFERENCES ledger (number),
        entry TEXT NOT NULL,
        algorithm TEXT NOT NULL,
        mac BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TRIGGER ledger_has_no_gaps BEFORE INSERT ON ledger
    WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM ledger)
    BEGIN SELECT RAISE(ABORT, 'the ledger only grows at its end'); END
    """,
    """
    CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER ledger_is_not_deleted BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
)


def _index(index: str, table: str, column: str) -> tuple[str, ...]:
    """Return the statements for a full-text ``index`` of ``table.column`` that keeps no copy of the text."""
    forget = f"INSERT INTO {index} ({index}, rowid, {column}) VALUES ('delete', OLD.number, OLD.{column});"  # noqa: S608 - names from this file
    learn = f"INSERT INTO {index} (rowid, {column}) VALUES (NEW.number, NEW.{column});"  # noqa: S608 - names from this file
    return (
        f"""
        CREATE VIRTUAL TABLE {index} USING fts5(
            {column}, content = '{table}', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
        )
        """,
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {learn} END",
        f"CREATE TRIGGER {index}_update AFTER UPDATE OF {column} ON {table} BEGIN {forget} {learn} END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {forget} END",
    )


def _first_tables(connection: sqlite3.Connection) -> None:
    indexes = _index("title_index", "conversation", "title") + _index("content_index", "message", "content")
    for statement in _CONVERSATIONS + _JOURNAL + _LEDGER + indexes:
        connection.execute(statement)


_SPENDING = (
    """
    CREATE TABLE spending (
        number INTEGER PRIMARY KEY,
        time TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        tokens INTEGER NOT NULL CHECK (tokens >= 0),
        dollars REAL CHECK (dollars >= 0),
        settled INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1))
    ) STRICT
    """,
    "CREATE INDEX spending_by_time ON spending (time)",
    "CREATE INDEX spending_by_conversation ON spending (conversation_id)",
)
"""Outlives its conversations: deleting one does not give its money back."""

_JUDGEMENTS = (
    """
    CREATE TABLE judgement (
        message_id TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
        model TEXT NOT NULL,
        scored_by TEXT NOT NULL,
        score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
        kept INTEGER NOT NULL CHECK (kept IN (0, 1)),
        signal TEXT,
        number INTEGER
    ) STRICT
    """,
    "CREATE INDEX judgement_by_model ON judgement (model, number) WHERE signal IS NOT NULL",
)

_TURNS = (
    """
    CREATE TABLE turn (
        conversation_id TEXT PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
        holder TEXT NOT NULL,
        session_id TEXT NOT NULL
    ) STRICT
    """,
)


def _budget_and_learning(connection: sqlite3.Connection) -> None:
    for statement in _SPENDING + _JUDGEMENTS + _TURNS:
        connection.execute(statement)


_CONTEXTS = (
    """
    CREATE TABLE summary (
        message_id TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
        text TEXT NOT NULL,
        model TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE cut (
        message_id TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        form TEXT NOT NULL CHECK (form IN ('condense', 'trim'))
    ) STRICT
    """,
    """
    CREATE TABLE private_word (
        conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        word TEXT NOT NULL,
        PRIMARY KEY (conversation_id, word)
    ) STRICT, WITHOUT ROWID
    """,
)
"""A summary or cut stands at the last message that it covers, and so holds for every branch through that message."""


def _condensed_contexts(connection: sqlite3.Connection) -> None:
    for statement in _CONTEXTS:
        connection.execute(statement)


def _drafts(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE draft (
            number INTEGER PRIMARY KEY,
            conversation_id TEXT UNIQUE REFERENCES conversation (id) ON DELETE CASCADE,
            text TEXT NOT NULL
        ) STRICT
        """
    )


def _times_of_drafts(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE draft ADD COLUMN kept_at TEXT NOT NULL DEFAULT ''")
    connection.execute("UPDATE draft SET kept_at = ?", (rows.now(),))


MIGRATIONS: tuple[Migration, ...] = (
    _first_tables,
    _budget_and_learning,
    _condensed_contexts,
    _drafts,
    _times_of_drafts,
)
