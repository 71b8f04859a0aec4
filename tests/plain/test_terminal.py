import asyncio
import os
import subprocess
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

import pexpect

from hybridchat.plain.terminal import _PosixTerminal

ASK = """
import asyncio
from hybridchat.plain.terminal import open_terminal

async def main():
    with open_terminal() as terminal:
        terminal.write("first> ")
        print(repr(await terminal.line()))
        terminal.write("second> ")
        print(repr(await terminal.line()))

asyncio.run(main())
"""

ABANDON = """
import asyncio
from hybridchat.plain.terminal import open_terminal

async def main():
    with open_terminal() as terminal:
        terminal.write("first> ")
        task = asyncio.create_task(terminal.line())
        await asyncio.sleep(0)
        task.cancel()
    print("left")

asyncio.run(main())
"""


def child(program: str, redirect: str = "</dev/null") -> "pexpect.spawn[str]":
    command = ["-c", f'exec "$0" -c "$1" {redirect}', sys.executable, program]
    return pexpect.spawn("/bin/sh", command, encoding="utf-8", timeout=30, echo=False)


def test_a_line_is_read_from_the_terminal_though_standard_input_is_not_one() -> None:
    process = child(ASK)
    process.expect("first> ")
    process.sendline("yes")
    process.expect("'yes'")
    process.expect("second> ")
    process.sendeof()
    process.expect("None")
    process.expect(pexpect.EOF)


def test_a_question_that_is_given_up_leaves_no_reader_behind() -> None:
    process = child(ABANDON)
    process.expect("left")
    process.expect(pexpect.EOF)


def test_without_a_terminal_there_is_none() -> None:
    program = "from hybridchat.plain.terminal import open_terminal; print(open_terminal())"
    done = subprocess.run(
        [sys.executable, "-c", program], start_new_session=True, capture_output=True, text=True, check=True
    )
    assert done.stdout == "None\n"


def test_a_process_in_the_background_does_not_ask() -> None:
    program = "from hybridchat.plain.terminal import open_terminal; print('opened:', open_terminal())"
    process = pexpect.spawn(
        "/bin/sh", ["-c", 'set -m; "$0" -c "$1" & wait', sys.executable, program], encoding="utf-8", timeout=30
    )
    process.expect("opened: None")
    process.expect(pexpect.EOF)


async def test_what_was_typed_before_the_question_is_no_answer_to_it() -> None:
    master, slave = os.openpty()
    with _PosixTerminal(slave) as terminal:
        os.write(master, b"s\n")
        terminal.write("send? ")
        os.write(master, "nö\n".encode())
        assert await terminal.line() == "nö"
    os.close(master)


async def test_a_terminal_that_is_gone_gives_no_answer() -> None:
    master, slave = os.openpty()
    with _PosixTerminal(slave) as terminal:
        os.close(master)
        terminal.write("send? ")
        assert await terminal.line() is None


async def test_closing_the_terminal_ends_its_reader() -> None:
    master, slave = os.openpty()
    with _PosixTerminal(slave) as terminal:
        waiting = asyncio.create_task(terminal.line())
        await asyncio.sleep(0)
    assert await waiting is None
    os.close(master)
