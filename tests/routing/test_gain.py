from __future__ import annotations

import msgspec
import pytest

from hybridchat.config.settings import Bias
from hybridchat.messages import FinishReason, Place, TokenLogprob
from hybridchat.routing.gain import GainPolicy, GainWatch, gain, worthwhile_below
from hybridchat.routing.policy import Action, Decision, Question
from hybridchat.routing.prior import CHECKPOINTS, END, Checkpoint, Head, Prior, Remote, Trigger

ANYWHERE = {str(c): Checkpoint(2.0, (1.0,), abort_below=0.4) for c in CHECKPOINTS} | {END: Checkpoint(2.0, (1.0,))}
LOGPROBS = Head(("mean",), (0.0,), (1.0,), ANYWHERE)
TEXT = Head(("hedges",), (0.0,), (1.0,), {END: Checkpoint(0.0, (-1.0,))})
TRIGGERS = {name: Trigger(0.05) for name in ("refusal", "loop", "empty", "broken_json")}
PRIOR = Prior("tests", "2026-01-01", 10, 5, LOGPROBS, TEXT, Remote(0.9, 0.6), TRIGGERS)
"""The confidence is the logistic function of 2 + the mean logprob; balanced, an escalation pays below 5/7."""

SURE = TokenLogprob(" Paris", -0.01, (-0.01, -5.0))
UNSURE = TokenLogprob(" Lyon", -4.0, (-1.0, -4.0))


def watching(question: Question | None = None, *, bias: Bias = Bias.BALANCED, prior: Prior = PRIOR) -> GainWatch:
    return GainPolicy(prior, bias).watch(question or Question("What is the capital of France?"))


def stream(watch: GainWatch, token: TokenLogprob, count: int) -> list[Decision]:
    seen = (watch.observe(f" word{number}", [token]) for number in range(count))
    return [decision for decision in seen if decision is not None]


@pytest.mark.parametrize(
    ("question", "action", "reason"),
    [
        (Question("q"), Action.LOCAL, "answers first"),
        (Question("q", can_escalate=False), Action.LOCAL, "answers first"),
        (Question("q", choice=Place.REMOTE), Action.REMOTE, "you asked for the remote model"),
        (Question("q", choice=Place.REMOTE, fits_local=False), Action.REMOTE, "you asked"),
        (Question("q", choice=Place.REMOTE, can_escalate=False, why_not="offline"), Action.REMOTE, "offline"),
        (Question("q", choice=Place.LOCAL), Action.LOCAL, "you asked for the local model"),
        (Question("q", choice=Place.LOCAL, fits_local=False), Action.LOCAL, "you asked for the local model"),
        (Question("q", fits_local=False), Action.REMOTE, "too long"),
        (Question("q", fits_local=False, can_escalate=False, why_not="local-only"), Action.LOCAL, "local-only"),
        (Question("Prove Fermat's last theorem, latest news, 7 * 8 = ?"), Action.LOCAL, "answers first"),
    ],
)
def test_choice_goes_before_capability_and_capability_before_local(
    question: Question, action: Action, reason: str
) -> None:
    decision = GainPolicy(PRIOR).pre(question)
    assert decision.action is action
    assert reason in decision.reason


def test_the_gain_is_what_the_remote_model_adds() -> None:
    assert gain(0.0, Remote(0.9, 0.6)) == pytest.approx(0.6)
    assert gain(1.0, Remote(0.9, 0.6)) == pytest.approx(-0.1)


@pytest.mark.parametrize("price", [0.0, 0.1, 0.3])
def test_the_threshold_is_where_the_gain_equals_the_price(price: float) -> None:
    remote = Remote(0.9, 0.6)
    assert gain(worthwhile_below(price, remote), remote) == pytest.approx(price)


def test_a_remote_model_that_adds_nothing_is_never_worthwhile() -> None:
    assert worthwhile_below(0.1, Remote(1.0, 0.0)) == 0.0
    assert worthwhile_below(0.5, Remote(0.9, 0.3)) == 0.0


