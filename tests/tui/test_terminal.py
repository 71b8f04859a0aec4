from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

import pexpect

from tests.servers.llama_cpp import LlamaServer
from tests.servers.ollama import DONE, Do, FakeOllama, head, line, piece, streamed

ROOT = str(Path(__file__).parents[2])
Start = Callable[..., "pexpect.spawn[str]"]
ESCAPE, F5, CTRL_Q, CTRL_R = "\x1b", "\x1b[15~", "\x11", "\x12"
LEFT_THE_SCREEN = "\x1b[?1049l"


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    """An Ollama server in a thread of its own: waiting for a terminal blocks."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = FakeOllama()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    yield server
    asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def start(ollama: FakeOllama) -> Iterator[Start]:
    started: list[pexpect.spawn[str]] = []

    def spawn(*arguments: str, **environ: str) -> pexpect.spawn[str]:
        settings = {
            "TERM": "xterm-256color",
            "HYBRIDCHAT_LOCAL_BACKEND": "ollama",
            "HYBRIDCHAT_LOCAL_URL": ollama.url,
            "HYBRIDCHAT_REMOTE_PRESET": "none",
            **environ,
        }
        process = pexpect.spawn(
            sys.executable,
            ["-m", "hybridchat", *arguments],
            encoding="utf-8",
            timeout=60,
            cwd=ROOT,
            env={**os.environ, **settings},
            dimensions=(24, 80),
        )
        started.append(process)
        return process

    yield spawn
    for process in started:
        process.close(force=True)


def ended(process: pexpect.spawn[str]) -> int | None:
    process.expect(pexpect.EOF)
    process.close()
    status: int | None = process.exitstatus
    return status


def test_a_question_is_answered_and_the_conversation_reopened(start: Start, ollama: FakeOllama) -> None:
    chat = start()
    chat.expect_exact("F1 help")
    chat.send("hello there\r")
    chat.expect_exact("on this machine, ollama")
    chat.send(CTRL_Q)
    assert LEFT_THE_SCREEN in chat.read()
    chat.close()
    assert chat.exitstatus == 0
    assert ollama.asked("/api/chat")[0].json["messages"] == [{"role": "user", "content": "hello there"}]
    again = start("chat", "-c")
    again.expect_exact("hello there")
    again.expect_exact("Hello")
    again.send(CTRL_Q)
    assert ended(again) == 0


def test_escape_stops_and_the_server_hears_of_it(start: Start, ollama: FakeOllama) -> None:
    ollama.chat(head(), piece(line("half an answer")), Do.HANG)
    chat = start("chat")
    chat.expect_exact("F1 help")
    chat.send("go\r")
    chat.expect_exact("half an answer")
    chat.send(ESCAPE)
    chat.expect_exact("stopped")
    ollama.chat(*streamed(line("and the rest"), DONE))
    chat.send(F5)
    chat.expect_exact("and the rest")
    chat.send(CTRL_R)
    chat.expect_exact("no remote model")
    chat.setwinsize(10, 30)
    chat.expect_exact("30x10")
    chat.setwinsize(24, 80)
    chat.expect_exact("and the rest")
    chat.send("\x04")
    assert ended(chat) == 0


def test_after_a_violent_end_the_partial_answer_is_there(start: Start, ollama: FakeOllama) -> None:
    ollama.chat(head(), piece(line("what was said before the crash")), Do.HANG)
    chat = start("chat")
    chat.expect_exact("F1 help")
    chat.send("go\r")
    chat.expect_exact("what was said before the crash")
    journal = next(Path(os.environ["XDG_DATA_HOME"]).rglob("hybridchat.db-wal"))
    wait_for_commit(journal)
    chat.kill(signal.SIGKILL)
    chat.expect(pexpect.EOF)
    again = start("chat", "-c")
    again.expect_exact("what was said before the crash")
    again.expect_exact("/continue")
    again.send(CTRL_Q)
    assert ended(again) == 0


def test_a_question_goes_to_a_real_remote_model_only_after_a_yes_and_the_ledger_tells_of_it(
    start: Start, ollama: FakeOllama, llama_server: LlamaServer
) -> None:
    remote = {
        "HYBRIDCHAT_REMOTE_PRESET": "llama.cpp",
        "HYBRIDCHAT_REMOTE_URL": llama_server.url,
        "HYBRIDCHAT_REMOTE_MODEL": "smollm2",
        "HYBRIDCHAT_KEY_LLAMA_CPP": llama_server.key,
        "HYBRIDCHAT_ANSWER_TEMPERATURE": "0",  # an answer that is always long enough to be stopped
    }
    chat = start("chat", **remote)
    chat.expect_exact("F1 help")
    chat.send("Tell john@example.org a very long story with ten chapters.\r")
    chat.expect_exact("on this machine, ollama")
    chat.send(CTRL_R)
    chat.expect_exact("Send this to a remote model?")
    answer_once_keys_count(chat, "s")
    chat.expect_exact("smollm2 · remote, llama.cpp")
    chat.expect_exact("smollm2 answers")
    chat.send(ESCAPE)
    chat.expect_exact("/continue")
    chat.send(CTRL_R)
    chat.expect_exact("Send this to a remote model?")
    answer_once_keys_count(chat, "l")
    chat.expect_exact("F1 help")
    chat.send(CTRL_Q)
    assert ended(chat) == 0
    rows = entries()
    assert len(rows) == 2, "what was sent, and how it ended"
    assert '"model":"smollm2"' in rows[0]
    assert "john@example.org" not in "".join(rows)


def entries() -> list[str]:
    database = next(Path(os.environ["XDG_DATA_HOME"]).rglob("hybridchat.db"))
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return [entry for (entry,) in connection.execute("SELECT entry FROM ledger ORDER BY number")]
    finally:
        connection.close()


def answer_once_keys_count(chat: pexpect.spawn[str], key: str) -> None:
    """Press ``key`` once the dialog takes keys: its title ends then with the question."""
    chat.expect_exact("keys count in a moment")
    chat.expect(r"remote model\?(?:\x1b\[[0-9;]*m)* {5}")
    chat.send(key)


def test_what_was_written_and_not_sent_outlives_a_violent_end(start: Start) -> None:
    chat = start("chat")
    chat.expect_exact("F1 help")
    chat.send("half a thought")
    chat.expect_exact("on this machine")
    database = next(Path(os.environ["XDG_DATA_HOME"]).rglob("hybridchat.db"))
    wait_for_row(database, "SELECT count(*) FROM draft WHERE text = 'half a thought'")
    chat.kill(signal.SIGKILL)
    chat.expect(pexpect.EOF)
    again = start("chat")
    again.expect_exact("half a thought")
    again.send(CTRL_Q)
    assert ended(again) == 0


def test_a_theme_that_was_chosen_is_there_the_next_time(start: Start) -> None:
    chat = start("chat")
    chat.expect_exact("F1 help")
    chat.send("/theme high-contrast\r")
    chat.expect_exact("high-contrast is kept")
    chat.send(CTRL_Q)
    assert ended(chat) == 0
    shown = start("config", "show")
    assert "high-contrast" in shown.read()


def wait_for_commit(journal: Path) -> None:
    """Wait until the journal of the running answer is on the disk."""
    wait_for_row(Path(str(journal).removesuffix("-wal")), "SELECT count(*) FROM journal")


def wait_for_row(database: Path, count: str) -> None:
    """Wait until there is a row of that kind."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        while connection.execute(count).fetchone() == (0,):
            pass
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_closing_system_restores_the_terminal_and_keeps_the_partial_answer(
    start: Start, ollama: FakeOllama, number: signal.Signals
) -> None:
    ollama.chat(head(), piece(line("half an answer")), Do.HANG)
    chat = start("chat")
    chat.expect_exact("F1 help")
    chat.send("go\r")
    chat.expect_exact("half an answer")
    chat.kill(number)
    assert LEFT_THE_SCREEN in chat.read()
    chat.close()
    assert chat.exitstatus == 128 + number
    again = start("chat", "-c")
    again.expect_exact("half an answer")
    again.send(CTRL_Q)
    assert ended(again) == 0


