from hybridchat.events import Measured
from hybridchat.messages import Confidence, Place, Provenance
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


def test_a_stored_answer_says_where_it_came_from_and_what_is_not_known_any_more() -> None:
    text = explanation(LOCAL, None)
    for line in (
        "model        phi3.5 at ollama",
        "runs         on this machine",
        "confidence   fairly sure (62%, uncalibrated)",
        "first token  1.50 s",
        "loading      1.2 s",
        "weights      sha256:abc",
    ):
        assert line in text.splitlines()
    assert "answers of this session" in text


def test_a_reading_shows_its_signals_and_what_they_were_held_against() -> None:
    reading = Measured("m", 12, Confidence(0.62), 0.4, {"mean_logprob": -0.123456})
    text = explanation(LOCAL, reading)
    assert "read at 12 tokens" in text
    assert "threshold    40%, above: the local answer stands" in text
    assert "  mean logprob               -0.1235" in text


def test_without_a_threshold_no_remote_answer_was_possible() -> None:
    assert "no remote answer was possible" in explanation(LOCAL, Measured("m", 1, Confidence(0.1)))