def test_a_sure_answer_stays_local() -> None:
    watch = watching()
    decisions = stream(watch, SURE, 70)
    assert [decision.tokens for decision in decisions] == list(CHECKPOINTS)
    assert {decision.action for decision in decisions} == {Action.CONTINUE}
    assert decisions[0].reason == "the local model goes on: 88% likely to be right after 1 token"
    final = watch.post(FinishReason.STOP)
    assert final.action is Action.KEEP
    assert final.confidence is not None
    assert final.confidence.basis == "logprobs"
    assert final.reason == "the local model is sure enough: 88% at the end"


def test_an_unsure_answer_is_set_aside_at_the_first_checkpoint_where_that_is_allowed() -> None:
    decisions = stream(watching(), UNSURE, 30)
    assert [(d.tokens, d.action) for d in decisions] == [
        (1, Action.CONTINUE),
        (2, Action.CONTINUE),
        (4, Action.CONTINUE),
        (8, Action.ESCALATE),
        (16, Action.CONTINUE),
    ]
    assert decisions[0].threshold is None
    assert decisions[3].threshold == 0.4
    assert decisions[3].reason == "the local model is unsure: 12% after 8 tokens (least sure of 'Lyon')"
    assert decisions[3].gain == pytest.approx(gain(decisions[3].confidence.value, PRIOR.remote))  # type: ignore[union-attr]


def test_a_piece_with_many_tokens_escalates_at_the_checkpoint_within_it() -> None:
    watch = watching()
    decision = watch.observe("text", [UNSURE] * 20)
    assert decision is not None
    assert (decision.action, decision.tokens) == (Action.ESCALATE, 8)
    assert watch.post(FinishReason.STOP).tokens == 20


def test_text_and_logprobs_may_come_apart() -> None:
    watch = watching()
    assert watch.observe("", [SURE]) is not None
    assert watch.observe("Paris is the capital", []) is None
    assert watch.post(FinishReason.STOP).tokens == 1


def test_an_unsure_answer_that_ends_early_is_escalated_at_its_end() -> None:
    watch = watching()
    stream(watch, UNSURE, 3)
    final = watch.post(FinishReason.STOP)
    assert final.action is Action.ESCALATE
    assert "at the end" in final.reason


def test_after_an_escalation_that_did_not_happen_the_end_is_judged_again() -> None:
    watch = watching()
    stream(watch, UNSURE, 10)
    assert watch.post(FinishReason.STOP).action is Action.ESCALATE


def test_the_bias_moves_the_threshold_at_the_end() -> None:
    thresholds = []
    for bias in Bias:
        watch = watching(bias=bias)
        stream(watch, SURE, 4)
        thresholds.append(watch.post(FinishReason.STOP).threshold)
    assert thresholds == sorted(thresholds)  # type: ignore[type-var]
    assert thresholds[1] == pytest.approx(5 / 7)


@pytest.mark.parametrize(("asked", "action"), [(0.5, Action.KEEP), (0.95, Action.ESCALATE)])
def test_an_answer_below_the_confidence_that_was_asked_for_is_not_kept(asked: float, action: Action) -> None:
    watch = watching(Question("q", min_confidence=asked))
    stream(watch, SURE, 4)
    final = watch.post(FinishReason.STOP)
    assert final.action is action
    assert final.threshold == pytest.approx(max(asked, 5 / 7))


@pytest.mark.parametrize("question", [Question("q", can_escalate=False), Question("q", choice=Place.LOCAL)])
def test_where_it_cannot_escalate_it_still_measures(question: Question) -> None:
    watch = watching(question)
    decisions = [*stream(watch, UNSURE, 16), watch.post(FinishReason.STOP)]
    assert {decision.action for decision in decisions} == {Action.CONTINUE, Action.KEEP}
    assert all(decision.confidence is not None and decision.threshold is None for decision in decisions)
    assert "unsure: 12%" in decisions[-1].reason


