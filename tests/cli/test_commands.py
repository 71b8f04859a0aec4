from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hybridchat import __version__
from hybridchat.cli import listing, wiring
from hybridchat.cli.history import in_store
from hybridchat.messages import Conversation, Place, Provenance, Status
from hybridchat.store.database import Store
from hybridchat.store.records import Outcome, Sent
from tests.cli.conftest import Command
from tests.plain.fake_turn import TerminalStream


@pytest.fixture
def conversation() -> Conversation:
    """One conversation of one turn, and what was sent for it."""

    async def fill(store: Store) -> Conversation:
        kept = await store.conversations.create("About the \x1b[31msky")
        question = await store.conversations.add_user_message(kept.id, None, "Why is the sky blue?")
        source = Provenance(Place.REMOTE, "far", "org/large", "asked")
        answer = await store.conversations.begin_answer(kept.id, question.id, source)
        store.conversations.journal(answer.id, "Rayleigh scattering.", ())
        await store.conversations.finish_answer(answer.id, Status.PARTIAL, source)
        number = await store.ledger.sent(
            Sent(kept.id, question.id, "asked", "far", "https://far.example/v1", "org/large", b"{}", {"email": 2})
        )
        await store.ledger.outcome(number, Outcome("complete"))
        return kept

    return in_store(fill)


def test_the_version_is_told(command: Command) -> None:
    assert command("--version").out == f"hybridchat {__version__}\n"


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--help",), 0), (("-h",), 0)])
def test_without_a_command_the_commands_are_listed(arguments: tuple[str, ...], code: int, command: Command) -> None:
    ended = command(*arguments)
    assert ended.code == code
    for name in ("ask", "history", "models", "keys", "config", "egress"):
        assert f"  {name} " in ended.out


def test_an_unknown_command_is_a_usage_error(command: Command) -> None:
    ended = command("nonsense")
    assert (ended.code, ended.out) == (2, "")


def test_completion_is_there(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_HYBRIDCHAT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "hybridchat mod")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert "models" in command().out


def test_history_in_a_pipe_is_tab_separated_and_safe(command: Command, conversation: Conversation) -> None:
    (line,) = command("history", "list").out.splitlines()
    assert line.split("\t")[0] == conversation.id
    assert line.endswith("\tAbout the sky")


def test_history_as_json_is_a_line_for_each(command: Command, conversation: Conversation) -> None:
    record = json.loads(command("history", "list", "--json").out)
    assert record["id"] == conversation.id
    assert set(record) == {"id", "title", "created_at", "updated_at"}


def test_an_empty_history_says_so_on_standard_error(command: Command) -> None:
    ended = command("history", "list")
    assert (ended.code, ended.out) == (0, "")
    assert "no conversations" in ended.err
    assert command("history", "list", "--json").out == ""


def test_a_conversation_is_shown_with_its_provenance(command: Command, conversation: Conversation) -> None:
    shown = command("history", "show", conversation.id[:8]).out
    assert "Why is the sky blue?\n" in shown
    assert "Rayleigh scattering.\n[large (remote, far), asked]\n" in shown
    assert ", partial\n" in shown


def test_a_conversation_is_shown_as_json(command: Command, conversation: Conversation) -> None:
    lines = command("history", "show", conversation.id, "--json").out.splitlines()
    assert [json.loads(line)["message"]["role"] for line in lines] == ["user", "assistant"]


def test_history_is_searched(command: Command, conversation: Conversation) -> None:
    assert conversation.id in command("history", "search", "rayleigh").out
    assert json.loads(command("history", "search", "rayleigh", "--json").out)["id"] == conversation.id
    assert "nothing" in command("history", "search", "quantum").err


def test_a_conversation_is_deleted(command: Command, conversation: Conversation) -> None:
    ended = command("history", "delete", conversation.id)
    assert (ended.code, ended.out, ended.err) == (0, "", "deleted: About the sky\n")
    assert command("history", "show", conversation.id).code == 66


def test_egress_is_listed_and_verified(command: Command, conversation: Conversation) -> None:
    (line,) = command("egress", "list").out.splitlines()
    assert "https://far.example/v1" in line
    assert "2 email" in line
    assert "complete" in line
    assert json.loads(command("egress", "list", "--json").out)["entry"]["model"] == "org/large"
    verified = command("egress", "verify")
    assert verified.code == 0
    assert verified.out.startswith("intact: 2 rows")


def test_a_changed_ledger_is_told(command: Command, conversation: Conversation, home: Path) -> None:
    import sqlite3  # noqa: PLC0415  # only here is the database touched from outside

    (database,) = home.rglob("*.db")
    with sqlite3.connect(database) as connection:
        connection.execute("DROP TRIGGER IF EXISTS ledger_is_append_only_update")
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{trigger}"')
        connection.execute("UPDATE ledger SET entry = replace(entry, 'far.example', 'nowhere.example')")
    connection.close()
    ended = command("egress", "verify")
    assert ended.code == 65
    assert "does not fit together" in ended.err


