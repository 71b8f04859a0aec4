from __future__ import annotations

from pathlib import Path

import pytest

from hybridchat.errors import InputError, InputMissing
from hybridchat.messages import Confidence, DataPolicy, FinishReason, Place, Provenance, Role, Status, Usage
from hybridchat.store import identifiers
from hybridchat.store.database import Store
from tests.store.conftest import LOCAL

FULL = Provenance(
    place=Place.REMOTE,
    endpoint="huggingface",
    model="meta-llama/Llama-3.3-70B-Instruct",
    reason="The local model was unsure.",
    digest="sha256:ab",
    confidence=Confidence(0.25, calibrated=True),
    usage=Usage(12, 34),
    cost=0.0012,
    load_seconds=0.5,
    first_token_seconds=0.75,
    seconds=2.5,
    finish_reason=FinishReason.STOP,
)


async def test_a_conversation_comes_back_as_it_was_created(store: Store) -> None:
    created = await store.conversations.create("Über Käse", DataPolicy.LOCAL_ONLY)
    assert await store.conversations.get(created.id) == created
    assert created.title == "Über Käse"
    assert created.data_policy is DataPolicy.LOCAL_ONLY
    assert created.head_id is None
    assert created.created_at.utcoffset() is not None


async def test_a_conversation_is_found_by_the_beginning_of_its_id(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(["1aa0000000000000", "1ab0000000000000"])
    monkeypatch.setattr("hybridchat.store.conversations.new_id", lambda: next(ids))
    first = await store.conversations.create("first")
    await store.conversations.create("second")
    assert await store.conversations.get("1aa") == first
    assert await store.conversations.get(" LAA0O ") == first
    with pytest.raises(InputMissing, match="More than one conversation begins with '1a'") as ambiguous:
        await store.conversations.get("1a")
    assert "1aa0000000000000" in ambiguous.value.hint


@pytest.mark.parametrize("text", ["", "zzzz", "%", "'; DROP TABLE message", "\ud800", "1" * 17, "été"])
async def test_a_conversation_that_is_not_there_is_named(store: Store, text: str) -> None:
    await store.conversations.create("one")
    with pytest.raises(InputMissing, match="There is no conversation"):
        await store.conversations.get(text)


async def test_the_conversation_last_written_to_comes_first(store: Store) -> None:
    conversations = store.conversations
    assert await conversations.latest() is None
    one, two, three = [await conversations.create(title) for title in ("one", "two", "three")]
    await conversations.add_user_message(two.id, None, "again")
    assert [found.id for found in await conversations.list()] == [two.id, three.id, one.id]
    assert [found.id for found in await conversations.list(limit=1, offset=1)] == [three.id]
    latest = await conversations.latest()
    assert latest is not None
    assert latest.id == two.id
    with pytest.raises(InputError):
        await conversations.list(limit=2**63)


async def test_a_conversation_remembers_that_its_user_agreed_to_the_remote_model(store: Store) -> None:
    one = await store.conversations.create("one")
    assert not one.remote_agreed
    assert (await store.conversations.agree_to_remote(one.id)).remote_agreed
    assert (await store.conversations.get(one.id)).remote_agreed


async def test_title_and_data_policy_can_be_changed(store: Store) -> None:
    one = await store.conversations.create("one")
    assert (await store.conversations.rename(one.id, "uno")).title == "uno"
    assert (await store.conversations.set_data_policy(one.id, DataPolicy.ALLOW)).data_policy is DataPolicy.ALLOW
    assert (await store.conversations.set_data_policy(one.id, None)).data_policy is None
    with pytest.raises(InputMissing):
        await store.conversations.rename("nowhere", "x")


async def test_a_turn_is_kept_with_its_provenance(store: Store) -> None:
    conversations = store.conversations
    one = await conversations.create("one")
    system = await conversations.add_system_message(one.id, "Be brief.")
    question = await conversations.add_user_message(one.id, system.id, "Why is the sky blue?")
    answer = await conversations.begin_answer(one.id, question.id, LOCAL)
    assert (answer.status, answer.content, answer.provenance) == (Status.STREAMING, "", LOCAL)
    assert (await conversations.get(one.id)).head_id == question.id
    conversations.journal(answer.id, "Rayleigh ")
    conversations.journal(answer.id, "scattering.")
    done = await conversations.finish_answer(answer.id, Status.COMPLETE, FULL)
    assert (done.status, done.content, done.provenance) == (Status.COMPLETE, "Rayleigh scattering.", FULL)
    assert await conversations.path(done.id) == [system, question, done]
    assert [message.role for message in await conversations.tree(one.id)] == [Role.SYSTEM, Role.USER, Role.ASSISTANT]
    assert (await conversations.get(one.id)).head_id == done.id
    assert await conversations.message(done.id) == done


async def test_an_answer_that_was_set_aside_is_kept_beside_the_one_that_replaced_it(store: Store) -> None:
    conversations = store.conversations
    one = await conversations.create("one")
    question = await conversations.add_user_message(one.id, None, "?")
    local = await conversations.begin_answer(one.id, question.id, LOCAL)
    remote = await conversations.begin_answer(one.id, question.id, FULL)
    conversations.journal(local.id, "perhaps")
    conversations.journal(remote.id, "certainly")
    aside = await conversations.finish_answer(local.id, Status.SET_ASIDE, LOCAL)
    assert (await conversations.get(one.id)).head_id == question.id
    done = await conversations.finish_answer(remote.id, Status.COMPLETE, FULL)
    assert await conversations.siblings(local.id) == await conversations.children(question.id) == [aside, done]
    assert (aside.content, done.content) == ("perhaps", "certainly")
    assert (await conversations.get(one.id)).head_id == done.id


async def test_an_answer_taken_up_again_is_continued(store: Store) -> None:
    conversations = store.conversations
    one = await conversations.create("one")
    answer = await conversations.begin_answer(one.id, None, LOCAL)
    conversations.journal(answer.id, "perhaps")
    await conversations.finish_answer(answer.id, Status.SET_ASIDE, LOCAL)
    conversations.journal(answer.id, " so")
    done = await conversations.finish_answer(answer.id, Status.COMPLETE, LOCAL)
    assert (done.content, done.status) == ("perhaps so", Status.COMPLETE)


async def test_a_regenerated_question_is_a_sibling_and_the_head_can_go_back(store: Store) -> None:
    conversations = store.conversations
    one = await conversations.create("one")
    first = await conversations.add_user_message(one.id, None, "first")
    second = await conversations.add_user_message(one.id, None, "second")
    assert await conversations.siblings(first.id) == [first, second]
    await conversations.set_head(one.id, first.id)
    assert (await conversations.get(one.id)).head_id == first.id


async def test_messages_stay_in_their_conversation(store: Store) -> None:
    conversations = store.conversations
    one, two = await conversations.create("one"), await conversations.create("two")
    message = await conversations.add_user_message(one.id, None, "hello")
    with pytest.raises(InputMissing, match="another conversation"):
        await conversations.add_user_message(two.id, message.id, "x")
    with pytest.raises(InputMissing, match="another conversation"):
        await conversations.set_head(two.id, message.id)
    assert await conversations.tree(two.id) == []


async def test_what_is_not_there_is_an_error_with_a_hint(store: Store) -> None:
    conversations = store.conversations
    one = await conversations.create("one")
    for request in (
        conversations.tree("nowhere"),
        conversations.delete("nowhere"),
        conversations.path("nothing"),
        conversations.children("nothing"),
        conversations.siblings("nothing"),
        conversations.logprobs("nothing"),
        conversations.message("nothing"),
        conversations.finish_answer("nothing", Status.COMPLETE, LOCAL),
        conversations.add_user_message("nowhere", None, "x"),
        conversations.add_user_message(one.id, "nothing", "x"),
        conversations.set_head(one.id, "nothing"),
    ):
        with pytest.raises(InputMissing) as missing:
            await request
        assert missing.value.hint


async def test_a_deleted_conversation_leaves_no_text_in_any_file(path: Path) -> None:
    async with Store.open(path) as store:
        kept = await store.conversations.create("kept")
        for _ in range(50):
            await store.conversations.add_user_message(kept.id, None, "ordinary words " * 20)
        gone = await store.conversations.create("zanzibarsecret")
        question = await store.conversations.add_user_message(gone.id, None, "zanzibarsecret")
        answer = await store.conversations.begin_answer(gone.id, question.id, LOCAL)
        store.conversations.journal(answer.id, "zanzibarsecret " * 1000)
        await store.conversations.finish_answer(answer.id, Status.COMPLETE, LOCAL)
        assert _files_holding(path.parent, b"zanzibarsecret")
        await store.conversations.delete(gone.id)
        assert _files_holding(path.parent, b"zanzibarsecret") == []
        assert await store.search("zanzibarsecret") == []
        assert [found.id for found in await store.conversations.list()] == [kept.id]
        with pytest.raises(InputMissing):
            await store.conversations.message(question.id)
    assert _files_holding(path.parent, b"zanzibarsecret") == []


def _files_holding(folder: Path, text: bytes) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and text in file.read_bytes()]


