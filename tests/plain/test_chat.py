from __future__ import annotations

import io
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybridchat.backends.scripted import script
from hybridchat.errors import CannotWrite, Unreachable
from hybridchat.messages import Conversation, DataPolicy
from hybridchat.plain import chat as chat_module
from hybridchat.plain.chat import converse
from tests.tui.conftest import Chat, store  # noqa: F401 - a fixture


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


class Terminal:
    def __init__(self, lines: list[str | None]) -> None:
        self.lines = lines
        self.written = ""
        self.closed = False

    def write(self, text: str) -> None:
        self.written += text

    async def line(self) -> str | None:
        return self.lines.pop(0)

    def close(self) -> None:
        self.closed = True


Talk = Callable[..., Awaitable[Ended]]


@pytest.fixture
def chat(store: object) -> Chat:  # noqa: F811 - the fixture
    return Chat(store)  # type: ignore[arg-type]  # the fixture of another module


@pytest.fixture
def talk(chat: Chat, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Talk:
    """Talk with lines of standard input, without a terminal."""

    async def run(*lines: str, conversation: Conversation | None = None) -> Ended:
        monkeypatch.setattr(chat_module, "open_terminal", lambda: None)
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        code = await converse(chat.assistant(), conversation)
        return Ended(code, *capsys.readouterr())

    return run


async def test_each_line_is_answered_and_says_who_spoke(chat: Chat, talk: Talk) -> None:
    chat.local_says(script(["one"]), script(["two"]))
    ended = await talk("first", "", "second", "/quit", "never asked")
    assert (ended.code, ended.out) == (0, "one\ntwo\n")
    assert "[scripted (on this machine, ollama)" in ended.err
    assert len(chat.local.requests[1].messages) == 3
    assert "\x1b" not in ended.out + ended.err


async def test_a_backslash_carries_a_line_on(chat: Chat, talk: Talk) -> None:
    await talk("first\\", "second", "third\\")
    assert [request.messages[-1].content for request in chat.local.requests] == ["first\nsecond", "third\\"]


async def test_commands(chat: Chat, talk: Talk) -> None:
    chat.allow(DataPolicy.ALLOW)
    ended = await talk("/help", "/retry", "/nonsense", "hello", "/retry", "/escalate", "/new", "again")
    assert "/escalate  let the remote model" in ended.err
    assert "There is no question yet." in ended.err
    assert "There is no command /nonsense" in ended.err
    assert ended.out == "Paris. Yes\nParis. Yes\nIt is Paris\nParis. Yes\n"
    assert len(await chat.store.conversations.list()) == 2


async def test_a_command_is_not_carried_out_on_what_it_does_not_take(chat: Chat, talk: Talk) -> None:
    ended = await talk("/new ideas for a name", "/help me", " /new in a question")
    assert "/new cannot take what follows it" in ended.err
    assert "/help cannot take what follows it" in ended.err
    assert [request.messages[-1].content.strip() for request in chat.local.requests] == ["/new in a question"]


async def test_a_file_that_is_named_at_the_terminal_is_attached_and_one_out_of_a_pipe_is_not(
    chat: Chat, talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("remember this", encoding="utf-8")
    (tmp_path / "bad").write_bytes(b"\xff")
    monkeypatch.chdir(tmp_path)
    await talk("what says @notes.txt?")
    assert "remember" not in chat.local.requests[-1].messages[-1].content
    terminal = Terminal(["what says @notes.txt?", "and @bad", None])
    monkeypatch.setattr(chat_module, "open_terminal", lambda: terminal)
    monkeypatch.setattr(chat_module, "is_terminal", lambda _: True)
    await converse(chat.assistant(), None)
    assert "remember this" in chat.local.requests[-1].messages[-1].content
    assert len(chat.local.requests) == 2


async def test_the_context_is_shortened_by_words_and_the_change_is_told_and_taken_back(chat: Chat, talk: Talk) -> None:
    chat.local_says(script(["and so on " * 50]))
    ended = await talk(
        "/trim", "one", "two", "three", "/trim 1", "four", "/undo", "five", "/undo", "/trim 9", "/condense"
    )
    assert "There is no question yet." in ended.err
    assert ended.err.count("left out: the oldest 1 turn") == 2  # when it is done, and with the next question
    assert "There is nothing to take back." in ended.err
    assert "9 turns cannot be left out: there are 5" in ended.err
    assert "a summary of the oldest 4 turns" in ended.err
    questions = [[m.content for m in request.messages if m.role == "user"] for request in chat.local.requests]
    assert questions[3] == ["two", "three", "four"]
    assert questions[4] == ["one", "two", "three", "four", "five"]


async def test_a_conversation_is_gone_on_with(chat: Chat, talk: Talk) -> None:
    await talk("first")
    conversation = (await chat.store.conversations.list())[0]
    await talk("second", conversation=conversation)
    assert len(await chat.store.conversations.list()) == 1


async def test_what_failed_before_its_first_word_is_continued_from_its_beginning(chat: Chat, talk: Talk) -> None:
    chat.local_says([Unreachable("nobody answers", endpoint="ollama")], script(["all of it"]))
    ended = await talk("first", "/continue", "/continue")
    assert ended.out == "all of it\n"
    assert "The last answer was not stopped: there is nothing to go on with." in ended.err


async def test_an_error_of_the_store_ends_it_with_its_code(
    chat: Chat, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise CannotWrite("the disk is full", hint="Make room.")

    monkeypatch.setattr(chat_module.LineChat, "run", fail)
    ended = await talk("first")
    assert (ended.code, ended.err) == (74, "hybridchat: the disk is full\n  Make room.\n")


async def test_at_a_terminal_the_prompt_is_a_word(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(["hello", None])
    monkeypatch.setattr(chat_module, "open_terminal", lambda: terminal)
    monkeypatch.setattr(chat_module, "is_terminal", lambda _: True)
    assert await converse(chat.assistant(), None) == 0
    assert capsys.readouterr().out == "Paris. Yes\n"
    assert (terminal.written, terminal.closed) == ("You: You: ", True)


async def test_how_much_never_left_is_told(talk: Talk) -> None:
    ended = await talk("Where is Paris?", "/kept")
    assert "never left: 1 answer, " in ended.err
