from __future__ import annotations

from dataclasses import replace

import pytest

from hybridchat.backends.protocol import Accepted
from hybridchat.backends.scripted import script
from hybridchat.engine.experience import Experience
from hybridchat.errors import InputError
from hybridchat.events import Finished, Routed
from hybridchat.messages import Confidence, DataPolicy, Place
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.learning import NOTHING, STALE, Signal
from hybridchat.routing.policy import Action, Decision, LocalModel
from hybridchat.store.judgements import Judgement
from tests.engine.conftest import Bench

PHI = LocalModel("phi3.5", "sha256:1")
FINE = Decision(Action.KEEP, "sure", Confidence(0.8), score=0.8)


def live(bench: Bench, digest: str = "sha256:1", *, learn: bool = True) -> Bench:
    bench.policy = GainPolicy()
    bench.settings = replace(bench.settings, routing=replace(bench.settings.routing, learn=learn))
    answer = script(["Paris", " is", " the", " capital", " of", " France", "."])
    bench.scripts(local=[Accepted("phi3.5", digest), *answer[1:]])
    return bench


async def answered(bench: Bench, **more: object) -> tuple[str, str, str]:
    events = await bench.run(**more)  # type: ignore[arg-type]  # each test names real fields
    routed, last = events[0], events[-1]
    assert isinstance(routed, Routed)
    assert isinstance(last, Finished)
    return routed.conversation_id, routed.user_message_id, last.message_id


async def signals(bench: Bench) -> list[str | None]:
    return [one.signal for one in await bench.store.judgements.signalled("phi3.5")]


async def test_a_kept_answer_is_judged(bench: Bench) -> None:
    _, _, message_id = await answered(live(bench))
    judgement = await bench.store.judgements.get(message_id)
    assert judgement is not None
    assert (judgement.model, judgement.kept, judgement.signal) == ("phi3.5", True, None)
    assert judgement.scored_by.startswith("sha256:1")


async def test_asking_again_speaks_against_the_answer(bench: Bench) -> None:
    _, question_id, _ = await answered(live(bench))
    await bench.run("", answer_to=question_id)
    assert await signals(bench) == ["regenerated"]


async def test_asking_the_remote_model_speaks_against_the_answer(bench: Bench) -> None:
    live(bench).allow(DataPolicy.ALLOW)
    _, question_id, _ = await answered(bench)
    await bench.run("", answer_to=question_id, choice=Place.REMOTE)
    assert await signals(bench) == ["escalated"]


async def test_going_on_speaks_a_little_for_it(bench: Bench) -> None:
    conversation_id, _, _ = await answered(live(bench))
    await bench.run("And of Italy?", conversation_id=conversation_id)
    assert await signals(bench) == ["quiet"]


async def test_another_version_of_the_question_says_nothing_about_the_answer(bench: Bench) -> None:
    conversation_id, question_id, _ = await answered(live(bench))
    await bench.run("Of Italy?", conversation_id=conversation_id, edit_of=question_id)
    assert await signals(bench) == []


async def test_what_was_learned_reaches_the_policy_of_the_next_turn(bench: Bench) -> None:
    live(bench)
    experience = bench.engine.experience
    for _ in range(12):
        _, _, message_id = await answered(bench)
        assert await experience.signal(message_id, Signal.DOWN)
    learned = await experience.learned(PHI)
    assert learned.labels == 12
    assert learned.applied(0.8) < 0.8
    assert await experience.learned(LocalModel("phi3.5", "sha256:2")) == STALE
    assert await experience.learned(LocalModel("other", "sha256:1")) == NOTHING


async def test_the_same_history_teaches_the_same_again(bench: Bench) -> None:
    live(bench)
    for signal in (Signal.UP, Signal.DOWN, Signal.UP):
        _, _, message_id = await answered(bench)
        await bench.engine.experience.signal(message_id, signal)
    again = Experience(bench.store, GainPolicy(), learns=True)
    assert await again.learned(PHI) == await bench.engine.experience.learned(PHI)


async def test_a_thumb_overrules_what_was_done_and_not_the_other_way_round(bench: Bench) -> None:
    conversation_id, _, message_id = await answered(live(bench))
    assert await bench.engine.experience.signal(message_id, Signal.DOWN)
    await bench.run("And of Italy?", conversation_id=conversation_id)
    assert await signals(bench) == ["down"]
    assert await bench.engine.experience.signal(message_id, None)
    assert await signals(bench) == []


async def test_where_learning_is_off_nothing_is_kept(bench: Bench) -> None:
    _, question_id, message_id = await answered(live(bench, learn=False))
    await bench.run("", answer_to=question_id)
    assert not await bench.engine.experience.signal(message_id, Signal.UP)
    assert await bench.store.judgements.get(message_id) is None


async def test_a_signal_of_a_later_version_of_the_program_teaches_nothing(bench: Bench) -> None:
    _, _, message_id = await answered(live(bench))
    await bench.store.judgements.signal(message_id, "applause")
    assert await bench.engine.experience.learned(PHI) == NOTHING


async def test_a_store_that_cannot_be_read_stops_no_turn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    live(bench)

    async def damaged(*_: object) -> list[Judgement]:
        raise InputError("the database is damaged")

    monkeypatch.setattr(bench.store.judgements, "signalled", damaged)
    monkeypatch.setattr(bench.store.judgements, "add", damaged)
    assert await answered(bench)


async def test_a_summary_tells_of_each_model_by_its_last_version(bench: Bench) -> None:
    live(bench)
    for digest, signal in (("sha256:1", Signal.UP), ("sha256:2", Signal.DOWN)):
        bench._engine = None
        live(bench, digest)
        _, _, message_id = await answered(bench)
        await bench.engine.experience.signal(message_id, signal)
    (summary,) = await bench.engine.experience.summaries()
    assert (summary.model, summary.counts, summary.stale) == ("phi3.5", {Signal.DOWN: 1}, 1)
