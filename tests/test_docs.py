"""The documents say what the program does: each is held against the program here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

import hybridchat
from hybridchat import errors
from hybridchat.backends.presets import PRESETS
from hybridchat.cli.app import app
from hybridchat.cli.data_rights.inventory import INVENTORY, Fate, Handover
from hybridchat.config import keys
from hybridchat.config.settings import Settings

ROOT = Path(__file__).parent.parent
PACKAGE = Path(hybridchat.__file__).parent  # not of ROOT: where a built wheel is tested, the sources are away
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def default(key: str) -> str:
    value = keys.value_of(Settings(), key)
    if value in (None, "", ()):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_the_table_of_settings_is_complete_and_its_defaults_are_true() -> None:
    table = {row[0].strip("`"): row[1] for row in rows(CONFIGURATION, "Table")}
    assert table == {key: default(key) for key in keys.FORMS}


def test_the_table_of_servers_is_complete() -> None:
    table = {row[0].strip("`"): row[1] for row in rows(CONFIGURATION, "Kinds of servers")}
    assert table == {preset.name: preset.description for preset in PRESETS.values()}


def test_the_table_of_exit_codes_has_every_code_of_every_error() -> None:
    codes = {int(row[0]) for row in rows(README, "Exit codes")}
    raised = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.HybridChatError)
    }
    assert raised | {0, 10, 141} == codes


def every_command() -> dict[str, set[str]]:
    root = get_command(app)
    commands = {"hybridchat": {option for parameter in root.params for option in parameter.opts}}
    for name, command in root.commands.items():  # type: ignore[attr-defined]  # the root is a group
        commands[name] = {option for parameter in command.params for option in parameter.opts}
        for sub_name, sub_command in getattr(command, "commands", {}).items():
            commands[f"{name} {sub_name}"] = {option for p in sub_command.params for option in p.opts}
    return commands


def check_calls(text: str, where: str) -> None:
    commands = every_command()
    for call in re.findall(r"(?:^|[`\s/$])hybridchat ([a-z][^`\n|#]*)", text):
        words = call.split()
        name = " ".join(words[:2]) if " ".join(words[:2]) in commands else words[0]
        if name not in commands:
            continue  # prose: "hybridchat finds it"
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", " " + re.sub(r'"[^"]*"', "", call)):
            assert option in commands[name], f"{where}: hybridchat {call}"


@pytest.mark.parametrize("document", ["README.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_every_option_that_a_document_shows_exists(document: str) -> None:
    check_calls((ROOT / document).read_text(encoding="utf-8"), document)


def test_every_command_that_a_hint_names_exists() -> None:
    commands = every_command()
    named = 0
    for module in PACKAGE.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        check_calls(text, module.name)
        for call in re.findall(r"`hybridchat ([a-z][^`{]*)", text):
            named += 1
            assert " ".join(call.split()[:2]) in commands or call.split()[0] in commands, f"{module.name}: {call}"
    assert named > 10


def test_what_is_kept_is_what_the_program_keeps() -> None:
    table = {row[0]: row[3:] for row in rows((ROOT / "docs/privacy.md").read_text(encoding="utf-8"), "What is kept")}
    fates = {Fate.ERASED: "erased", Fate.ON_REQUEST: "erased with `--settings`", Fate.LEFT: "left"}
    handovers = {Handover.DECODED: "as JSON and Markdown", Handover.COPIED: "copied", Handover.LEFT_OUT: "left out"}
    assert {name: [cells[0].partition(":")[0], cells[1]] for name, cells in table.items()} == {
        kept.what: [handovers[kept.handover], fates[kept.fate]] for kept in INVENTORY
    }


def test_the_first_two_shell_blocks_install_and_test() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert "hybridchat ask" in blocks[0]
    assert "pytest" in blocks[1]
