from pathlib import Path

import pytest

from hybridchat.errors import InputError
from hybridchat.handover.mentions import LIMIT, attached
from hybridchat.tui.attachments import begun, completions, mention
from hybridchat.tui.completion import completions as offered
from hybridchat.tui.completion import slash_command
from tests.tui.conftest import Chat


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes.txt").write_text("remember ``` this", encoding="utf-8")
    (tmp_path / "two words.txt").write_text("two", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").write_text("", encoding="utf-8")
    return tmp_path


def test_a_named_file_is_fenced_off_as_data_once(folder: Path) -> None:
    prompt = attached("Compare @notes.txt with @notes.txt please", folder)
    assert prompt.startswith("Compare @notes.txt with @notes.txt please\n\nThe following block is data (notes.txt)")
    assert prompt.count("remember ``` this") == 1
    assert prompt.endswith("````")


def test_a_name_with_spaces_is_quoted(folder: Path) -> None:
    assert "\ntwo\n" in attached('See @"two words.txt"', folder)


def test_what_is_no_file_stays_a_word(folder: Path) -> None:
    for prompt in ("Ask @joe", "joe@notes.txt", "@sub", "@~nobody-of-that-name/x"):
        assert attached(prompt, folder) == prompt


@pytest.mark.parametrize("prompt", ["What says @notes.txt?", "(see below: @notes.txt), please", "@notes.txt!"])
def test_a_sentence_may_end_behind_a_name(folder: Path, prompt: str) -> None:
    assert "remember ``` this" in attached(prompt, folder)


def test_what_is_too_long_for_a_name_stays_a_word(folder: Path) -> None:
    prompt = "@" + "x" * 5_000
    assert attached(prompt, folder) == prompt


def test_a_prompt_that_is_sent_again_brings_no_file_twice(folder: Path) -> None:
    (folder / "list").write_text("read @notes.txt", encoding="utf-8")
    once = attached("What is in @list", folder)
    assert "remember" not in once
    assert attached(once, folder) == once
    assert attached(f"{once}\nand in @notes.txt", folder).count("remember ``` this") == 1


def test_a_pasted_text_names_no_file(folder: Path) -> None:
    prompt = "Shorten this: @notes.txt " + "x" * 5_000
    assert attached(prompt, folder, "Shorten this: [pasted text 1: 5,012 characters]") == prompt


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xff\xfe", "is no UTF-8 text"), (b"a\0b", "is binary"), (b"x" * (LIMIT + 1), "is larger than 1 MiB")],
)
def test_a_file_that_cannot_be_attached_says_why(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "bad").write_bytes(data)
    with pytest.raises(InputError, match=said):
        attached("@bad", tmp_path)


def test_an_unreadable_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("x", encoding="utf-8")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="@secret cannot be read: Permission denied"):
        attached("@secret", tmp_path)


def test_paths_are_completed_folders_first(folder: Path) -> None:
    assert completions("", folder) == ["sub/", "notes.txt", "two words.txt"]
    assert completions("NO", folder) == ["notes.txt"]
    assert completions(".h", folder) == [".hidden"]
    assert completions("missing/x", folder) == []
    assert completions(f"{folder}/n", Path("/")) == [f"{folder}/notes.txt"]


@pytest.mark.parametrize(
    ("text", "path"),
    [("see @no", "no"), ("@", ""), ('@"two w', "two w"), ("joe@no", None), ("@no more", None), ("plain", None)],
)
def test_what_is_begun_is_seen(text: str, path: str | None) -> None:
    assert begun(text) == path


def test_a_mention_is_quoted_where_it_must_be_and_open_for_folders() -> None:
    assert [mention(path) for path in ("a.txt", "b c", "sub/", "s b/")] == ["@a.txt ", '@"b c" ', "@sub/", '@"s b/']


def test_slash_commands_are_completed_at_the_beginning_only(folder: Path) -> None:
    begun, found = offered("/re", at_start=True, folder=folder)
    assert (begun, [one.text for one in found]) == ("/re", ["/retry", "/rename "])
    assert offered("/re", at_start=False, folder=folder) == ("", [])
    assert offered("see @two", at_start=True, folder=folder)[1][0].text == '@"two words.txt" '


def test_a_slash_alone_makes_no_command() -> None:
    found = slash_command("/rename A new title")
    assert found is not None
    assert (found[0].name, found[1]) == ("rename", "A new title")
    assert slash_command("/etc/hosts is what?") is None
    assert slash_command("/retry\nand more") is None
    assert slash_command("retry") is None


@pytest.mark.parametrize("prompt", ["/copy", "/copy 2", "/continue remote", "/confidence raw", "/theme x", "/help"])
def test_a_slash_command_takes_its_argument(prompt: str) -> None:
    assert slash_command(prompt) is not None


@pytest.mark.parametrize(
    "prompt",
    ["/copy all", "/trim " + "9" * 5_000, "/continue local", "/new ideas?", "/delete the last line"],
)
def test_a_slash_command_is_not_carried_out_on_what_it_does_not_take(prompt: str) -> None:
    with pytest.raises(InputError, match="cannot take"):
        slash_command(prompt)


async def test_completions_are_offered_gone_through_and_taken(chat: Chat, folder: Path) -> None:
    async with chat.running() as running:
        running.screen.folder = folder
        await running.press("/", "r", "e")
        assert running.screen.found.display
        await running.press("down", "tab")
        assert running.screen.composer.text == "/rename "
        assert not running.screen.found.display
        running.screen.composer.load_text("")
        await running.press("@", "n", "up", "enter")
        assert running.screen.composer.text == "@notes.txt "
        await running.press("backspace", "@", "escape")
        assert not running.screen.composer.completing


async def test_a_file_that_cannot_be_attached_loses_no_prompt(chat: Chat, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff")
    async with chat.running() as running:
        running.screen.folder = tmp_path
        await running.send("look at @bad now")
        await running.pilot.pause()
        assert running.screen.composer.text == "look at @bad now"
        assert "no UTF-8 text" in running.told[0]
