from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from hybridchat.errors import InputError
from hybridchat.evaluation.calibrating import fit_calibration
from hybridchat.evaluation.calibration_report import as_text, described, promise, short_name
from hybridchat.routing.prior import END, FittedModel, shipped
from hybridchat.routing.warranty import NoWarranty, Warranty
from tests.evaluation.made_traces import trace, traces

MODEL = FittedModel("small", "sha256:1", "Q4_K_M")
TODAY = dt.date(2026, 11, 22)


def test_a_calibration_holds_what_it_was_made_from() -> None:
    fitted = fit_calibration(traces(80), MODEL, today=TODAY)
    prior = fitted.prior
    assert (prior.date, prior.questions, prior.pairs) == ("2026-11-22", 80, 80)
    assert prior.right == sum(fitted.right)
    assert prior.model == msgspec.structs.replace(MODEL, top_k=3)
    assert prior.logprobs.calibrated
    assert prior.text.calibrated
    assert prior.triggers == shipped().triggers
    assert prior.promise is not None
    assert fitted.basis == "logprobs"
    assert len(fitted.confidence) == 80
    assert all(0 < p < 1 for p in fitted.confidence)


def test_without_a_remote_sample_its_shares_are_those_of_the_prior() -> None:
    made = [msgspec.structs.replace(one, remote=None) for one in traces(60)]
    prior = fit_calibration(made, MODEL).prior
    assert (prior.remote, prior.pairs) == (shipped().remote, 0)


def test_without_logprobs_the_text_is_calibrated_and_the_logprobs_are_left_to_the_prior() -> None:
    fitted = fit_calibration(traces(60, logprobs=False), MODEL)
    assert fitted.basis == "text"
    assert fitted.prior.text.calibrated
    assert fitted.prior.logprobs == shipped().logprobs
    assert fitted.prior.model is not None
    assert fitted.prior.model.top_k == 0
    assert "the server gives no logprobs" in " ".join(as_text(fitted).split())


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ([True] * 30, "all 30 graded answers are right"),
        ([False] * 30, "all 30 graded answers are wrong"),
        ([None] * 30, "no answer could be graded"),
        ([True, False] * 5, "too few"),
        ([True] * 40 + [False] * 2, "too few"),
    ],
)
def test_what_teaches_nothing_is_refused_in_clear_words(right: list[bool | None], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        fit_calibration([trace(i, right=one) for i, one in enumerate(right)], MODEL)
    assert caught.value.hint


def test_the_report_shows_table_plot_thresholds_and_promise() -> None:
    text = as_text(fit_calibration(traces(400), MODEL))
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    for part in (
        "small: 400 graded answers",
        "score refitted, isotonic calibration",
        "measured on 400 questions",
        "How often answers of each confidence are right",
        "share of right answers",
        "an answer may be set aside after",
        "Warranty:",
    ):
        assert part in words


def test_the_report_of_few_answers_says_what_is_not_known() -> None:
    made = [msgspec.structs.replace(one, remote=None) for one in traces(30)]
    words = " ".join(as_text(fit_calibration(made, MODEL)).split())
    assert "score of the shipped prior, platt calibration" in words
    assert "assumed from the prior: --remote-sample N measures it" in words
    assert "no answer is set aside for its confidence" in words
    assert "cannot be promised" in words


def test_a_promise_names_the_setting_that_holds_to_it() -> None:
    given = " ".join(promise(Warranty(0.8125, 0.1, 0.1, 200, 120, 5, 0.09)))
    assert "of the answers I keep (60%), at most 10% are wrong, with 90% confidence" in given
    assert "routing.min_confidence 0.812" in given
    assert "cannot be promised: too few" in " ".join(promise(NoWarranty("too few")))


def test_what_is_kept_is_described_with_why_it_does_not_hold() -> None:
    prior = fit_calibration(traces(60), MODEL, today=TODAY).prior
    text = " ".join(" ".join(described(prior, "the model's digest is another one")).split())
    assert "small: calibrated on 2026-11-22 with 60 answers" in text
    assert "digest sha256:1, quantisation Q4_K_M, 3 alternatives a token" in text
    assert "stale: the model's digest is another one" in text
    bare = msgspec.structs.replace(prior, promise=None, pairs=0, model=FittedModel("/models/a.gguf"))
    assert list(described(bare, "")) == ["a.gguf: calibrated on 2026-11-22 with 60 answers (30 right)", "  no logprobs"]


def test_the_name_of_a_file_is_shown_without_its_folder() -> None:
    assert short_name("/models/phi.gguf") == "phi.gguf"
    assert short_name("hf.co/org/phi") == "hf.co/org/phi"


def test_a_calibration_says_what_is_right_as_often_as_it_is() -> None:
    fitted = fit_calibration(traces(600, seed=3), MODEL)
    expected = sum(fitted.confidence) / len(fitted.confidence)
    assert expected == pytest.approx(sum(fitted.right) / len(fitted.right), abs=0.03)
    calibration = fitted.prior.logprobs.checkpoints[END].calibration
    assert calibration is not None
    assert calibration.labels == 600
