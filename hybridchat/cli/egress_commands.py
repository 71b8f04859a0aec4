"""What the commands of ``hybridchat egress`` do."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from hybridchat.backends.presets import remote_price
from hybridchat.cli.history import in_store
from hybridchat.cli.listing import show_lines, show_records, show_text, tell
from hybridchat.config.loading import load
from hybridchat.errors import InputError
from hybridchat.phrases import counted, money, never_left, redactions
from hybridchat.store.database import Store
from hybridchat.store.records import KeptLocal, LedgerEntry, Verification
from hybridchat.text import one_line

_COLUMNS = ("number", "time", "model", "url", "bytes", "placeholders", "status", "reason")
_LONGEST = 1000  # characters of a line
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def show_all(limit: int, *, as_json: bool) -> None:
    """Print the latest entries."""
    entries = in_store(lambda store: store.ledger.list(limit), reads_only=True)
    if as_json:
        show_records([{"entry": entry} for entry in entries], (), as_json=True, empty="")
        return
    records = [
        {column: getattr(entry, column, None) for column in _COLUMNS} | {"status": _status(entry)} for entry in entries
    ]
    show_records(records, _COLUMNS, as_json=False, empty="nothing has left this machine")


def show(number: int, *, as_json: bool) -> None:
    """Print one entry."""
    entry = in_store(lambda store: store.ledger.get(number), reads_only=True)
    if as_json:
        show_records([{"entry": entry}], (), as_json=True, empty="")
        return
    outcome = entry.outcome
    fields = {
        "time": f"{entry.time.astimezone():%Y-%m-%d %H:%M:%S %z}",
        "conversation": entry.conversation_id,
        "message": entry.message_id,
        "reason": entry.reason,
        "endpoint": f"{entry.endpoint}, {entry.url}",
        "model": entry.model,
        "sent": counted(entry.bytes, "byte"),
        "redacted": redactions(entry.placeholders) or "nothing",
        "payload hash": entry.payload_hash,
        "outcome": _status(entry) + (f": {outcome.error}" if outcome and outcome.error else ""),
        "tokens": f"{outcome.prompt_tokens} in, {outcome.completion_tokens} out" if outcome else "unknown",
        "cost": "unknown" if outcome is None or outcome.cost is None else money(outcome.cost),
        "chained with": "a key of the OS keyring" if entry.chained_with.startswith("hmac") else "no key",
    }
    show_text("\n".join(f"{name:13} {one_line(value, _LONGEST)}" for name, value in fields.items()))


def export() -> None:
    """Print every row as JSON, so that the chain can be followed by another program."""
    names = ("number", "sent_number", "entry", "algorithm", "mac")
    found = in_store(lambda store: store.ledger.raw(), reads_only=True)
    show_lines(msgspec.json.encode(dict(zip(names, row, strict=True))).decode() for row in found)


def verify() -> None:
    """Check the chain. Raises ``InputError`` where it does not fit, ``KeyMissing`` without its key."""
    found = in_store(lambda store: store.ledger.verify(), reads_only=True)
    for note in found.notes:
        tell(one_line(note, _LONGEST))
    if found.broken_at is not None:
        raise InputError(
            f"the ledger does not fit together at row {found.broken_at}: {found.problem}",
            hint="Somebody or something changed the database outside of hybridchat. `hybridchat egress restart` begins "
            "a new chain that says so; where the end was cut off or rewritten, nothing is sent before.",
        )
    if found.unverifiable:
        raise InputError(
            f"{found.unverifiable} of {counted(found.rows, 'row')} cannot be checked",
            hint="They were written with a key that is not in this keyring. `hybridchat egress restart` begins anew.",
        )
    show_text(_intact(found))


def summary(*, as_json: bool) -> None:
    """Print what stayed on the machine, and what left."""

    async def count(store: Store) -> tuple[KeptLocal, list[LedgerEntry], float]:
        return await store.kept_local(), await store.ledger.list(-1), await store.ledger.spent(_BEGINNING)

    kept, sent, spent = in_store(count, reads_only=True)
    saved = kept.saved(remote_price(load().settings))
    sent_bytes = sum(entry.bytes for entry in sent)
    if as_json:
        record = {"kept_local": kept, "saved": saved, "sent": len(sent), "sent_bytes": sent_bytes, "spent": spent}
        show_records([record], (), as_json=True, empty="")
        return
    show_text(
        f"{never_left(kept.answers, kept.tokens, kept.bytes, saved)}\n"
        f"left: {counted(len(sent), 'request')}, {counted(sent_bytes, 'byte')}, {money(spent)}"
    )


def restart(*, guarded: bool) -> None:
    """Begin a new chain."""
    number = in_store(lambda store: store.ledger.restart(guarded=guarded))
    tell(f"a new chain begins with row {number}{'' if guarded else ', which no key guards'}; all older rows are kept")


def _status(entry: LedgerEntry) -> str:
    return entry.outcome.status if entry.outcome else "unknown"


def _intact(found: Verification) -> str:
    line = f"intact: {counted(found.rows, 'row')}"
    if found.rows > found.keyed:
        without = found.rows - found.keyed
        line += f", {without} of them without a key of the keyring: whoever can write the file can forge those"
    if found.rows and not found.head_is_kept:
        line += "\nno head is kept in an OS keyring, so that rows cut off at the end would not be noticed"
    return line
