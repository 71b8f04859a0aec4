from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from hybridchat.cli import wiring
from tests.cli.conftest import Command

QUESTION = "Is ada@example.org a good address?"
ANSWER = (
    b'data: {"choices":[{"delta":{"content":"Yes"},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


class Recording(BaseHTTPRequestHandler):
    received: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, dict(self.headers.items()), body))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of the base class
        pass


@pytest.fixture
def remote() -> Iterator[str]:
    Recording.received.clear()
    with HTTPServer(("127.0.0.1", 0), Recording) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def at(url: str) -> list[str]:
    return ["--remote-preset", "custom", "--remote-url", url, "--remote-model", "large"]


def test_the_preview_is_what_is_then_sent_to_the_last_byte(command: Command, remote: str) -> None:
    shown = command("ask", "--preview", "--raw", *at(remote), QUESTION)
    assert shown.code == 0
    assert Recording.received == []
    asked = command("ask", "--remote", "--allow-remote", *at(remote), QUESTION)
    assert asked.code == 0
    ((path, headers, body),) = Recording.received
    assert shown.out.encode() == body
    as_json = json.loads(command("ask", "--preview", "--json", *at(remote), QUESTION).out)
    assert as_json["preview"].endswith(path)
    del headers["Content-Length"], headers["Host"]
    assert {name.title() for name in headers} <= set(as_json["headers"])


def test_it_shows_the_text_before_and_after_redaction_and_what_would_happen(command: Command, remote: str) -> None:
    shown = command("ask", "--preview", *at(remote), QUESTION)
    assert f"POST {remote}/chat/completions" in shown.out
    sent, _, before = shown.out.partition("--- before redaction")
    assert "HIDDEN_EMAIL_1" in sent
    assert "ada@example.org" not in sent
    assert "ada@example.org" in before
    assert "replaced: 1 e-mail address" in shown.err
    assert "Nothing was sent" in shown.err


@pytest.mark.parametrize(
    ("flags", "permission"),
    [
        (["--offline"], "refuse"),
        (["--data-policy", "local-only"], "refuse"),
        (["--data-policy", "local-only", "--allow-remote"], "refuse"),
        (["--allow-remote"], "send"),
        (["--data-policy", "allow"], "send"),
    ],
)
def test_it_works_under_every_policy_and_says_what_would_happen(
    command: Command, flags: list[str], permission: str
) -> None:
    shown = command("ask", "--preview", "--json", *flags, *at("https://far.example/v1"), QUESTION)
    found = json.loads(shown.out)
    assert (shown.code, found["permission"]) == (0, permission)
    assert "HIDDEN_EMAIL_1" in found["body"]
    in_words = command("ask", "--preview", *flags, *at("https://far.example/v1"), QUESTION)
    assert ("would be refused" in in_words.err) is (permission == "refuse")


def test_the_key_is_neither_read_nor_shown(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def read(*_: object) -> None:
        raise AssertionError("the key was read")

    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(wiring, "_remote_key", read)
    shown = command("ask", "--preview", QUESTION)
    assert shown.code == 0
    assert "Authorization: Bearer [key]" in shown.out
    assert "hf_secret" not in shown.out + shown.err


def test_nothing_of_it_is_kept(command: Command) -> None:
    assert command("ask", "--preview", QUESTION).code == 0
    assert command("history", "list").out == ""
    assert command("egress", "list").out == ""


def test_without_a_remote_model_there_is_nothing_to_show(command: Command) -> None:
    shown = command("ask", "--preview", "--remote-preset", "none", QUESTION)
    assert (shown.code, shown.out) == (79, "")
    assert "no remote model is configured" in shown.err


@pytest.mark.parametrize("other", ["--local", "--demo"])
def test_a_preview_of_what_never_leaves_is_a_usage_error(command: Command, other: str) -> None:
    arguments = ("--demo",) if other == "--demo" else ("--local", "hi")
    assert command("ask", "--preview", *arguments).code == 2


def test_the_preview_of_a_conversation_says_what_it_costs_at_most_and_what_could_not_be_done(
    command: Command, remote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRICE_INPUT", "1")
    monkeypatch.setenv("HYBRIDCHAT_REMOTE_PRICE_OUTPUT", "2")
    assert command("ask", "--remote", "--allow-remote", *at(remote), "My name is Ada.").code == 0
    nobody = ["--local-backend", "llama.cpp", "--local-url", "http://127.0.0.1:9/v1"]
    shown = command("ask", "--preview", "--continue", "--handover", "distil", *nobody, *at(remote), "What is my name?")
    assert "My name is Ada." in shown.out
    assert "at most $" in shown.err
    assert "not the form distil, but the conversation as it stands" in shown.err
