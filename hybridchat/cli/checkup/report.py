"""Prints what the checks find, as soon as each has found it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing

import msgspec

from hybridchat.cli.checkup.examination import WIDEST_NAME, Examination, Finding
from hybridchat.cli.checkup.verdict import State
from hybridchat.plain.streams import Output
from hybridchat.text import one_line

_LONGEST = 1000  # characters of a line
_WIDEST_STATE = max(map(len, State))


def report(*, as_json: bool, online: bool) -> int:
    """Run all checks, print a line (with ``as_json`` an object) for each, and return the exit code.

    Raises ``Blocked``, ``ReaderGone`` and ``CannotWrite``.
    """
    return asyncio.run(_report(as_json=as_json, online=online))


async def _report(*, as_json: bool, online: bool) -> int:
    output = Output(sys.stdout, encoding="utf-8" if as_json else None)
    examination = Examination(online=online)
    async with aclosing(examination.findings()) as findings:
        async for finding in findings:
            output.write(f"{msgspec.json.encode(finding).decode()}\n" if as_json else _lines(finding))
    return examination.exit_code


def _lines(finding: Finding) -> str:
    head = f"{finding.name:{WIDEST_NAME}}  {finding.state:{_WIDEST_STATE}}  "
    lines = head + one_line(finding.found, _LONGEST) + "\n"
    if finding.advice:
        lines += " " * len(head) + one_line(finding.advice, _LONGEST) + "\n"
    return lines