async def test_a_conversation_may_be_deleted_while_an_answer_to_it_streams(store: Store) -> None:
    one = await store.conversations.create("one")
    answer = await store.conversations.begin_answer(one.id, None, LOCAL)
    store.conversations.journal(answer.id, "before")
    await store.conversations.flush()
    await store.conversations.delete(one.id)
    store.conversations.journal(answer.id, "after")
    await store.conversations.flush()
    with pytest.raises(InputMissing, match="There is no message"):
        await store.conversations.finish_answer(answer.id, Status.COMPLETE, LOCAL)


async def test_a_provenance_that_cannot_be_read_does_not_hide_its_message(store: Store) -> None:
    one = await store.conversations.create("one")
    answer = await store.conversations.begin_answer(one.id, None, LOCAL)
    await store._writer.write(lambda connection: connection.execute("UPDATE message SET provenance = '{}'"))
    assert (await store.conversations.message(answer.id)).provenance is None


def test_ids_are_short_sort_by_time_and_never_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_790_000_000_000_000_000
    seen = []
    for step in range(500):
        monkeypatch.setattr("time.time_ns", lambda step=step: now + step * 1_000_000)
        seen.append(identifiers.new_id())
    assert seen == sorted(seen)
    assert {len(one) for one in seen} == {16}
    monkeypatch.setattr("time.time_ns", lambda: now)
    assert len({identifiers.new_id() for _ in range(2000)}) == 2000


async def test_reading_and_closing_twice_do_no_harm(path: Path) -> None:
    store = Store.open(path)
    await store.conversations.create("one")
    await store.aclose()
    await store.aclose()
    async with Store.open(path) as again:
        assert len(await again.conversations.list()) == 1


async def test_nothing_is_kept_of_a_store_in_memory(home: Path) -> None:
    async with Store.open(None) as store:
        await store.conversations.create("one")
    async with Store.open(None) as store:
        assert await store.conversations.list() == []
