"""The question that is put at a terminal where no local model is on the machine."""

from __future__ import annotations

import io
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

import pexpect

from hybridchat.backends.embedded.state import stop_servers
from hybridchat.backends.model_files.catalogue import STAND_IN
from hybridchat.cli import offer
from hybridchat.config import paths
from hybridchat.config.settings import Settings, StoreSettings
from hybridchat.errors import CannotWrite
from hybridchat.events import Escalated, Event, Failed, Routed
from hybridchat.messages import Place
from hybridchat.plain.session import Face
from hybridchat.plain.streams import Narration, Output
from hybridchat.plain.text import TextFace
from tests.cli.test_ask_terminal import ROOT, ended
from tests.plain.fake_turn import TerminalStream
from tests.servers.hub import Hub, run_hub

OFFER = "No local model is on this machine. Get one now?"
QUESTION = "What is the capital of France?"


@pytest.fixture(autouse=True)
def no_ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing listens where Ollama would, nor where the Hub would; the engine computes on one thread."""
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HYBRIDCHAT_EMBEDDED_THREADS", "1")
    monkeypatch.setenv("HYBRIDCHAT_ANSWER_MAX_TOKENS", "24")
    monkeypatch.setenv("HYBRIDCHAT_ANSWER_TEMPERATURE", "0")
    monkeypatch.setenv("HYBRIDCHAT_LOCAL_NUM_CTX", "512")
    yield
    stop_servers(paths.runtime_folder())


@pytest.fixture
def hub(smollm2: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub that has the small stand-in's very file."""
    with run_hub() as hub:
        hub.files[f"{STAND_IN.repo}/{STAND_IN.file}"] = smollm2.read_bytes()
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def ask(*options: str, redirect: str = "", program: str = "hybridchat", choice: str = "--local") -> pexpect.spawn[str]:
    line = f'exec 3<>/dev/tty; exec "$0" -m {program} ask {choice} {" ".join(options)} "{QUESTION}" {redirect}'
    return pexpect.spawn(
        "/bin/sh",
        ["-c", line, sys.executable],
        encoding="utf-8",
        timeout=100,
        cwd=ROOT,
        echo=False,
        dimensions=(24, 200),
    )


def messages() -> list[tuple[str, str]]:
    with sqlite3.connect(paths.database_file(StoreSettings())) as connection:
        found = connection.execute("SELECT role, status FROM message ORDER BY rowid").fetchall()
    connection.close()
    return [(str(role), str(status)) for role, status in found]


@pytest.mark.real_model
def test_an_accepted_offer_fetches_a_model_which_then_answers_the_same_question(hub: Hub, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    process = ask(redirect=f">{answer}")
    process.expect_exact(OFFER)
    process.expect_exact("p  Phi-3.5-mini (2.4 GB)")
    process.expect_exact("s  a small stand-in, SmolLM2-135M (98 MB)")
    process.expect_exact("> ")
    process.sendline("s")
    process.expect_exact("Downloading SmolLM2-135M")
    process.expect_exact("smollm2 is ready (embedded)")
    process.expect_exact("SmolLM2-135M, a small stand-in, answers")
    assert ended(process) == 0
    assert len(answer.read_text("utf-8").split()) > 3
    assert len(hub.downloads()) == 1
    assert [role for role, _ in messages()] == ["user", "assistant"], "the question is kept once"


@pytest.mark.real_model
def test_a_question_that_was_not_kept_is_put_anew(hub: Hub) -> None:
    process = ask("--no-save", "-m", "smollm2")
    process.expect_exact("s  a small stand-in")
    assert "Phi" not in process.before, "it would not answer for a model that was named"
    process.expect_exact("> ")
    process.sendline("s")
    process.expect_exact("[smollm2 (on this machine, embedded)")
    assert ended(process) == 0
    assert not paths.database_file(StoreSettings()).exists()


@pytest.mark.parametrize("reply", ["n", "what?", None])
def test_a_declined_offer_leaves_the_error_and_its_exit_code(reply: str | None) -> None:
    process = ask()
    process.expect_exact("> ")
    if reply == "what?":
        process.sendline(reply)
        process.expect_exact("p, s or n")
        process.expect_exact("> ")
    if reply is None:
        process.sendeof()
    else:
        process.sendline("n")
    process.expect_exact("hybridchat: no local model can answer")
    assert ended(process) == 69
    assert messages() == [("user", "complete")]


def test_where_the_remote_model_cannot_help_either_nothing_is_said_to_stand() -> None:
    process = ask(choice="")
    process.expect_exact("the remote model does not answer either: there is no safe keyring here")
    process.expect_exact(OFFER)
    process.expect_exact("> ")
    process.sendline("n")
    assert ended(process) == 69


def test_ctrl_c_withdraws_the_offer() -> None:
    process = ask()
    process.expect_exact("> ")
    process.sendintr()
    assert ended(process) == 130


def test_a_model_that_cannot_be_fetched_says_why() -> None:
    process = ask()
    process.expect_exact("> ")
    process.sendline("p")
    process.expect_exact("hybridchat: ")
    process.expect_exact("Hub")
    assert ended(process) == 69


@pytest.mark.parametrize(
    "options",
    [("--json",), ("--offline",), ("--quiet",), ("-m", "other.gguf"), ("--local-backend", "ollama")],
    ids=lambda options: options[0],
)
def test_nothing_is_offered_where_it_was_not_wanted_or_would_not_help(options: tuple[str, ...]) -> None:
    process = ask(*options)
    assert ended(process) == 69
    assert OFFER not in process.before


def test_nothing_is_offered_where_nobody_sees_it(tmp_path: Path) -> None:
    process = ask(redirect=f"2>{tmp_path / 'told'}")
    assert ended(process) == 69
    assert "no local model can answer" in (tmp_path / "told").read_text("utf-8")


def test_an_answer_is_shown_as_ever(tmp_path: Path) -> None:
    process = ask(program="tests.cli.scripted_program four")
    process.expect_exact("four\r\n")
    assert ended(process) == 0


def test_without_the_engine_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['xllamacpp'] = None\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    process = ask()
    process.expect_exact("no local model can answer")
    process.expect_exact("pip install 'hybridchat[embedded]'")
    assert ended(process) == 69


UNREACHABLE = Failed("unreachable", "the far server is gone", "Try later.", 69)


@pytest.mark.parametrize(
    "events",
    [
        [Routed("c", "q", Place.REMOTE, "asked for", can_escalate=False), UNREACHABLE],
        [
            Routed("c", "q", Place.LOCAL, "first", can_escalate=True),
            Escalated("a", None, "far", "org/large", "the local model cannot answer"),
            UNREACHABLE,
        ],
    ],
    ids=["asked for", "escalated"],
)
def test_a_failure_of_the_remote_model_is_shown_at_once(events: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offer, "open_terminal", lambda: pytest.fail("nothing is to be asked"))
    told = TerminalStream()
    narration = Narration(told)
    asked: list[str | None] = []

    def ask(face: Face, again: str | None) -> int:
        asked.append(again)
        assert face.waits_for_questions
        for event in events:
            face.show(event)
        face.fail(CannotWrite("the answer could not be written"))
        return 69

    assert offer.ask_with_offer(ask, TextFace(Output(io.StringIO()), narration), Settings(), narration) == 69
    assert asked == [None]
    assert told.getvalue().index("the far server is gone") < told.getvalue().index("could not be written")
