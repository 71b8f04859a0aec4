from dataclasses import replace

from hybridchat.messages import Confidence, Place, Provenance, Reading, Withdrawal
from hybridchat.tui.explanation import explanation

LOCAL = Provenance(
    Place.LOCAL,
    "ollama",
    "phi3.5",
    "the local model answers first",
    digest="sha256:abc",
    confidence=Confidence(0.62),
    load_seconds=1.25,
    first_token_seconds=1.5,
)
REMOTE = Provenance(Place.REMOTE, "huggingface", "llama", "the local model is unsure")


def test_an_answer_says_where_it_came_from_and_what_was_not_read() -> None:
    text = explanation(LOCAL, LOCAL)
    for line in (
        "model        phi3.5 at ollama",
        "runs         on this machine",
        "confidence   fairly sure (62%, uncalibrated)",
        "first token  1.50 s",
        "loading      1.2 s",
        "weights      sha256:abc",
    ):
        assert line in text.splitlines()
    assert "was not read" in text


def test_a_reading_shows_its_signals_and_what_they_were_held_against() -> None:
    source = replace(LOCAL, reading=Reading(12, 0.4, {"mean_logprob": -0.123456}))
    text = explanation(source, source)
    assert "read at 12 tokens" in text
    assert "threshold    40%, above: the local answer stands" in text
    assert "  mean logprob               -0.1235" in text


def test_a_confidence_just_below_the_threshold_does_not_look_equal_to_it() -> None:
    source = replace(LOCAL, confidence=Confidence(0.228), reading=Reading(12, 0.231))
    text = explanation(source, source)
    assert "confidence   unsure (22.8%, uncalibrated)" in text
    assert "threshold    23.1%, below: the remote model is asked" in text


def test_without_a_threshold_no_remote_answer_was_possible() -> None:
    source = replace(LOCAL, reading=Reading(1))
    assert "no remote answer was possible" in explanation(source, source)


def test_a_remote_answer_tells_of_the_draft_that_it_replaced() -> None:
    draft = replace(LOCAL, reading=Reading(8, 0.7), withdrawal=Withdrawal(8, "the local model is unsure"))
    text = explanation(REMOTE, draft)
    assert "The local draft of phi3.5 was set aside after 8 tokens: the local model is unsure" in text
    assert "threshold    70%, below: the remote model is asked" in text


def test_where_only_the_remote_model_answered_there_are_no_signals() -> None:
    assert explanation(REMOTE, None).endswith("No local model answered: there are no signals.")
