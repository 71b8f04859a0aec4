"""A conversation line by line, on the same engine as the screen: for screen readers, simple terminals and pipes.

Every line says who speaks in words; nothing moves the cursor, draws a box or tells by colour.
"""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hybridchat import phrases
from hybridchat.engine import TurnRequest
from hybridchat.errors import HybridChatError
from hybridchat.events import ContextCondensed, ContextTrimmed
from hybridchat.handover.attachments import attachments
from hybridchat.handover.mentions import attached
from hybridchat.messages import GO_ON, Conversation, Place, Role, Status
from hybridchat.plain.consent import Person
from hybridchat.plain.reading import Reading, judged
from hybridchat.plain.session import run_turn
from hybridchat.plain.streams import Narration, Output, is_terminal, tell_error
from hybridchat.plain.terminal import open_terminal
from hybridchat.plain.text import TextFace
from hybridchat.text import clean

if TYPE_CHECKING:
    from hybridchat.assistant import Assistant
    from hybridchat.plain.terminal import Terminal

_COMMANDS = """\
/escalate  let the remote model answer the last question, too
/retry     answer the last question again
/good      the last answer is right: learn from it
/bad       the last answer is wrong: learn from it
/continue  go on with an answer that was stopped
/condense  let a summary stand for the older turns in what the local model is given
/trim N    leave out the N oldest turns there (1 without a number)
/undo      take back the last /condense or /trim
/kept      tell how much never left this machine: answers, tokens, bytes, money
/new       begin a new conversation
/help      show this
/quit      leave; so does the end of the input
@path in a question attaches that file (@"a path with spaces").
A line that ends in a backslash goes on in the next one."""


