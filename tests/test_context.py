from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hybridchat.context import PromptMeter, estimate_prompt, estimate_tokens, fit
from hybridchat.messages import ChatMessage, Role


def chat(*turns: tuple[str, str], system: str = "", question: str = "and now?") -> list[ChatMessage]:
    messages = [ChatMessage(Role.SYSTEM, system)] if system else []
    for user, assistant in turns:
        messages += [ChatMessage(Role.USER, user), ChatMessage(Role.ASSISTANT, assistant)]
    return [*messages, ChatMessage(Role.USER, question)]


def test_a_conversation_that_fits_is_left_as_it_is() -> None:
    messages = chat(("a", "b"), system="be brief")
    fitted = fit(messages, 4096, 512)
    assert list(fitted.messages) == messages
    assert fitted.turns_left_out == 0
    assert fitted.fits


def test_the_oldest_turns_are_left_out_whole_and_the_system_prompt_stays() -> None:
    long = "word " * 200
    messages = chat((long, long), (long, long), ("recent", "answer"), system="be brief")
    fitted = fit(messages, 700, 100)
    assert fitted.fits
    assert fitted.messages[0].role is Role.SYSTEM
    assert fitted.messages[1].role is Role.USER
    assert (fitted.turns_left_out, fitted.messages_left_out) == (2, 4)
    assert [m.content for m in fitted.messages[1:]] == ["recent", "answer", "and now?"]


def test_a_question_longer_than_the_window_stays_and_does_not_fit() -> None:
    fitted = fit(chat(("a", "b"), question="word " * 5000), 4096, 512)
    assert not fitted.fits
    assert not fitted.can_shrink
    assert len(fitted.messages) == 1


def test_an_unknown_window_leaves_out_only_what_it_is_told_to() -> None:
    messages = chat(("a", "b"), ("c", "d"))
    assert len(fit(messages, None, 0).messages) == 5
    assert [m.content for m in fit(messages, None, 0, leave_out=1).messages] == ["c", "d", "and now?"]
    assert [m.content for m in fit(messages, None, 0, leave_out=9).messages] == ["and now?"]


def test_a_reserve_larger_than_the_window_takes_half_of_it() -> None:
    assert fit(chat(), 100, 100_000).fits


def test_nothing_fits_trivially() -> None:
    assert fit([], 100, 10).fits


@given(
    st.lists(st.tuples(st.text(max_size=300), st.text(max_size=300)), max_size=6),
    st.integers(64, 2000),
    st.integers(0, 500),
)
def test_what_is_kept_is_a_suffix_that_fits_or_cannot_shrink(
    turns: list[tuple[str, str]], window: int, reserve: int
) -> None:
    messages = chat(*turns)
    fitted = fit(messages, window, reserve)
    assert list(fitted.messages) == messages[fitted.messages_left_out :]
    assert not fitted.can_shrink or fitted.fits


def test_an_estimate_is_from_above_for_prose_and_for_other_scripts() -> None:
    # Phi-3.5's own counts of these sentences are 10 and at most two a character.
    assert estimate_tokens("The quick brown fox jumps over the lazy dog.") >= 10
    assert estimate_tokens("素早い茶色の狐") >= 7


def test_the_meter_believes_a_longer_prompt_at_once_and_a_shorter_one_slowly() -> None:
    messages = chat(question="word " * 200)
    meter = PromptMeter()
    estimated = estimate_prompt(messages)
    meter.learn(messages, int(estimated * 1.5))
    assert meter.ratio > 1.45
    meter.learn(messages, estimated // 2)
    assert 1.0 < meter.ratio < 1.45


def test_the_meter_learns_nothing_from_tiny_or_uncounted_prompts() -> None:
    meter = PromptMeter()
    meter.learn(chat(question="hi"), 500)
    meter.learn(chat(question="word " * 200), None)
    assert meter.ratio == 1.0
