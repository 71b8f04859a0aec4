from __future__ import annotations

from dataclasses import replace

import pytest

from hybridchat.backends.first_available import FirstAvailable
from hybridchat.backends.protocol import Accepted, ChatRequest, Piece, StreamPart
from hybridchat.backends.scripted import ScriptedBackend, Step, script
from hybridchat.config.settings import Endpoint, Kind
from hybridchat.errors import BackendError, HybridChatError, ModelMissing, StreamBroken, TimedOut, Unreachable
from hybridchat.messages import ChatMessage, Place, Role

REQUEST = ChatRequest((ChatMessage(Role.USER, "hi"),))
FIRST = Endpoint("first", Kind.OLLAMA, "http://127.0.0.1:1", "phi3.5", Place.LOCAL)
SECOND = replace(FIRST, name="second")

REFUSED = Unreachable("first does not answer", endpoint="first")
MISSING = ModelMissing("second has no model phi3.5", endpoint="second")


async def play(*scripts: list[Step]) -> tuple[FirstAvailable, list[StreamPart]]:
    names = (FIRST, SECOND)
    backend = FirstAvailable([ScriptedBackend(names[i], steps) for i, steps in enumerate(scripts)])
    return backend, [part async for part in backend.stream(REQUEST)]


async def test_the_first_that_has_the_model_answers() -> None:
    backend, parts = await play(script(["one"]), script(["two"]))
    assert [part.text for part in parts if isinstance(part, Piece)] == ["one"]
    assert backend.endpoint.name == "first"


@pytest.mark.parametrize("failure", [REFUSED, ModelMissing("first has no model", endpoint="first")])
async def test_one_that_is_not_there_or_has_not_got_the_model_is_passed_over(failure: HybridChatError) -> None:
    backend, parts = await play([failure], script(["two"]))
    assert [part.text for part in parts if isinstance(part, Piece)] == ["two"]
    assert backend.endpoint.name == "second"
    assert backend.body(REQUEST)
    await backend.aclose()


async def test_a_model_that_vanishes_after_it_was_accepted_is_passed_over_too() -> None:
    _, parts = await play([Accepted("phi3.5"), MISSING], script(["two"]))
    assert [part.text for part in parts if isinstance(part, Piece)] == ["two"]


@pytest.mark.parametrize("failure", [TimedOut("too slow", endpoint="first"), StreamBroken("cut", endpoint="first")])
async def test_any_other_failure_is_the_answers(failure: BackendError) -> None:
    with pytest.raises(type(failure)):
        await play([failure], script(["two"]))


async def test_nobody_takes_over_in_the_middle_of_an_answer() -> None:
    with pytest.raises(Unreachable, match="first does not answer"):
        await play([*script(["half"])[:2], REFUSED], script(["two"]))


async def test_none_is_one_error_that_names_them_all_once_and_says_what_to_do() -> None:
    with pytest.raises(ModelMissing) as caught:
        await play([REFUSED], [MISSING])
    assert caught.value.message == ("no local model can answer: first does not answer; second has no model phi3.5")
    assert "models pull smollm2" in caught.value.hint
    with pytest.raises(Unreachable) as unreachable:
        await play([REFUSED], [REFUSED])
    assert unreachable.value.message == "no local model can answer: first does not answer"


@pytest.mark.parametrize(
    ("model", "said", "unsaid"),
    [
        ("phi3.5", "`hybridchat models pull phi3.5`", "spelling"),
        ("gemma9", "`ollama pull gemma9`", "models pull"),
        ("/models/gone.gguf", "spelling", "pull"),
    ],
)
async def test_what_to_do_can_be_done_for_this_very_name(model: str, said: str, unsaid: str) -> None:
    backend = FirstAvailable([ScriptedBackend(replace(FIRST, model=model), [MISSING])])
    with pytest.raises(ModelMissing) as caught:
        async for _ in backend.stream(REQUEST):
            pass
    assert said in caught.value.hint
    assert unsaid not in caught.value.hint
