"""What a command loads is what a user waits for."""

import subprocess
import sys

import pytest

HEAVY = {"textual", "rich", "httpx", "keyring", "ollama", "huggingface_hub", "sqlite3", "asyncio", "openai"}

PROGRAM = """
import sys
sys.argv = ["hybridchat", *{arguments!r}]
try:
    {statement}
except SystemExit:
    pass
loaded = {{name.partition(".")[0] for name, module in sys.modules.items() if module}}  # None rules a module out
print("LOADED", *sorted(loaded))
"""
RUN = "from hybridchat.__main__ import main; main()"
SCRIPTED = "from tests.cli.scripted_program import play, run; play('four'); run()"


def loaded(*arguments: str, statement: str = RUN) -> set[str]:
    program = PROGRAM.format(arguments=list(arguments), statement=statement)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    return set(done.stdout.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        [],
        ["ask", "--help"],
        ["chat", "--help"],
        ["models", "--help"],
        ["keys", "set", "--help"],
        ["history"],
    ],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded(*arguments) & HEAVY == set()


def test_importing_the_package_loads_nothing() -> None:
    assert loaded(statement="import hybridchat") & (HEAVY | {"typer", "msgspec"}) == set()


def test_asking_loads_no_screen_no_keyring_and_no_management_client() -> None:
    modules = loaded("ask", "--local", "2+2?", statement=SCRIPTED)
    assert "sqlite3" in modules, "the question was really asked"
    assert modules & {"textual", "rich", "keyring", "ollama", "huggingface_hub"} == set()


def test_the_first_frame_of_the_chat_waits_for_no_engine_store_or_server() -> None:
    modules = loaded(statement="import hybridchat.tui.app; from hybridchat.config.loading import load; load()")
    assert "textual" in modules
    assert modules & {"httpx", "sqlite3", "keyring", "ollama", "huggingface_hub", "markdown_it", "pygments"} == set()


def test_the_first_frame_of_the_chat_waits_for_few_modules_of_our_own() -> None:
    program = "import sys, hybridchat.cli.conversing, hybridchat.tui.app; print('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "hybridchat.events" not in done.stdout.split()
    ours = {name for name in done.stdout.split() if name.startswith("hybridchat.tui.")}
    names = "app composer key_names keys opening pasted prompt_history segments status themes"
    assert ours == {f"hybridchat.tui.{name}" for name in names.split()}


@pytest.mark.parametrize("arguments", [["chat"], ["chat", "-c"], ["chat", "--continue"]])
def test_opening_the_chat_needs_no_command_line_library(arguments: list[str]) -> None:
    assert loaded(*arguments) & {"typer", "textual"} == set(), "and no screen where there is no terminal"


def test_settings_and_history_load_only_what_they_need() -> None:
    assert loaded("config", "show") & {"httpx", "sqlite3", "keyring", "textual"} == set()
    assert loaded("history", "list") & {"httpx", "keyring", "textual", "rich"} == set()
