from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridchat.errors import BadConfiguration
from hybridchat.messages import FinishReason, TokenLogprob
from hybridchat.routing.answer_signals import AnswerSignals
from hybridchat.routing.estimator import Estimator, probability
from hybridchat.routing.prior import CHECKPOINTS, END, Checkpoint, Head, Prior, Remote, Trigger, shipped

HEAD = Head(
    ("mean", "max_entropy"),
    (-1.0, 0.5),
    (2.0, 0.25),
    {"8": Checkpoint(0.5, (1.0, -1.0), abort_below=0.3), END: Checkpoint(0.0, (2.0, -0.5))},
)
PRIOR = Prior("tests", "2026-01-01", 10, 5, HEAD, HEAD, Remote(0.9, 0.6), {"refusal": Trigger(0.05)})


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_probability_is_the_logistic_function_of_standardised_features() -> None:
    signals = {"mean": 0.0, "max_entropy": 1.0}
    assert probability(HEAD, "8", signals) == pytest.approx(logistic(0.5 + 1.0 * 0.5 - 1.0 * 2.0))
    assert probability(HEAD, END, signals) == pytest.approx(logistic(2.0 * 0.5 - 0.5 * 2.0))


def test_a_checkpoint_without_coefficients_of_its_own_takes_those_of_the_end() -> None:
    assert probability(HEAD, "64", {"mean": 0.0}) == probability(HEAD, END, {"mean": 0.0})


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_signal_that_is_missing_or_no_number_counts_as_its_mean(value: float | None) -> None:
    signals = {"mean": 0.0} if value is None else {"mean": 0.0, "max_entropy": value}
    assert probability(HEAD, "8", signals) == pytest.approx(logistic(0.5 + 0.5))


def test_one_odd_number_decides_nothing_alone() -> None:
    assert probability(HEAD, "8", {"mean": -1e9}) == pytest.approx(logistic(0.5 - 4.0))


def test_an_extreme_logit_is_no_error() -> None:
    head = Head(("mean",), (0.0,), (1.0,), {END: Checkpoint(-1e4, (0.0,))})
    assert probability(head, END, {}) == 0.0


def test_the_basis_tells_whether_logprobs_were_read() -> None:
    estimator = Estimator(PRIOR)
    assert estimator.confidence({"mean": 0.0}).basis == "logprobs"
    assert estimator.confidence({"characters": 3.0}).basis == "text"
    assert estimator.confidence({}).calibrated is False


def test_a_refusal_bounds_the_confidence() -> None:
    assert Estimator(PRIOR).confidence({"mean": 0.0, "refusal": 1.0}).value == 0.05


def test_the_threshold_belongs_to_the_checkpoint() -> None:
    estimator = Estimator(PRIOR)
    assert estimator.abort_below({"mean": 0.0}, "8") == 0.3
    assert estimator.abort_below({"mean": 0.0}, "64") is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"scales": [1.0]}, "equally many"),
        ({"scales": [1.0, 0.0]}, "not positive"),
        ({"checkpoints": {"8": {"intercept": 0.0, "weights": [1.0, 1.0]}}}, "'end' is missing"),
        ({"checkpoints": {"end": {"intercept": 0.0, "weights": [1.0]}}}, "equally many"),
        ({"features": 7}, "Expected"),
    ],
)
def test_a_broken_model_is_refused_with_the_reason(change: dict[str, object], complaint: str) -> None:
    raw = msgspec.to_builtins(PRIOR)
    raw["logprobs"] |= change
    with pytest.raises(BadConfiguration, match=complaint) as caught:
        Prior.parse(msgspec.json.encode(raw))
    assert caught.value.hint


def test_a_model_survives_being_written_and_read() -> None:
    assert Prior.parse(msgspec.json.encode(PRIOR)) == PRIOR


def test_the_shipped_prior_says_what_it_was_measured_on() -> None:
    prior = shipped()
    assert prior.fitted_on
    assert prior.date
    assert 0 < prior.right < prior.questions
    for head in (prior.logprobs, prior.text):
        assert all(checkpoint.auroc is not None for checkpoint in head.checkpoints.values())
    assert set(prior.logprobs.checkpoints) == {*map(str, CHECKPOINTS), END}


answers = st.lists(
    st.tuples(
        st.sampled_from(["The", " capital", " Paris", " 7", ".", " perhaps"]),
        st.floats(min_value=-8, max_value=0),
        st.lists(st.floats(min_value=-12, max_value=0), max_size=10).map(lambda v: tuple(sorted(v, reverse=True))),
    ),
    min_size=1,
    max_size=70,
)


@given(answers, st.integers(min_value=0), st.floats(min_value=0, max_value=8))
def test_a_less_likely_token_never_raises_the_confidence(
    answer: list[tuple[str, float, tuple[float, ...]]], index: int, drop: float
) -> None:
    def confidences(lowered: int | None) -> list[float]:
        signals, values = AnswerSignals("What is the capital of France?"), []
        for place, (token, logprob, top) in enumerate(answer):
            signals.add_token(TokenLogprob(token, logprob - drop if place == lowered else logprob, top))
            values.append(Estimator(shipped()).confidence(signals.snapshot(), str(signals.count)).value)
        values.append(Estimator(shipped()).confidence(signals.finished(FinishReason.STOP)).value)
        return values

    for before, after in zip(confidences(None), confidences(index % len(answer)), strict=True):
        assert after <= before + 1e-9