def test_where_no_model_is_reachable_the_way_to_one_is_shown(start: Start) -> None:
    chat = start("chat", HYBRIDCHAT_LOCAL_URL="http://127.0.0.1:9")
    chat.expect_exact("No model on this machine can answer yet")
    chat.send(ESCAPE)
    chat.expect_exact("F1 help")
    chat.send(CTRL_Q)
    assert ended(chat) == 0


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"HYBRIDCHAT_CHAT_THEME": "mauve"}, "no theme"),
        ({"HYBRIDCHAT_CHAT_KEYS": "x=f1"}, "no action"),
        ({"HYBRIDCHAT_CONFIG": "/does/not/exist"}, "is not there"),
    ],
)
def test_a_broken_setting_is_told_before_any_screen_is_opened(start: Start, setting: dict[str, str], said: str) -> None:
    chat = start("chat", **setting)
    chat.expect_exact(said)
    assert "\x1b[?1049h" not in chat.before
    assert ended(chat) == 78


def test_without_a_terminal_the_program_says_what_to_do() -> None:
    for arguments in ([], ["chat"]):
        done = subprocess.run(
            [sys.executable, "-m", "hybridchat", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 2
        assert "chat --plain" in done.stderr


def test_line_mode_draws_nothing(start: Start) -> None:
    chat = start("chat", "--plain")
    chat.expect_exact("You: ")
    chat.send("hello\r")
    chat.expect_exact("Hello")
    chat.expect_exact("on this machine, ollama")
    chat.expect_exact("You: ")
    chat.send("/quit\r")
    rest = chat.read()
    assert "\x1b" not in rest + chat.before
    chat.close()
    assert chat.exitstatus == 0
