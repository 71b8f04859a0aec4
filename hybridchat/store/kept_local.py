"""Counts what never left the machine."""

from __future__ import annotations

import sqlite3

from hybridchat.store.records import KeptLocal

# Turns are counted by their user message: one that any remote answer belongs to has left.
_STAYED = """
    WITH answered AS (
        SELECT answer.parent_id AS question, answer.content, answer.provenance
        FROM message AS answer
        WHERE answer.role = 'assistant' AND answer.status IN ('complete', 'partial') AND answer.content <> ''
            AND json_extract(answer.provenance, '$.place') = 'local'
            AND NOT EXISTS (
                SELECT 1 FROM message AS other WHERE other.conversation_id = answer.conversation_id
                AND other.parent_id IS answer.parent_id AND json_extract(other.provenance, '$.place') = 'remote'
            )
    )
    SELECT count(*),
        coalesce(sum(json_extract(provenance, '$.usage.prompt_tokens')), 0),
        coalesce(sum(json_extract(provenance, '$.usage.completion_tokens')), 0),
        coalesce(sum(length(CAST(content AS BLOB))), 0) + coalesce((
            SELECT sum(length(CAST(message.content AS BLOB))) FROM message
            WHERE message.id IN (SELECT question FROM answered)
        ), 0)
    FROM answered
"""


def kept_local(connection: sqlite3.Connection) -> KeptLocal:
    """Return how many answers were given without the remote model, and how much text stayed here with them."""
    return KeptLocal(*connection.execute(_STAYED).fetchone())
