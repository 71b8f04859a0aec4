from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from hybridchat.messages import Message, Place, Provenance, Role, Status
from hybridchat.tui.segments import fitted
from hybridchat.tui.status import at_rest
from hybridchat.tui.warmth import Warmth, kept_seconds

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def answer(
    minute: float, *, load: float = 0.0, first: float = 0.5, endpoint: str = "ollama", place: Place = Place.LOCAL
) -> Message:
    source = Provenance(
        place, endpoint, "phi", "asked", load_seconds=load, first_token_seconds=load + first, seconds=60.0
    )
    time = NOON + timedelta(minutes=minute)
    return Message(f"a{minute}", "c", None, Role.ASSISTANT, "yes", time, Status.COMPLETE, source)


def told(warmth: Warmth, minute: float) -> str:
    return fitted(at_rest(warmth.forecast(NOON + timedelta(minutes=minute))), 100)


def test_nothing_is_forecast_of_a_model_that_never_answered() -> None:
    assert told(Warmth("phi"), 0) == "phi · on this machine · cold"


def test_a_model_is_warm_until_the_server_unloads_it_and_then_cold_with_its_loading_time() -> None:
    warmth = Warmth("phi")
    warmth.learn(answer(0, load=4.0))
    warmth.learn(answer(2, first=0.3))
    assert "warm until " in told(warmth, 7.9)
    assert "first token in about 0.3 s" in told(warmth, 7.9)
    assert told(warmth, 8.1).endswith("cold: first token in about 4.3 s")


def test_the_setting_says_how_long_a_model_stays() -> None:
    warmth = Warmth("phi", "30s")
    warmth.learn(answer(0))
    assert warmth.forecast(NOON + timedelta(seconds=89)).warm
    assert not warmth.forecast(NOON + timedelta(seconds=91)).warm
    for_good = Warmth("phi", "-1")
    for_good.learn(answer(0))
    assert told(for_good, 10_000).endswith("warm: first token in about 0.5 s")


def test_a_server_of_another_kind_keeps_its_model() -> None:
    warmth = Warmth("phi")
    warmth.learn(answer(0, endpoint="llama.cpp"))
    assert warmth.forecast(NOON + timedelta(days=1)).for_good


def test_remote_and_older_answers_tell_nothing_of_the_local_model() -> None:
    warmth = Warmth("phi")
    warmth.learn(answer(5, place=Place.REMOTE))
    assert not warmth.forecast(NOON).warm
    warmth.learn(answer(5, first=0.5))
    warmth.learn(answer(1, first=9.0))
    assert warmth.forecast(NOON + timedelta(minutes=6)).first_token == pytest.approx(0.5)


@pytest.mark.parametrize(("text", "seconds"), [("10m", 600), ("1h30m", 5400), ("90", 90), ("0", 0), ("-5m", math.inf)])
def test_durations_are_read_as_ollama_writes_them(text: str, seconds: float) -> None:
    assert kept_seconds(text) == seconds
