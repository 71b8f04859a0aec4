from __future__ import annotations

import msgspec
import pytest

from hybridchat.config.settings import Bias
from hybridchat.messages import FinishReason, TokenLogprob
from hybridchat.routing.calibration import Calibration, logistic
from hybridchat.routing.estimator import Estimator, logit
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.policy import LocalModel, Question
from hybridchat.routing.prior import END, FittedModel, Head, Prior, shipped

MODEL = FittedModel("phi3.5", "sha256:1", "Q4_K_M", "t", top_k=3)


def calibrated(head: Head, calibration: Calibration) -> Head:
    checkpoints = {
        name: msgspec.structs.replace(one, calibration=calibration) for name, one in head.checkpoints.items()
    }
    return msgspec.structs.replace(head, checkpoints=checkpoints)


def fitted(model: FittedModel = MODEL) -> Prior:
    prior = shipped()
    platt = Calibration(0.5, 1.0, 200, 100)
    return msgspec.structs.replace(prior, logprobs=calibrated(prior.logprobs, platt), model=model)


def tokens(top_k: int) -> list[TokenLogprob]:
    return [TokenLogprob(word, -0.4, (-0.4, -1.5, -2.5, -3.0)[:top_k]) for word in ("It", " is", " Oslo", ".")]


def end_of(policy: GainPolicy, model: LocalModel | None, top_k: int) -> tuple[float, bool]:
    watch = policy.watch(Question("What is the capital of Norway?", model=model))
    for token in tokens(top_k):
        watch.observe(token.token, [token])
    confidence = watch.post(FinishReason.STOP).confidence
    assert confidence is not None
    return confidence.value, confidence.calibrated


def test_a_calibrated_head_gives_the_probability_that_was_fitted() -> None:
    prior = fitted()
    signals = {"mean": -0.1, "q10": -0.2, "alternatives": 3.0}
    confidence = Estimator(prior).confidence(signals)
    assert confidence.calibrated
    assert confidence.value == pytest.approx(logistic(0.5 * logit(prior.logprobs, END, signals) + 1.0))


def test_the_shipped_prior_is_never_called_calibrated() -> None:
    assert not Estimator(shipped()).confidence({"mean": -0.1}).calibrated
    assert not Estimator(shipped()).confidence({}).calibrated


def test_a_calibration_without_its_number_of_alternatives_is_the_prior_again() -> None:
    estimator, prior = Estimator(fitted(), shipped()), Estimator(shipped())
    for alternatives in (2.0, 10.0):
        signals = {"mean": -0.1, "alternatives": alternatives}
        assert estimator.confidence(signals) == prior.confidence(signals)
    assert estimator.confidence({"mean": -0.1}) == prior.confidence({"mean": -0.1})


def test_the_policy_takes_the_calibration_of_the_model_that_answers() -> None:
    found = {LocalModel("phi3.5", "sha256:1"): fitted()}
    policy, plain = GainPolicy(calibrated=found.get), GainPolicy()
    mine, other = LocalModel("phi3.5", "sha256:1"), LocalModel("phi3.5", "sha256:2")
    assert end_of(policy, mine, 3)[1]
    assert end_of(policy, mine, 3) != end_of(plain, mine, 3)
    for model, top_k in ((other, 3), (None, 3), (mine, 4)):
        assert end_of(policy, model, top_k) == end_of(plain, model, top_k)
        assert not end_of(policy, model, top_k)[1]


def test_what_was_learned_under_the_prior_is_not_what_is_learned_under_a_calibration() -> None:
    mine = LocalModel("phi3.5", "sha256:1")
    policy = GainPolicy(bias=Bias.LOCAL, calibrated={mine: fitted()}.get)
    assert policy.scored_by(mine) != GainPolicy().scored_by(mine)
    assert "calibration" in policy.scored_by(mine)
    assert "prior" in policy.scored_by(LocalModel("phi3.5"))


@pytest.mark.parametrize(
    ("live", "said"),
    [
        (MODEL, ""),
        (FittedModel("phi3.5", "sha256:1", None, "t", 0), ""),
        (FittedModel("qwen", "sha256:1", "Q4_K_M", "t"), "another model"),
        (FittedModel("phi3.5", "sha256:2", "Q4_K_M", "t"), "digest"),
        (FittedModel("phi3.5", None, "Q4_K_M", "t"), "digest"),
        (FittedModel("phi3.5", "sha256:1", "Q8_0", "t"), "quantisation is Q8_0"),
        (FittedModel("phi3.5", "sha256:1", "Q4_K_M", "u"), "system prompt"),
    ],
)
def test_another_model_is_told_apart_and_why(live: FittedModel, said: str) -> None:
    assert (said in MODEL.differs(live)) if said else not MODEL.differs(live)


def test_a_calibration_survives_being_written_and_read() -> None:
    prior = fitted()
    assert Prior.parse(msgspec.json.encode(prior)) == prior
