from __future__ import annotations

import pytest

from hybridchat.assistant import Assistant
from hybridchat.backends.scripted import ScriptedBackend, script
from hybridchat.credentials import Credentials
from hybridchat.engine import TurnRequest
from hybridchat.errors import Blocked, InputMissing
from hybridchat.messages import Place
from tests.engine.conftest import LOCAL, Bench, store  # noqa: F401 - a fixture


@pytest.fixture
def bench(store: object) -> Bench:  # noqa: F811 - the fixture
    return Bench(store)  # type: ignore[arg-type]  # the fixture of another module


def assistant_of(bench: Bench) -> Assistant:
    return Assistant(bench.engine, bench.store, Credentials(), bench.settings, [])


async def test_condensing_and_trimming_empty_the_window_until_they_are_taken_back(bench: Bench) -> None:
    bench.local = ScriptedBackend(LOCAL, script(["word " * 200]), script(["B."]), script(["in short"]))
    assistant = assistant_of(bench)
    conversation_id = None
    for question in ("one", "two"):
        assert [event async for event in bench.turn(question, conversation_id=conversation_id, choice=Place.LOCAL)]
        conversation_id = (await assistant.conversations())[0].id
    assert conversation_id is not None
    path = await assistant.messages(conversation_id)
    whole = assistant.window_use(path).tokens
    event = await assistant.condense(conversation_id)
    condensed = assistant.window_use(path).tokens
    assert event.tokens_after < event.tokens_before
    assert condensed < whole / 2
    await assistant.trim(conversation_id)
    assert assistant.window_use(path).tokens < condensed
    assert await assistant.undo_shortening(conversation_id)
    assert assistant.window_use(path).tokens == condensed
    assert await assistant.undo_shortening(conversation_id)
    assert assistant.window_use(path).tokens == whole
    assert not await assistant.undo_shortening(conversation_id)
    assert await assistant.messages(conversation_id) == path


async def test_cuts_are_known_again_when_a_conversation_is_opened(bench: Bench) -> None:
    assistant = assistant_of(bench)
    assert [event async for event in bench.turn("one", choice=Place.LOCAL)]
    conversation_id = (await assistant.conversations())[0].id
    await assistant.trim(conversation_id)
    again = Assistant(Bench(bench.store).engine, bench.store, Credentials(), bench.settings, [])
    tree = await again.tree(conversation_id)
    assert again.window_use(tree).tokens <= 1  # nothing of it is given any more


async def test_a_conversation_that_is_not_there_cannot_be_shortened(bench: Bench) -> None:
    assistant = assistant_of(bench)
    with pytest.raises(InputMissing):
        await assistant.condense("nowhere")
    with pytest.raises(InputMissing):
        await assistant.trim("nowhere")


async def test_without_a_remote_model_there_is_no_preview(bench: Bench) -> None:
    with pytest.raises(Blocked, match="no remote model"):
        await assistant_of(bench).preview(TurnRequest("hi"))