def test_a_refusal_escalates_at_once() -> None:
    watch = watching()
    watch.observe("I'm sorry, but", [])
    decision = watch.observe(" I do", [SURE])
    assert decision is not None
    assert decision.action is Action.ESCALATE
    assert decision.reason == "the local model declines or does not know: 5% likely to be right"
    again = watch.observe(" so regret that I cannot help you", [SURE] * 4)
    assert again is not None
    assert again.action is Action.CONTINUE


def test_a_failing_answer_is_told_once_even_where_the_remote_model_would_not_help() -> None:
    watch = watching(prior=msgspec.structs.replace(PRIOR, remote=Remote(0.9, 0.1)))
    first = watch.observe("I cannot help you with that", [])
    assert first is not None
    assert first.action is Action.CONTINUE
    assert watch.observe("!", []) is None


def test_a_loop_escalates_at_once() -> None:
    watch = watching()
    decisions = [watch.observe("and so it goes on and on, ", [SURE]) for _ in range(10)]
    actions = [decision.action for decision in decisions if decision is not None]
    assert actions.count(Action.ESCALATE) == 1
    assert "repeats itself" in watch.post(FinishReason.LENGTH).reason


@pytest.mark.parametrize(("text", "reason"), [("", "no answer"), ("```json\n{]\n```", "JSON is invalid")])
def test_an_answer_that_cannot_be_used_is_escalated_at_its_end(text: str, reason: str) -> None:
    watch = watching()
    watch.observe(text, [SURE])
    final = watch.post(FinishReason.STOP)
    assert final.action is Action.ESCALATE
    assert reason in final.reason


def test_without_logprobs_it_reads_the_text_and_says_so() -> None:
    watch = watching()
    decisions = [watch.observe("perhaps it is so, ", []) for _ in range(4)]
    measured = [decision for decision in decisions if decision is not None]
    assert {decision.confidence.basis for decision in measured if decision.confidence} == {"text"}
    assert {decision.action for decision in measured} == {Action.CONTINUE}
    assert [decision.tokens for decision in measured] == [4, 9, 18]
    final = watch.post(FinishReason.STOP)
    assert final.action is Action.KEEP
    assert final.threshold is None
    assert "no logprobs: 2%" in final.reason


@pytest.mark.parametrize("text", ["I cannot help with that.", "again and again, " * 20, ""])
def test_without_logprobs_a_plain_sign_of_failure_escalates(text: str) -> None:
    watch = watching()
    decision = watch.observe(text, [])
    assert Action.ESCALATE in {decision and decision.action, watch.post(FinishReason.STOP).action}


def test_without_logprobs_a_confidence_that_was_asked_for_escalates() -> None:
    watch = watching(Question("q", min_confidence=0.6))
    watch.observe("It is so.", [])
    final = watch.post(FinishReason.STOP)
    assert (final.action, final.threshold) == (Action.ESCALATE, 0.6)
    assert final.reason == "the local model is unsure: 50% at the end (read from the text alone)"


def test_control_characters_of_a_token_stay_out_of_the_reason() -> None:
    watch = watching()
    watch.observe("x", [TokenLogprob("\x1b[31m", -5.0)] * 8)
    assert "\x1b" not in watch.post(FinishReason.STOP).reason
    watch = watching()
    watch.observe("x", [TokenLogprob("\n", -5.0)] * 8)
    assert "least sure" not in watch.post(FinishReason.STOP).reason


def test_thresholds_of_the_path_bound_the_escalations_along_it() -> None:
    never = msgspec.structs.replace(
        LOGPROBS, checkpoints={name: Checkpoint(2.0, (1.0,)) for name in LOGPROBS.checkpoints}
    )
    watch = watching(prior=msgspec.structs.replace(PRIOR, logprobs=never))
    assert {decision.action for decision in stream(watch, UNSURE, 70)} == {Action.CONTINUE}
    assert watch.post(FinishReason.STOP).action is Action.ESCALATE


def test_the_shipped_prior_is_the_default() -> None:
    decision = GainPolicy().watch(Question("What is 2 + 2?")).post(FinishReason.STOP)
    assert decision.action is Action.ESCALATE
    assert decision.confidence is not None
    assert decision.confidence.basis == "text"