def test_settings_are_shown_with_their_sources(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_MODEL", "other")
    assert "local.model\tother\tenvironment HYBRIDCHAT_LOCAL_MODEL\n" in command("config", "show").out
    records = [json.loads(line) for line in command("config", "show", "--json").out.splitlines()]
    assert {"setting": "privacy.words", "value": [], "source": "default"} in records


def test_a_setting_is_set_and_unset(command: Command) -> None:
    file = Path(command("config", "path").out.strip())
    assert command("config", "set", "local.model", "other").code == 0
    assert "local.model\tother\tfile" in command("config", "show").out
    assert command("config", "unset", "local.model").err == f"local.model was removed from {file}\n"
    assert command("config", "unset", "local.model").err == f"local.model was not set in {file}\n"


def test_the_settings_file_that_the_environment_names_is_used(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_CONFIG", str(tmp_path / "mine.toml"))
    assert command("config", "set", "local.model", "other").code == 0
    assert 'model = "other"' in (tmp_path / "mine.toml").read_text("utf-8")


def test_an_impossible_setting_is_a_usage_error(command: Command) -> None:
    assert command("config", "set", "local.modle", "x").code == 2
    assert command("config", "set", "answer.seed", "x").code == 2


def test_keys_are_listed_with_their_source_and_never_shown(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    ended = command("keys", "list")
    assert "huggingface\trouter.huggingface.co\tenvironment variable HF_TOKEN\n" in ended.out
    assert "the keyring could not be asked" in ended.err
    assert "hf_secret" not in ended.out + ended.err


def test_a_key_without_a_keyring_is_77_and_says_what_to_do(command: Command) -> None:
    ended = command("keys", "set", "huggingface", stdin="hf_secret\n")
    assert ended.code == 77
    assert "HYBRIDCHAT_KEY_HUGGINGFACE" in ended.err
    assert "hf_secret" not in ended.out + ended.err
    assert command("keys", "remove", "huggingface").code == 77


@pytest.mark.parametrize("stdin", [None, "", "  \n"])
def test_no_key_is_bad_input(stdin: str | None, command: Command) -> None:
    assert command("keys", "set", "huggingface", stdin=stdin).code == 65


def test_a_key_for_an_unknown_server_needs_a_host(command: Command) -> None:
    ended = command("keys", "set", "mine", stdin="x")
    assert ended.code == 2
    assert "--host" in ended.err


def test_keys_are_kept_for_the_configured_host(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[tuple[str, str], str] = {}

    class Keyring:  # the real one has a test of its own, in a session of its own
        async def store(self, name: str, value: str, host: str) -> None:
            kept[name, host] = value

        async def remove(self, name: str, host: str) -> bool:
            return kept.pop((name, host), None) is not None

    monkeypatch.setattr(wiring, "new_credentials", lambda _settings: Keyring())
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_URL", "https://mine.example:8443/v1")
    assert command("keys", "set", "huggingface", stdin=" hf_secret\n").code == 0
    assert command("keys", "set", "nvidia", stdin="nv\n").code == 0
    assert command("keys", "set", "other", "--host", "h.example", stdin="o\n").code == 0
    assert kept == {
        ("huggingface", "mine.example:8443"): "hf_secret",
        ("nvidia", "integrate.api.nvidia.com"): "nv",
        ("other", "h.example"): "o",
    }
    assert command("keys", "remove", "nvidia").code == 0
    assert command("keys", "remove", "nvidia").code == 66


def test_a_key_is_not_shown_to_anyone_where_nothing_may_leave(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_PRIVACY_OFFLINE", "true")
    assert command("keys", "test").code == 79
    monkeypatch.setenv("HYBRIDCHAT_PRIVACY_OFFLINE", "false")
    monkeypatch.setenv("HYBRIDCHAT_PRIVACY_DATA_POLICY", "local-only")
    assert command("keys", "test").code == 79


class ModelServer(BaseHTTPRequestHandler):
    """Lists two models to whoever shows the key."""

    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == "Bearer hf_secret"
        body = b'{"object":"list","data":[{"id":"a"},{"id":"b"}]}' if allowed else b'{"error":"no"}'
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def model_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ModelServer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("key", "code", "told"), [("hf_secret", 0, "lists 2 models"), ("hf_other", 77, "")])
def test_a_key_is_tried_on_its_server(
    key: str, code: int, told: str, model_server: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_KEY_HUGGINGFACE", key)
    ended = command("keys", "test")
    assert ended.code == code
    assert told in ended.out
    assert key not in ended.out + ended.err


def test_a_server_of_ones_own_is_listed_with_its_key(
    model_server: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_KEY_NAME", "mine")
    assert f"mine\t{model_server}\t\n" in command("keys", "list").out


def test_the_key_of_the_configured_kind_of_server_is_listed_too(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRESET", "custom")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_URL", "https://llm.example.org/v1")
    monkeypatch.setenv("HYBRIDCHAT_KEY_CUSTOM", "k")
    assert "custom\tllm.example.org\tenvironment variable HYBRIDCHAT_KEY_CUSTOM\n" in command("keys", "list").out


def test_a_server_without_keys_needs_none(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRESET", "lmstudio")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_MODEL", "x")
    assert command("keys", "test").out == "lmstudio needs no key\n"


def test_without_a_remote_there_is_no_key_to_test(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRESET", "none")
    assert command("keys", "test").code == 2
    assert command("keys", "list").code == 0


@pytest.mark.parametrize("typed", ["hf_secret", EOFError()])
def test_a_key_is_typed_without_being_shown(
    typed: str | EOFError, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getpass(_question: str) -> str:
        if isinstance(typed, EOFError):
            raise typed
        return typed

    monkeypatch.setattr("getpass.getpass", getpass)
    monkeypatch.setattr("io.StringIO", TerminalStream)
    assert command("keys", "set", "huggingface", stdin="").code == (65 if isinstance(typed, EOFError) else 77)


def test_a_missing_key_is_77(command: Command) -> None:
    assert command("keys", "test").code == 77


def test_a_table_on_a_terminal_shows_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = TerminalStream()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("NO_COLOR", "1")
    records = [{"name": "a\x1b[31m", "loaded": True, "size": None}, {"name": "[b]", "loaded": False, "size": [1, 2]}]
    listing.show_records(records, ("name", "loaded", "size"), as_json=False, empty="")
    shown = screen.getvalue()
    assert "\x1b[31m" not in shown
    for part in ("name", "loaded", "a", "[b]", "yes", "no", "1, 2"):
        assert part in shown
