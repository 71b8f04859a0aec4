from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridchat.messages import Status
from hybridchat.store.database import Store
from hybridchat.store.records import Hit
from tests.store.conftest import LOCAL


async def _keep(store: Store, title: str, *messages: str) -> str:
    conversation = await store.conversations.create(title)
    for message in messages:
        await store.conversations.add_user_message(conversation.id, None, message)
    return conversation.id


def _contents(hits: list[Hit]) -> list[str]:
    return [hit.message.content if hit.message else f"title: {hit.conversation.title}" for hit in hits]


async def test_all_words_must_occur_and_the_last_may_be_unfinished(store: Store) -> None:
    await _keep(store, "x", "the quick brown fox", "the slow brown bear", "quicksilver")
    assert _contents(await store.search("brown quick")) == ["the quick brown fox"]
    assert _contents(await store.search("BROWN be")) == ["the slow brown bear"]
    assert set(_contents(await store.search("quick"))) == {"the quick brown fox", "quicksilver"}
    assert await store.search("fox bear") == []


async def test_accents_do_not_matter(store: Store) -> None:
    await _keep(store, "x", "Crème brûlée", "Straßenbahn")
    assert _contents(await store.search("creme brulee")) == ["Crème brûlée"]
    assert _contents(await store.search("CRÈME")) == ["Crème brûlée"]


async def test_titles_come_first_and_follow_a_rename(store: Store) -> None:
    one = await _keep(store, "Cheese", "about milk")
    await _keep(store, "x", "cheese cheese cheese")
    hits = await store.search("cheese")
    assert _contents(hits) == ["title: Cheese", "cheese cheese cheese"]
    assert hits[0].message is None
    assert hits[0].conversation.id == one
    await store.conversations.rename(one, "Butter")
    assert _contents(await store.search("cheese")) == ["cheese cheese cheese"]
    assert _contents(await store.search("butter")) == ["title: Butter"]


async def test_a_hit_shows_where_the_words_are(store: Store) -> None:
    await _keep(store, "x", "lorem " * 200 + "the needle and another needle" + " ipsum" * 200)
    (hit,) = await store.search("needle")
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["needle", "needle"]
    assert len(hit.snippet) < 200


async def test_answers_are_found_when_they_are_finished_and_those_set_aside_come_last(store: Store) -> None:
    conversation = await store.conversations.create("x")
    question = await store.conversations.add_user_message(conversation.id, None, "?")
    for text, status in (
        ("capital capital capital", Status.SET_ASIDE),
        ("a long text about the capital", Status.COMPLETE),
    ):
        answer = await store.conversations.begin_answer(conversation.id, question.id, LOCAL)
        store.conversations.journal(answer.id, text)
        await store.conversations.finish_answer(answer.id, status, LOCAL)
    assert _contents(await store.search("capital")) == ["a long text about the capital", "capital capital capital"]


async def test_parts_of_words_are_found_where_no_word_is(store: Store) -> None:
    await _keep(store, "关于猫的事", "我喜欢猫和狗", "100% snake_case C:\\temp" + " and more" * 20 + " lastword")
    hits = await store.search("猫")
    assert _contents(hits) == ["title: 关于猫的事", "我喜欢猫和狗"]
    assert [hit.snippet[slice(*hit.marks[0])] for hit in hits] == ["猫", "猫"]
    (hit,) = await store.search("KE_CAS")
    assert hit.snippet[slice(*hit.marks[0])] == "ke_cas"
    assert await store.search("k%e") == []
    assert await store.search("ke%cas") == []
    (hit,) = await store.search("emp and mor")
    assert hit.snippet.endswith("…")
    (hit,) = await store.search("astwor")
    assert hit.snippet.startswith("…")


async def test_a_word_that_only_the_index_recognises_does_no_harm(store: Store) -> None:
    await _keep(store, "x", "cre\u0300me fraiche")
    (hit,) = await store.search("creme")
    assert (hit.snippet, hit.marks) == ("cre\u0300me fraiche", ())


async def test_marks_stand_where_the_words_do_whatever_their_case_and_accents(store: Store) -> None:
    await _keep(store, "x", "İstanbul, Ünïted\nNATIONS and nation, united")
    (hit,) = await store.search("united nat")
    assert hit.snippet == "İstanbul, Ünïted NATIONS and nation, united"
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["Ünïted", "NATIONS", "nation", "united"]


async def test_a_snippet_shows_the_longest_word_rather_than_the_first(store: Store) -> None:
    await _keep(store, "x", "the " * 100 + "parliament sat")
    (hit,) = await store.search("the parliament")
    assert "parliament sat" in hit.snippet


async def test_a_single_letter_is_a_word(store: Store) -> None:
    await _keep(store, "x", "written in C", "written in Cobol")
    assert _contents(await store.search("in c")) == ["written in C"]


async def test_a_message_that_repeats_a_word_without_end_is_found_in_linear_time(store: Store) -> None:
    await _keep(store, "x", "error " * 200_000)
    (hit,) = await store.search("err")
    assert len(hit.snippet) < 200
    assert len(hit.marks) > 10


async def test_no_more_than_asked_for_is_found(store: Store) -> None:
    await _keep(store, "word", *["word"] * 5)
    assert len(await store.search("word", limit=3)) == 3
    assert len(await store.search("word", limit=1)) == 1


SYNTAX = [
    '"',
    '""',
    "*",
    "-",
    "NEAR(",
    "a AND",
    "AND",
    "OR NOT",
    "title:x",
    "^a",
    "(",
    "a*b",
    "{x}",
    "'; DROP TABLE x; --",
]
ODD = ["½", "", "   ", "\x00", "\ud800", "a" * 100_000, "a b " * 10_000, "\ufdd0a\ufdd1", "\u0301"]


@pytest.mark.parametrize("text", SYNTAX + ODD)
async def test_nothing_in_a_search_text_is_syntax(store: Store, text: str) -> None:
    await _keep(store, "a AND b", "NEAR(a b) \ufdd0 title:x * ½ \ufdd1")
    for hit in await store.search(text):
        assert all(0 <= start <= end <= len(hit.snippet) for start, end in hit.marks)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters()))
def test_any_search_text_is_answered(text: str) -> None:
    async def look() -> None:
        async with Store.open(None) as store:
            await _keep(store, "title", text)
            await store.search(text)

    asyncio.run(look())
