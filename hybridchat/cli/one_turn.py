"""What ``ask`` does: settings, prompt, assistant, one turn, exit code."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from hybridchat.assistant import Assistant
from hybridchat.cli import wiring
from hybridchat.cli.ending import run_to_exit_code
from hybridchat.cli.fault_log import FaultHandler
from hybridchat.cli.offer import ask_with_offer, still_kept
from hybridchat.cli.prompt import read_prompt
from hybridchat.config.loading import load
from hybridchat.config.settings import Settings
from hybridchat.engine import TurnRequest
from hybridchat.errors import InputMissing, UsageError
from hybridchat.messages import DataPolicy, Place
from hybridchat.plain.consent import Person
from hybridchat.plain.json_lines import JsonLinesFace
from hybridchat.plain.session import Face, run_turn
from hybridchat.plain.streams import Narration, Output
from hybridchat.plain.terminal import open_terminal
from hybridchat.plain.text import TextFace


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The command line of one ``ask``; ``flags`` are the options that set a setting."""

    words: tuple[str, ...]
    flags: Mapping[str, object]
    local: bool = False
    remote: bool = False
    auto: bool = False
    allow_remote: bool = False
    preview: bool = False
    data_policy: DataPolicy | None = None
    go_on: bool = False
    conversation: str | None = None
    system: str | None = None
    as_json: bool = False
    no_stream: bool = False
    raw: bool = False
    demo: bool = False
    use_stdin: bool = True
    quiet: bool = False
    verbose: bool = False


def run(call: Call) -> int:
    """Answer one question on standard output and return the exit code."""
    output = Output(sys.stdout, encoding="utf-8" if call.as_json else None)
    narration = Narration(sys.stderr, quiet=call.quiet or call.raw, verbose=call.verbose)
    face: Face = (
        JsonLinesFace(output, narration)
        if call.as_json
        else TextFace(output, narration, hold=call.no_stream, raw=call.raw, saved=False)
    )

    logging.getLogger().addHandler(FaultHandler())

    def work() -> int:
        _check(call)
        if call.demo:
            return asyncio.run(_play_demo(face, output, narration))
        settings = load(call.flags).settings
        if isinstance(face, TextFace):
            face.saved = settings.store.save
        text = read_prompt(call.words, use_stdin=call.use_stdin, say=narration.say)

        if call.preview:
            return asyncio.run(_preview(call, settings, text, output, narration))

        def answer(shown: Face, again: str | None) -> int:
            return asyncio.run(_answer(call, settings, text, shown, output, again))

        return answer(face, None) if call.as_json else ask_with_offer(answer, face, settings, narration)

    return run_to_exit_code(work, face.fail)


def _check(call: Call) -> None:
    chosen = [name for name in ("local", "remote", "auto") if getattr(call, name)]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]} and --{chosen[1]} exclude each other", hint="Give one of them, or neither.")
    if call.raw and call.as_json:
        raise UsageError("--raw and --json exclude each other", hint="Give one of them.")
    if call.preview and (call.local or call.demo):
        raise UsageError(
            f"--preview shows what would leave; with --{'local' if call.local else 'demo'} nothing would",
            hint="Give one of them.",
        )
    if call.demo and (call.words or call.local or call.remote or call.go_on or call.conversation):
        raise UsageError("--demo plays one recorded question", hint="Run `hybridchat ask --demo` alone.")
    if call.go_on and call.conversation is not None:
        raise UsageError("--continue and --conversation exclude each other", hint="Give one of them.")


async def _answer(call: Call, settings: Settings, text: str, face: Face, output: Output, again: str | None) -> int:
    """Put the question, or have the user message ``again`` answered once more if it was kept."""
    async with wiring.build(settings) as assistant:
        conversation_id = await _conversation(call, assistant)
        terminal = None if call.local else open_terminal()
        try:
            turn = assistant.turn(
                TurnRequest(
                    text,
                    conversation_id=conversation_id,
                    answer_to=await still_kept(again, assistant),
                    choice=Place.LOCAL if call.local else Place.REMOTE if call.remote else None,
                    allow_remote=call.allow_remote,
                    data_policy=call.data_policy,
                    can_ask=terminal is not None,
                    system=call.system,
                )
            )
            return await run_turn(turn, face, person=Person(terminal) if terminal else None, answer_fd=output.fileno())
        finally:
            if terminal is not None:
                terminal.close()


async def _preview(call: Call, settings: Settings, text: str, output: Output, narration: Narration) -> int:
    from hybridchat.cli import preview  # noqa: PLC0415 -- few questions are looked at beforehand

    async with wiring.build(settings) as assistant:
        request = TurnRequest(
            text,
            conversation_id=await _conversation(call, assistant),
            choice=Place.REMOTE if call.remote else None,
            allow_remote=call.allow_remote,
            data_policy=call.data_policy,
            can_ask=_can_ask(),
            system=call.system,
        )
        preview.show(await assistant.preview(request), output, narration, as_json=call.as_json, raw=call.raw)
    return 0


def _can_ask() -> bool:
    """Whether a person could be asked."""
    terminal = open_terminal()
    if terminal is not None:
        terminal.close()
    return terminal is not None


async def _play_demo(face: Face, output: Output, narration: Narration) -> int:
    from hybridchat.backends.demo import QUESTION  # noqa: PLC0415 -- nothing else plays it

    narration.say("a recording: Qwen2.5-Coder 0.5B as the local model, 1.5B as the remote one; nothing is sent")
    narration.say(f"> {QUESTION}")
    async with wiring.build_demo() as assistant:
        return await run_turn(assistant.turn(TurnRequest(QUESTION)), face, answer_fd=output.fileno())


async def _conversation(call: Call, assistant: Assistant) -> str | None:
    if call.conversation is not None:
        return (await assistant.conversation(call.conversation)).id
    if not call.go_on:
        return None
    latest = await assistant.latest()
    if latest is None:
        raise InputMissing("there is no conversation to go on with", hint="Ask without --continue to begin one.")
    return latest.id
