from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from hybridchat.cli.history import in_store
from hybridchat.config import paths
from hybridchat.config.settings import StoreSettings
from hybridchat.messages import Place, Provenance, Status, Usage
from hybridchat.store.database import Store
from hybridchat.store.records import Outcome, Sent
from tests.cli.conftest import Command


async def _fill(store: Store) -> None:
    """Keep three turns: one answered here, one by the remote model after a draft, one that is still being answered."""
    local = Provenance(Place.LOCAL, "ollama", "phi3.5", "first", usage=Usage(1000, 500))
    remote = Provenance(Place.REMOTE, "far", "org/large", "asked", usage=Usage(10, 20))
    kept = await store.conversations.create("Größe")
    here = await store.conversations.add_user_message(kept.id, None, "größer?")
    away = await store.conversations.add_user_message(kept.id, None, "what was sent")
    for asked, source, status in (
        (here, local, Status.COMPLETE),
        (here, local, Status.PARTIAL),
        (away, local, Status.SET_ASIDE),
        (away, remote, Status.COMPLETE),
        (away, local, Status.COMPLETE),
    ):
        answer = await store.conversations.begin_answer(kept.id, asked.id, source)
        store.conversations.journal(answer.id, "ja")
        await store.conversations.finish_answer(answer.id, status, source)
    await store.conversations.begin_answer(kept.id, here.id, local)
    number = await store.ledger.sent(
        Sent(kept.id, away.id, "asked \x1b[2Jfor", "far", "https://far.example/v1", "org/large", b"{}", {"email": 2})
    )
    await store.ledger.outcome(number, Outcome("server_failed", 10, 20, 0.25, 1.5, "out of \x1b]0;memory"))
    await store.ledger.sent(Sent(kept.id, away.id, "again", "far", "https://far.example/v1", "org/large", b"{...}"))


def test_one_entry_is_shown_whole_and_safe(command: Command) -> None:
    in_store(_fill)
    shown = command("egress", "show", "1").out
    lines = dict(line.split(maxsplit=1) for line in shown.splitlines() if not line.startswith(("payload", "chained")))
    assert lines["sent"] == "2 bytes"
    assert lines["redacted"] == "2 e-mail addresses"
    assert lines["endpoint"] == "far, https://far.example/v1"
    assert lines["outcome"].startswith("server_failed: out of")
    assert (lines["tokens"], lines["cost"]) == ("10 in, 20 out", "$0.25")
    assert "\x1b" not in shown
    assert json.loads(command("egress", "show", "1", "--json").out)["entry"]["outcome"]["cost"] == 0.25
    waiting = command("egress", "show", "3").out
    assert "unknown" in waiting
    assert "redacted      nothing" in waiting


@pytest.mark.parametrize("number", ["2", "4"])
def test_what_is_no_entry_is_not_shown(number: str, command: Command) -> None:
    in_store(_fill)
    ended = command("egress", "show", number)
    assert (ended.code, "egress list" in ended.err) == (66, True)


def test_the_ledger_is_exported_as_it_is_chained(command: Command) -> None:
    in_store(_fill)
    rows = [json.loads(line) for line in command("egress", "export").out.splitlines()]
    assert [(row["number"], row["sent_number"], row["algorithm"]) for row in rows] == [
        (1, None, "sha256"),
        (2, 1, "sha256"),
        (3, None, "sha256"),
    ]
    assert json.loads(rows[0]["entry"])["placeholders"] == {"email": 2}
    assert {len(bytes.fromhex(row["mac"])) for row in rows} == {32}


def test_what_never_left_is_counted(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRICE_INPUT", "2")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRICE_OUTPUT", "4")
    in_store(_fill)
    told = command("egress", "summary").out.splitlines()
    assert told == [
        "never left: 2 answers, 3,000 tokens, 13 bytes, $0.00800 at the remote model's price",
        "left: 2 requests, 7 bytes, $0.25",
    ]
    record = json.loads(command("egress", "summary", "--json").out)
    assert record["kept_local"] == {"answers": 2, "prompt_tokens": 2000, "completion_tokens": 1000, "bytes": 13}
    assert (record["saved"], record["sent"], record["sent_bytes"], record["spent"]) == (0.008, 2, 7, 0.25)
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRESET", "none")
    assert json.loads(command("egress", "summary", "--json").out)["saved"] is None
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRESET", "custom")
    assert json.loads(command("egress", "summary", "--json").out)["saved"] is None


def test_a_ledger_without_a_keyring_says_what_that_means(command: Command) -> None:
    assert command("egress", "verify").out == "intact: 0 rows\n"
    in_store(_fill)
    told = command("egress", "verify").out
    assert told.startswith("intact: 3 rows, 3 of them without a key")
    assert "cut off at the end would not be noticed" in told


def test_a_new_chain_begins_and_says_so(command: Command) -> None:
    in_store(_fill)
    assert command("egress", "restart").code == 77
    ended = command("egress", "restart", "--unguarded")
    assert (ended.code, ended.err) == (
        0,
        "a new chain begins with row 4, which no key guards; all older rows are kept\n",
    )
    assert "Row 4: the user began a new chain, which no key guards" in command("egress", "verify").err


def test_rows_of_another_key_are_told(command: Command) -> None:
    in_store(_fill)
    with closing(sqlite3.connect(paths.database_file(StoreSettings()), isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER ledger_is_not_changed")
        connection.execute("UPDATE ledger SET algorithm = 'hmac-sha256/00000000' WHERE number < 3")
    ended = command("egress", "verify")
    assert (ended.code, "2 of 3 rows cannot be checked" in ended.err) == (65, True)
