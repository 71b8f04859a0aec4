from pathlib import Path

import pytest

from hybridchat.config.settings import ChatSettings
from hybridchat.errors import BadConfiguration
from hybridchat.tui.chat import ChatScreen
from hybridchat.tui.keys import ACTIONS, keymap, readable
from tests.tui.conftest import Chat


def test_the_screen_can_do_every_action() -> None:
    assert [action.name for action in ACTIONS if not hasattr(ChatScreen, f"action_{action.method}")] == []


def test_the_document_lists_every_action_with_its_key_and_command() -> None:
    document = (Path(__file__).parents[2] / "docs/chat.md").read_text(encoding="utf-8")
    for action in ACTIONS:
        key = readable(action.keys) if action.keys else ""
        command = f"/{action.name} {action.argument}".rstrip()
        assert f"| {key} | `{command}` | {action.help} |" in document


def test_no_key_is_given_twice() -> None:
    keys = [action.keys for action in ACTIONS if action.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("escalate", "is no change of a key"),
        ("escalate=", "is no change of a key"),
        ("explode=f10", "there is no action 'explode'"),
        ("theme=f10", "has no key to change"),
        ("escalate=f1", "two actions have the key f1"),
        ("escalate=f10,F1", "two actions have the key f1"),
        ("escalate=nonsense++", "there is no key 'nonsense"),
        ("escalate=f99", "there is no key 'f99'"),
        ("escalate=ctrl+ctrl+e", "there is no key"),
        ("escalate=q", "Q is needed to write"),
        ("escalate=shift+question_mark", "is needed to write"),
        ("escalate=enter", "Enter is needed to write"),
        ("escalate=ctrl+j", r"Ctrl\+J is needed to write"),
        ("escalate=up", "↑ is needed to write"),
    ],
)
def test_a_wrong_change_of_keys_says_what_is_wrong(change: str, said: str) -> None:
    with pytest.raises(BadConfiguration, match=said):
        keymap([change])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("F10", "f10"),
        ("Ctrl+E", "ctrl+e"),
        ("Shift+Ctrl+Left", "ctrl+shift+left"),
        ("Alt+↑", "alt+up"),
        ("Shift+F3", "shift+f3"),
        ("ctrl+underscore", "ctrl+underscore"),
        ("f10, Esc", "f10,escape"),
    ],
)
def test_a_changed_key_may_be_written_as_help_shows_it(written: str, meant: str) -> None:
    assert keymap([f"stop={written}"]) == {"stop": meant}


def test_every_key_of_an_action_is_one_that_can_be_given() -> None:
    for action in ACTIONS:
        if action.keys:
            assert keymap([f"{action.name}={action.keys}"]) == {action.name: action.keys}


def test_keys_are_written_as_people_write_them() -> None:
    assert [readable(key) for key in ("ctrl+r", "f2", "escape", "alt+left")] == ["Ctrl+R", "F2", "Esc", "Alt+←"]


async def test_a_changed_key_does_what_the_old_one_did(chat: Chat) -> None:
    async with chat.running(settings=ChatSettings(keys=("retry=f10", "help=f12"))) as running:
        assert "F12 help" in running.status
        await running.ask()
        await running.press("ctrl+t")
        await running.idle()
        assert len(running.answers) == 1
        await running.press("f10")
        await running.idle()
        assert len(running.answers) == 2
