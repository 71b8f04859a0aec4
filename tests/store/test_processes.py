from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hybridchat.messages import Message, Role, Status
from hybridchat.store.database import Store
from hybridchat.store.sessions import Session
from tests.store.conftest import LOCAL

STREAMS = """
import asyncio, sys
from pathlib import Path
from hybridchat.messages import Place, Provenance, TokenLogprob
from hybridchat.store.database import Store

LOCAL = Provenance(place=Place.LOCAL, endpoint="ollama", model="phi3.5", reason="")

async def main():
    store = Store.open(Path(sys.argv[1]))
    conversation = await store.conversations.create("one")
    question = await store.conversations.add_user_message(conversation.id, None, "Why is the sky blue?")
    print(question.id, flush=True)
    answer = await store.conversations.begin_answer(conversation.id, question.id, LOCAL)
    print(answer.id, flush=True)
    for number in range(10_000_000):
        store.conversations.journal(answer.id, f"{number} ", [TokenLogprob(f"{number} ", -0.5)])
        await asyncio.sleep(0.001)

asyncio.run(main())
"""

WRITES = """
import asyncio, sys
from pathlib import Path
from hybridchat.store.database import Store
from hybridchat.store.records import Outcome, Sent

async def main():
    async with Store.open(Path(sys.argv[1])) as store:
        for number in range(40):
            await store.conversations.add_user_message(sys.argv[2], None, f"{sys.argv[3]} {number}")
            sent = await store.ledger.sent(Sent("c", "m", "r", "e", "u", "m", b""))
            await store.ledger.outcome(sent, Outcome("complete"))

asyncio.run(main())
"""


@contextmanager
def _streaming(path: Path) -> Generator[tuple[subprocess.Popen[str], str, str]]:
    with subprocess.Popen([sys.executable, "-c", STREAMS, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip(), process.stdout.readline().strip()
        finally:
            process.kill()


async def _journalled(store: Store, message_id: str) -> Message:
    while not (message := await store.conversations.message(message_id)).content:  # noqa: ASYNC110 - another process's
        await asyncio.sleep(0.02)
    return message


async def test_after_kill_9_the_partial_answer_and_the_question_are_there(path: Path) -> None:
    with _streaming(path) as (process, question_id, answer_id):
        async with Store.open(path) as watching:
            seen = await _journalled(watching, answer_id)
            assert seen.status is Status.STREAMING
            assert await watching.conversations.recover() == []
            process.kill()
            process.wait()
        async with Store.open(path) as store:
            question, answer = await store.conversations.path(answer_id)
            assert (question.id, question.role, question.status) == (question_id, Role.USER, Status.COMPLETE)
            assert question.content == "Why is the sky blue?"
            assert answer.status is Status.PARTIAL
            words = answer.content.split()
            assert words == [str(number) for number in range(len(words))]
            assert len(answer.content) >= len(seen.content)
            tokens = await store.conversations.logprobs(answer_id)
            assert "".join(token for token, _ in tokens) == answer.content
            assert (await store.conversations.get(answer.conversation_id)).head_id == answer_id
            assert [hit.message for hit in await store.search("sky blue")] == [question]
            assert [hit.message for hit in await store.search("1 2 3")] == [answer]


async def test_a_living_process_notices_that_another_one_died(path: Path) -> None:
    async with Store.open(path) as store:
        conversation = await store.conversations.create("mine")
        mine = await store.conversations.begin_answer(conversation.id, None, LOCAL)
        with _streaming(path) as (process, _, answer_id):
            await _journalled(store, answer_id)
            process.kill()
            process.wait()
        assert [message.id for message in await store.conversations.recover()] == [answer_id]
        assert (await store.conversations.message(mine.id)).status is Status.STREAMING


async def test_what_dead_processes_left_is_cleared_away(path: Path) -> None:
    with _streaming(path) as (process, _, answer_id):
        async with Store.open(path) as store:
            await _journalled(store, answer_id)
        process.kill()
        process.wait()
    folder = path.with_name("hybridchat.db.sessions")
    (folder / "left").touch()
    async with Store.open(path) as store:
        conversation = await store.conversations.create("next")
        await store.conversations.begin_answer(conversation.id, None, LOCAL)
        assert [file.name for file in folder.iterdir()] == [store._session.id]


async def test_two_stores_in_one_process_know_of_each_other(path: Path) -> None:
    async with Store.open(path) as one:
        conversation = await one.conversations.create("x")
        answer = await one.conversations.begin_answer(conversation.id, None, LOCAL)
        async with Store.open(path) as two:
            assert await two.conversations.recover() == []
            await two.conversations.begin_answer(conversation.id, None, LOCAL)
        one.conversations.journal(answer.id, "still here")
        await one.conversations.finish_answer(answer.id, Status.COMPLETE, LOCAL)
        assert (await one.conversations.message(answer.id)).content == "still here"


def test_a_session_without_files_is_never_gone() -> None:
    session = Session(None)
    session.register()
    assert not session.is_gone("another")
    session.close()


@pytest.mark.parametrize("writers", [3])
async def test_several_processes_write_at_once_and_lose_nothing(path: Path, writers: int) -> None:
    async with Store.open(path) as store:
        conversation = await store.conversations.create("shared")
        processes = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", WRITES, path, conversation.id, str(writer))
            for writer in range(writers)
        ]
        assert await asyncio.gather(*(process.wait() for process in processes)) == [0] * writers
        contents = [message.content for message in await store.conversations.tree(conversation.id)]
        for writer in range(writers):
            own = [content for content in contents if content.startswith(f"{writer} ")]
            assert own == [f"{writer} {number}" for number in range(40)]
        verification = await store.ledger.verify()
        assert (verification.rows, verification.intact) == (2 * 40 * writers, True)
