from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from hybridchat.store.database import Store

HOLDS = """
import asyncio, sys
from pathlib import Path
from hybridchat.store.database import Store

async def main():
    store = Store.open(Path(sys.argv[1]))
    assert await store.turns.claim(sys.argv[2], "theirs")
    print("held", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


async def test_one_turn_at_a_time_answers_in_a_conversation(store: Store) -> None:
    one, two = await store.conversations.create("one"), await store.conversations.create("two")
    assert await store.turns.claim(one.id, "a")
    assert await store.turns.claim(one.id, "a")
    assert not await store.turns.claim(one.id, "b")
    assert await store.turns.claim(two.id, "b")
    await store.turns.release("a")
    assert await store.turns.claim(one.id, "c")


async def test_a_conversation_that_is_not_kept_is_nobody_elses(store: Store) -> None:
    assert await store.turns.claim("nowhere", "a")
    assert await store.turns.claim("nowhere", "b")


async def test_a_turn_of_another_process_holds_until_that_process_ends(path: Path) -> None:
    async with Store.open(path) as store:
        conversation = await store.conversations.create("one")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLDS, path, conversation.id, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"held\n"
        assert not await store.turns.claim(conversation.id, "mine")
        process.kill()
        await process.communicate()
        assert await store.turns.claim(conversation.id, "mine")
