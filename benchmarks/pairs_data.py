"""Reads paired outcomes: what a small, a second small and a large model answered to the same questions.

A folder of ``*.jsonl.gz`` or plain ``*.jsonl``, one JSON object a line: ``id``, ``task`` (else the file's name),
``question``, ``gold``, and ``local``, ``second``, ``remote`` as ``{model, text, answer, correct}``. ``second`` may be
null. Whoever only wants scores may leave out ``gold``, ``remote`` and every ``correct``.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridchat.errors import InputError, InputMissing

Answer = str | float | None

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Output:
    """What one model wrote, and the answer that was read from it."""

    text: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Item:
    """A question and what the two small models made of it: all that a router may see."""

    id: str
    question: str
    local: Output
    second: Output | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who was right: all that a router is to predict. ``remote`` and ``local`` are known together or not at all."""

    local: bool
    remote: bool


@dataclass(frozen=True, slots=True)
class Task:
    """The items of one task; ``outcomes`` is None where the folder does not tell them."""

    name: str
    items: tuple[Item, ...]
    outcomes: tuple[Outcome, ...] | None


def read_tasks(folder: Path) -> dict[str, Task]:
    """Read all tasks of ``folder`` by name.

    Raises ``InputMissing`` where there is no such folder or no file in it, ``InputError`` with file and line where one
    cannot be read.
    """
    files = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")]) if folder.is_dir() else []
    if not files:
        raise InputMissing(f"{folder} holds no *.jsonl.gz or *.jsonl", hint="name a folder of paired outcomes")
    rows: dict[str, list[tuple[Item, Outcome | None]]] = {}
    seen: dict[tuple[str, str], str] = {}
    for file in files:
        for where, record in _records(file):
            task = record.get("task", file.name.removesuffix(".gz").removesuffix(".jsonl"))
            item, outcome = _item(record, where), _outcome(record, where)
            if not isinstance(task, str):
                raise _broken(where, "'task' is not a string")
            if (task, item.id) in seen:
                raise _broken(where, f"the id {item.id!r} was there before, at {seen[task, item.id]}")
            seen[task, item.id] = where
            rows.setdefault(task, []).append((item, outcome))
    if not rows:
        raise InputError(f"the files of {folder} are empty", hint="name a folder of paired outcomes")
    return {name: _task(name, pairs) for name, pairs in rows.items()}


def _task(name: str, pairs: list[tuple[Item, Outcome | None]]) -> Task:
    outcomes = tuple(outcome for _, outcome in pairs if outcome is not None)
    if outcomes and len(outcomes) != len(pairs):
        raise InputError(
            f"{name}: {len(pairs) - len(outcomes)} of {len(pairs)} items do not say who was right",
            hint="give all outcomes of a task, or none",
        )
    return Task(name, tuple(item for item, _ in pairs), outcomes or None)


def _records(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    number = 0
    try:
        with (gzip.open if _compressed(file) else open)(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    record = json.loads(line)
                    if not isinstance(record, dict):
                        raise _broken(f"{file.name}, line {number}", "not a JSON object")
                    yield f"{file.name}, line {number}", record
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise _broken(f"{file.name}, after line {number}", str(error) or "the file ends early") from error
    except (ValueError, RecursionError) as error:
        raise _broken(f"{file.name}, line {number}", f"not JSON ({error})") from error


def _compressed(file: Path) -> bool:
    """Say whether a file is gzip by its name or by its first bytes: some tools decompress without renaming."""
    with file.open("rb") as opened:
        begins = opened.read(2)
    return begins == _GZIP or (file.suffix == ".gz" and not begins.startswith(b"{"))


def _item(record: Mapping[str, Any], where: str) -> Item:
    for name in ("id", "question"):
        if not isinstance(record.get(name), str):
            raise _broken(where, f"'{name}' is missing or not a string")
    local = _output(record, "local", where)
    if local is None:
        raise _broken(where, "'local' is missing")
    return Item(record["id"], record["question"], local, _output(record, "second", where))


def _output(record: Mapping[str, Any], who: str, where: str) -> Output | None:
    found = record.get(who)
    if found is None:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        raise _broken(where, f"'{who}' has no text")
    answer = found.get("answer")
    if isinstance(answer, bool) or not isinstance(answer, str | int | float | None):
        answer = json.dumps(answer, sort_keys=True)
    try:
        return Output(found["text"], float(answer) if isinstance(answer, int) else answer)
    except OverflowError:
        return Output(found["text"], str(answer))


def _outcome(record: Mapping[str, Any], where: str) -> Outcome | None:
    for who in ("local", "remote"):
        if not isinstance(record.get(who) or {}, dict):
            raise _broken(where, f"'{who}' is not an object")
    local, remote = ((record.get(who) or {}).get("correct") for who in ("local", "remote"))
    if local is None or remote is None:
        return None
    if not isinstance(local, bool) or not isinstance(remote, bool):
        raise _broken(where, "'correct' is not true or false")
    return Outcome(local, remote)


def _broken(where: str, what: str) -> InputError:
    return InputError(f"{where}: {what}", hint="the README of the data describes the format")
