from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridchat.tui.clipboard import OSC52_LIMIT, copy, osc52

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a clipboard program, alone on the path, that keeps what it is given in a file."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def program(name: str, body: str) -> None:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    return program


async def copied(text: str, environ: dict[str, str], platform: str = "linux") -> tuple[bool, str, list[str]]:
    written: list[str] = []
    result = await copy(text, written.append, environ, platform)
    return result.verified, result.message, written


async def test_a_program_that_gives_the_text_back_has_it(install: Install, tmp_path: Path) -> None:
    install("wl-copy", f"/bin/cat > {tmp_path}/held")
    install("wl-paste", f"/bin/cat {tmp_path}/held")
    assert await copied("größer\n", {"WAYLAND_DISPLAY": "wayland-0"}) == (True, "copied 7 characters (wl-copy)", [])


async def test_a_program_that_gives_something_else_back_has_it_not(install: Install) -> None:
    install("xclip", 'case "$*" in *-o) echo other;; *) /bin/cat > /dev/null;; esac')
    verified, message, written = await copied("text", {"DISPLAY": ":0"})
    assert not verified
    assert "none confirms it" in message
    assert written == [osc52("text", in_tmux=False)]


async def test_a_program_that_fails_is_passed_over(install: Install, tmp_path: Path) -> None:
    install("xclip", "exit 1")
    install("xsel", f'case "$*" in *-o) /bin/cat {tmp_path}/held;; *) /bin/cat > {tmp_path}/held;; esac')
    assert (await copied("text", {"DISPLAY": ":0"}))[1] == "copied 4 characters (xsel)"


async def test_without_any_program_the_terminal_is_asked_and_nothing_is_claimed(install: Install) -> None:
    verified, message, written = await copied("text", {})
    assert (verified, message.startswith("sent 4 characters to the terminal's clipboard")) == (False, True)
    assert base64.b64decode(written[0].removeprefix("\x1b]52;c;").removesuffix("\x07")) == b"text"


async def test_in_tmux_its_buffer_is_verified_or_the_sequence_wrapped(install: Install, tmp_path: Path) -> None:
    assert (await copied("text", {"TMUX": "x"}))[2] == [osc52("text", in_tmux=True)]
    assert osc52("text", in_tmux=True).startswith("\x1bPtmux;\x1b\x1b]52;c;")
    install("tmux", f'case "$1" in show-buffer) /bin/cat {tmp_path}/held;; *) /bin/cat > {tmp_path}/held;; esac')
    assert (await copied("text", {"TMUX": "x"}))[1] == "copied 4 characters (tmux)"


async def test_over_ssh_the_far_machines_clipboard_is_left_alone(install: Install, tmp_path: Path) -> None:
    install("wl-copy", f"/bin/cat > {tmp_path}/held")
    install("wl-paste", f"/bin/cat {tmp_path}/held")
    assert not (await copied("text", {"SSH_CONNECTION": "x", "WAYLAND_DISPLAY": "wayland-0"}))[0]


@pytest.mark.parametrize(
    ("platform", "give", "take"), [("darwin", "pbcopy", "pbpaste"), ("win32", "clip.exe", "powershell.exe")]
)
async def test_other_systems_have_programs_of_their_own(
    install: Install, tmp_path: Path, platform: str, give: str, take: str
) -> None:
    install(give, f"/bin/cat > {tmp_path}/held")
    install(take, f"/bin/cat {tmp_path}/held")
    assert (await copied("text", {}, platform))[0]


async def test_too_much_for_a_terminal_is_refused_aloud(install: Install) -> None:
    verified, message, written = await copied("x" * (OSC52_LIMIT + 1), {})
    assert (verified, written) == (False, [])
    assert message.startswith("not copied")
