from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

import pexpect

from hybridchat.cli.history import in_store
from tests.cli.conftest import ROOT, Command

ENTERS_THE_SCREEN = "\x1b[?1049h"


def _spawn(*arguments: str) -> pexpect.spawn[str]:
    environment = {**os.environ, "TERM": "xterm-256color", "HYBRIDCHAT_REMOTE_PRESET": "none"}
    return pexpect.spawn(
        sys.executable, ["-m", "hybridchat", *arguments], env=environment, cwd=str(ROOT), encoding="utf-8", timeout=60
    )


@pytest.fixture
def _encrypted(command: Command, home: Path) -> None:
    in_store(lambda store: store.conversations.create("About the sky"))
    assert command("store", "encrypt", "--passphrase", stdin="open sesame\n").code == 0


@pytest.mark.usefixtures("_encrypted")
def test_the_passphrase_is_asked_for_before_the_screen_is_drawn() -> None:
    chat = _spawn("chat")
    chat.expect_exact("Passphrase of the encrypted store (not shown):")
    assert ENTERS_THE_SCREEN not in (chat.before or "")
    chat.sendline("open sesame")
    chat.expect_exact(ENTERS_THE_SCREEN)
    assert "open sesame" not in (chat.before or "")
    chat.close(force=True)


@pytest.mark.usefixtures("_encrypted")
def test_a_wrong_passphrase_opens_no_screen() -> None:
    chat = _spawn("chat")
    chat.expect_exact("(not shown):")
    chat.sendline("open barley")
    chat.expect_exact("does not open")
    chat.expect(pexpect.EOF)
    assert ENTERS_THE_SCREEN not in (chat.before or "")
    chat.close()
    assert chat.exitstatus == 77


@pytest.mark.usefixtures("_encrypted")
def test_a_command_asks_on_the_terminal() -> None:
    listing = _spawn("history", "list")
    listing.expect_exact("(not shown):")
    listing.sendline("open sesame")
    listing.expect_exact("About the sky")
    listing.expect(pexpect.EOF)
    listing.close()
    assert listing.exitstatus == 0