class LineChat:
    """Reads prompts, one a line, and answers each."""

    def __init__(self, assistant: Assistant, conversation: Conversation | None, terminal: Terminal | None) -> None:
        self._assistant = assistant
        self._conversation_id = conversation.id if conversation else None
        self._terminal = terminal
        self._output = Output(sys.stdout)
        self._narration = Narration(sys.stderr, verbose=True)
        self._reading: Reading | None = None

    async def run(self) -> int:
        """Talk until the input ends or the user leaves; return the exit code of the last answer."""
        code = 0
        self._narration.say("hybridchat, line by line. /help lists the commands, /quit leaves.")
        while (prompt := await self._prompt()) is not None:
            await self._end_reading()
            match prompt.strip().lower():
                case "":
                    continue
                case "/quit" | "/exit":
                    break
                case "/continue":
                    code = await self._go_on()
                case "/retry":
                    code = await self._again(None)
                case "/escalate":
                    code = await self._again(Place.REMOTE)
                case command if re.match(r"/[a-z]+(\s+\d+)?$", command):
                    await self._do(*command.split())
                case _:
                    code = await self._ask(prompt, code)
        await self._end_reading()
        return code

    async def _ask(self, prompt: str, before: int) -> int:
        """Send what is no command, with the files that it names; return ``before`` where it cannot be sent."""
        command = prompt.split(maxsplit=1)[0].lower()
        if prompt.startswith("/") and re.search(rf"^{re.escape(command)} ", _COMMANDS, re.MULTILINE):
            self._narration.say(f"{command} cannot take what follows it. A space before the slash makes it a question.")
            return before
        if not self._is_typed:  # what comes out of a pipe need not be the user's word
            return await self._answer(prompt)
        try:
            whole = attached(prompt, Path.cwd())
        except HybridChatError as error:
            tell_error(self._narration, error)
            return before
        if named := len(attachments(whole)) - len(attachments(prompt)):
            self._narration.say(f"Attached: {phrases.counted(named, 'file')}.")
        return await self._answer(whole)

    async def _end_reading(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None and (found := await reading.end()):
            self._narration.say(found)

    async def _do(self, command: str, number: str = "1") -> None:
        """Do what answers nothing."""
        match command:
            case "/help":
                self._narration.say(_COMMANDS)
            case "/new":
                self._conversation_id = None
                self._narration.say("A new conversation begins.")
            case "/kept":
                self._narration.say(await self._assistant.never_left())
            case "/good" | "/bad":
                said = await judged(self._assistant, self._conversation_id, good=command == "/good")
                self._narration.say(said)
            case "/condense":
                await self._shorten(self._assistant.condense)
            case "/trim":
                await self._shorten(partial(self._assistant.trim, turns=int(number[:6])))
            case "/undo":
                await self._shorten(self._undo)
            case _:
                self._narration.say(f"There is no command {command}. /help lists them.")

    async def _answer(self, prompt: str, *, answer_to: str | None = None, choice: Place | None = None) -> int:
        turn = self._assistant.turn(
            TurnRequest(
                prompt,
                conversation_id=self._conversation_id,
                answer_to=answer_to,
                choice=choice,
                can_ask=self._terminal is not None,
            )
        )
        self._narration.say("Answer:" if prompt != GO_ON else "The answer goes on:")
        face = TextFace(self._output, self._narration)
        person = Person(self._terminal) if self._terminal else None
        code = await run_turn(turn, face, person=person, answer_fd=self._output.fileno())
        self._reading = Reading(turn)
        if self._conversation_id is None and (latest := await self._assistant.latest()) is not None:
            self._conversation_id = latest.id
        return code

    async def _shorten(self, work: Callable[[str], Awaitable[ContextCondensed | ContextTrimmed | None]]) -> None:
        """Change what the local model is given of the conversation, and tell what came of it."""
        if self._conversation_id is None:
            self._narration.say("There is no question yet.")
            return
        try:
            event = await work(self._conversation_id)
        except HybridChatError as error:
            tell_error(self._narration, error)
        else:
            if event is not None:
                TextFace(self._output, self._narration).show(event)

    async def _undo(self, conversation_id: str) -> None:
        done = await self._assistant.undo_shortening(conversation_id)
        self._narration.say("Taken back." if done else "There is nothing to take back.")

    async def _again(self, choice: Place | None) -> int:
        messages = await self._assistant.messages(self._conversation_id) if self._conversation_id else []
        question = next((message for message in reversed(messages) if message.role is Role.USER), None)
        if question is None:
            self._narration.say("There is no question yet.")
            return 0
        return await self._answer("", answer_to=question.id, choice=choice)

    async def _go_on(self) -> int:
        messages = await self._assistant.messages(self._conversation_id) if self._conversation_id else []
        last = messages[-1] if messages else None
        if last is not None and (
            last.role is Role.USER or (last.status is Status.PARTIAL and not last.content.strip())
        ):
            return await self._again(None)  # stopped before its first word
        if last is None or last.status is not Status.PARTIAL:
            self._narration.say("The last answer was not stopped: there is nothing to go on with.")
            return 0
        return await self._answer(GO_ON)

    async def _prompt(self) -> str | None:
        lines: list[str] = []
        while (line := await self._line("You: " if not lines else "... ")) is not None:
            lines.append(line)
            if not line.endswith("\\"):
                return clean("\n".join(line.removesuffix("\\") for line in lines))
        return clean("\n".join(lines)) if lines else None

    @property
    def _is_typed(self) -> bool:
        return self._terminal is not None and is_terminal(sys.stdin)

    async def _line(self, question: str) -> str | None:
        if self._terminal is not None and self._is_typed:
            self._terminal.write(question)
            return await self._terminal.line()
        return await _line_of_input()


async def converse(assistant: Assistant, conversation: Conversation | None) -> int:
    """Talk line by line and return the exit code."""
    terminal = open_terminal()
    try:
        return await LineChat(assistant, conversation, terminal).run()
    except HybridChatError as error:
        tell_error(Narration(sys.stderr), error)
        return error.exit_code
    finally:
        if terminal is not None:
            terminal.close()


async def _line_of_input() -> str | None:
    """Wait for a line of standard input in a thread that does not keep the process alive; None at its end."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str | None] = loop.create_future()

    def deliver(line: str | None) -> None:
        if not answer.done():
            answer.set_result(line)

    def read() -> None:
        try:
            line = sys.stdin.readline() if sys.stdin is not None else ""
        except (OSError, ValueError, UnicodeDecodeError):
            line = ""
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, line.rstrip("\r\n") if line else None)

    threading.Thread(target=read, name="input", daemon=True).start()
    return await answer
