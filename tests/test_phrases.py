import pytest

from hybridchat import phrases
from hybridchat.messages import Confidence, Place, Provenance, Usage


@pytest.mark.parametrize(
    ("confidence", "said"),
    [
        (None, "confidence unknown"),
        (Confidence(0.8, calibrated=True), "sure (80%)"),
        (Confidence(0.5, calibrated=True), "fairly sure (50%)"),
        (Confidence(0.49), "unsure (49%, uncalibrated)"),
        (Confidence(0.1, basis="text"), "unsure (10%, uncalibrated, read from text)"),
    ],
)
def test_confidence_is_a_word_and_a_number(confidence: Confidence | None, said: str) -> None:
    assert phrases.confidence(confidence) == said


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (0.2, 0.5, ("20%", "50%")),
        (0.228, 0.231, ("22.8%", "23.1%")),
        (0.2281, 0.2284, ("22.81%", "22.84%")),
        (0.23, 0.23, ("23%", "23%")),
    ],
)
def test_two_percentages_differ_where_their_values_do(one: float, other: float, said: tuple[str, str]) -> None:
    assert phrases.percentages(one, other) == said


def test_a_confidence_beside_its_threshold_is_told_from_it() -> None:
    assert phrases.confidence(Confidence(0.228), 0.231) == "unsure (22.8%, uncalibrated)"


@pytest.mark.parametrize(
    ("dollars", "said"), [(0.0, "$0.00"), (0.00012, "$0.00012"), (0.0999, "$0.09990"), (0.1, "$0.10"), (12.5, "$12.50")]
)
def test_small_sums_keep_their_digits(dollars: float, said: str) -> None:
    assert phrases.money(dollars) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0 tokens"), (1, "1 token"), (2048, "2,048 tokens")])
def test_numbers_agree_with_their_nouns(number: int, said: str) -> None:
    assert phrases.counted(number, "token") == said


def test_redactions_are_named_by_kind_and_absent_ones_are_not() -> None:
    assert phrases.redactions({"EMAIL": 2, "KEY": 0, "BIRTH_DATE": 1, "odd": 3}) == (
        "2 e-mail addresses, 1 date of birth, 3 odd"
    )


@pytest.mark.parametrize(("name", "short"), [("meta-llama/Llama-3.3-70B", "Llama-3.3-70B"), ("phi3.5", "phi3.5")])
def test_the_organisation_is_left_out(name: str, short: str) -> None:
    assert phrases.short_model(name) == short


def test_provenance_says_only_what_is_known() -> None:
    bare = Provenance(Place.REMOTE, "huggingface", "org/Llama", "")
    assert phrases.provenance(bare) == "Llama (remote, huggingface)"
    full = Provenance(
        Place.LOCAL, "ollama", "phi3.5", "asked", confidence=Confidence(0.9, calibrated=True), usage=Usage(1, 1),
        cost=0.0, seconds=0.04,
    )  # fmt: skip
    assert phrases.provenance(full) == "phi3.5 (on this machine, ollama), sure (90%), 1 token, 0.0 s, $0.00, asked"
