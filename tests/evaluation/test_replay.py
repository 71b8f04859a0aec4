from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.evaluation.replay import confidence_of, gain_of, pieces, replay
from hybridchat.evaluation.traces import LocalTrace, Trace
from hybridchat.messages import FinishReason, TokenLogprob
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.policy import Action, Decision, LocalModel, Policy, Question, Watch
from tests.evaluation.made_traces import texts, trace, traces


def answer(text: str, *tokens: str) -> LocalTrace:
    return LocalTrace("small", text, FinishReason.STOP, 1.0, True, tuple((token, -0.1, ()) for token in tokens))


@pytest.mark.parametrize(
    ("recorded", "streamed"),
    [
        (answer("Paris is.", "Par", "is", " is", "."), ["Par", "is", " is", "."]),
        (answer("Paris is it.", "Par", "is"), ["Par", "is", " is it."]),
        (answer("Né", "N", "�", "�"), ["N", "é", ""]),
        (answer("two  words \n"), ["two", "  words", " \n"]),
        (answer(""), []),
    ],
)
def test_an_answer_streams_as_it_was_recorded(recorded: LocalTrace, streamed: list[str]) -> None:
    found = list(pieces(recorded))
    assert [text for text, _ in found] == streamed
    assert sum(len(logprobs) for _, logprobs in found) == len(recorded.tokens)


@given(st.text(max_size=200))
def test_no_character_of_a_text_without_tokens_is_lost(text: str) -> None:
    assert texts(list(pieces(answer(text)))) == text


def test_the_policy_that_is_replayed_is_the_one_that_is_given() -> None:
    seen: list[tuple[str, tuple[TokenLogprob, ...]]] = []
    end = Decision(Action.KEEP, "so be it")

    class Recorder:
        def observe(self, text: str, logprobs: Sequence[TokenLogprob]) -> Decision | None:
            seen.append((text, tuple(logprobs)))
            return None

        def post(self, finish_reason: FinishReason) -> Decision:
            assert finish_reason is FinishReason.STOP
            return end

    class Given:
        def pre(self, question: Question) -> Decision:
            assert question.text == made.question
            assert question.can_escalate
            assert question.min_confidence == 0.7
            return Decision(Action.LOCAL, "first")

        def watch(self, question: Question) -> Watch:
            return Recorder()

    made, given = trace(1, right=True), cast("Policy", Given())
    (found,) = replay([made], given, 0.7)
    assert seen == list(pieces(made.local))
    assert (found.path, found.end, found.escalation, found.bails_out) == ((), end, None, False)
    assert found.worth == gain_of(end) == 0
    assert confidence_of(end) == 0.5
    assert found.confidence_at(1) == 0.5


def test_a_question_that_goes_to_the_remote_model_at_once_is_told() -> None:
    class Remote:
        def pre(self, question: Question) -> Decision:
            return Decision(Action.REMOTE, "too long")

        def watch(self, question: Question) -> Watch:
            return GainPolicy().watch(question)

    (found,) = replay([trace(1, right=True)], cast("Policy", Remote()))
    assert found.escalation is found.before
    assert not found.bails_out


def test_a_doubtful_answer_is_cut_short_and_its_path_goes_on() -> None:
    (found,) = replay([trace(3, right=False, doubt=4.0, tokens=40)], GainPolicy())
    escalation = found.escalation
    assert found.bails_out
    assert escalation is not None
    assert 8 <= escalation.tokens < 40
    assert found.tokens == found.end.tokens == 40
    assert found.path[-1].tokens > escalation.tokens


def test_confidence_is_known_from_the_first_token_and_final_once_the_answer_is_over() -> None:
    (found,) = replay([trace(5, right=True, tokens=9)], GainPolicy())
    by_token = {decision.tokens: confidence_of(decision) for decision in found.path}
    assert found.confidence_at(0) is None
    assert found.confidence_at(1) == by_token[1]
    assert found.confidence_at(5) == by_token[4]
    assert found.confidence_at(9) == found.confidence_at(64) == found.confidence
    assert found.has_logprobs


def test_the_worth_of_an_answer_is_the_price_up_to_which_the_policy_asks() -> None:
    made = traces(60)
    eager = replay(made, GainPolicy(price=0.0))
    asked = 0
    prices = (0.02, 0.1, 0.2, 0.25, 0.35, 0.5)
    for price in prices:
        for swept, live in zip(eager, replay(made, GainPolicy(price=price)), strict=True):
            assert (swept.worth > price) == (live.escalation is not None)
            asked += live.escalation is not None
    assert 0 < asked < len(prices) * len(made)


def test_an_answer_that_was_cut_short_has_no_end_to_decide_on() -> None:
    whole = trace(3, right=None, tokens=6)
    cut = msgspec.structs.replace(whole, local=msgspec.structs.replace(whole.local, cut_short=True))
    nothing = msgspec.structs.replace(cut, local=msgspec.structs.replace(cut.local, text="", tokens=()))
    found, without = replay([cut, nothing], GainPolicy())
    assert found.end is found.path[-1]
    assert without.path == ()


def test_the_model_is_named_to_the_policy() -> None:
    asked: list[LocalModel] = []

    def find(model: LocalModel) -> None:
        asked.append(model)

    made = trace(1, right=True)
    digested = msgspec.structs.replace(made, local=msgspec.structs.replace(made.local, digest="sha256:1"))
    replay([made, digested], GainPolicy(calibrated=find))
    assert asked == [LocalModel("small"), LocalModel("small", "sha256:1")]


def test_what_a_trace_says_of_right_and_wrong_changes_no_decision() -> None:
    made = traces(30)
    opposite = [
        msgspec.structs.replace(one, local=msgspec.structs.replace(one.local, right=not one.local.right), remote=None)
        for one in made
    ]

    def decided(some: Sequence[Trace]) -> list[Any]:
        return [(one.path, one.end) for one in replay(some, GainPolicy())]

    assert decided(made) == decided(opposite)


def test_logprobs_that_no_server_should_give_break_nothing() -> None:
    odd = ((" a", 3.5, ()), (" b", -1e300, (-1e300, 1e300, -0.1)), (" c", 0.0, (1e308, 5.0)))
    (found,) = replay(
        [Trace("odd", "Why?", LocalTrace("small", " a b c", FinishReason.STOP, 1.0, tokens=odd))], GainPolicy()
    )
    assert 0 <= found.confidence <= 1
    assert found.tokens == 3
