from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridchat.errors import CannotWrite, InputError
from hybridchat.tui import chat as chat_module
from hybridchat.tui.external_editor import edited
from tests.tui.conftest import Chat


@pytest.fixture
def editor(tmp_path: Path) -> str:
    program = tmp_path / "my editor"
    program.write_text("#!/bin/sh\nprintf ', changed\\033[31m\\n' >> \"$2\"\n", encoding="utf-8")
    program.chmod(0o755)
    return f"'{program}' --wait"


def test_the_editor_changes_the_text_and_brings_no_escapes(editor: str) -> None:
    assert edited("text", {"EDITOR": editor}) == "text, changed"


def test_visual_comes_before_editor(editor: str) -> None:
    assert edited("text", {"VISUAL": editor, "EDITOR": "false"}) == "text, changed"


@pytest.mark.parametrize(
    ("command", "said"),
    [("false", "ended with 1"), ("no-such-editor-here", "cannot be started"), ("'unclosed", "cannot be started")],
)
def test_an_editor_that_fails_says_so(command: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        edited("text", {"EDITOR": command})


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "bad"
    program.write_text("#!/bin/sh\nprintf '\\377' > \"$1\"\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(InputError, match="no UTF-8 text"):
        edited("text", {"EDITOR": str(program)})


def test_without_room_for_a_file_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    with pytest.raises(CannotWrite, match="No space left"):
        edited("text", {})


async def test_the_composer_gets_what_the_editor_left(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_module, "edited", lambda text: f"{text}, edited")
    async with chat.running() as running:
        monkeypatch.setattr(running.app, "suspend", contextlib.nullcontext)
        await running.write("draft")
        await running.press("ctrl+g")
        assert running.screen.composer.text == "draft, edited"


async def test_a_terminal_that_cannot_be_lent_and_an_editor_that_fails_lose_nothing(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_back = []

    @contextlib.contextmanager
    def lent() -> Iterator[None]:
        yield
        taken_back.append(True)  # as Textual's does: only where nothing was raised

    def fail(_text: str) -> str:
        raise InputError("it failed", hint="Try again.")

    async with chat.running() as running:
        await running.write("draft")
        await running.press("ctrl+g")
        monkeypatch.setattr(chat_module, "edited", fail)
        monkeypatch.setattr(running.app, "suspend", lent)
        await running.press("ctrl+g")
        assert taken_back
        assert running.screen.composer.text == "draft"
        assert running.told == ["this terminal cannot be lent to an editor", "it failed\nTry again."]
