from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hybridchat.messages import Confidence, Place
from hybridchat.tui.segments import Segment, fitted
from hybridchat.tui.status import Work, confidence_forms

_FORMS = st.lists(st.text("abc ", max_size=30), min_size=1, max_size=3).map(tuple)


def test_everything_is_said_fully_where_there_is_room() -> None:
    assert fitted([Segment(("one", "1")), Segment(("two", ""))], 9) == "one · two"


def test_the_part_of_the_lowest_rank_gives_way_first() -> None:
    segments = [Segment(("important", "imp"), rank=5), Segment(("whatever", "wh", ""), rank=0)]
    assert fitted(segments, 14) == "important · wh"
    assert fitted(segments, 9) == "important"
    assert fitted(segments, 3) == "imp"


def test_what_cannot_be_said_shorter_is_cut() -> None:
    assert fitted([Segment(("important",))], 5) == "impo…"


@given(st.lists(st.builds(Segment, _FORMS, st.integers(0, 3)), max_size=5), st.integers(1, 60))
def test_a_line_is_never_longer_than_its_room(segments: list[Segment], width: int) -> None:
    assert len(fitted(segments, width)) <= width


def test_at_eighty_columns_who_speaks_how_sure_and_how_full_are_told_of_a_long_name() -> None:
    work = Work("organisation/Some-Very-Long-Model-Name-1.5B-Instruct-Q4", Place.LOCAL)
    work.hear(1234)
    work.until += 12
    work.confidence = confidence_forms(Confidence(0.64), 0.3)
    line = fitted(
        [*work.segments(), Segment(("context 85% nearly full: /condense", "context 85% full"), rank=4)], 80 - 2 - 9
    )
    assert line.startswith("Some-Very-L")
    for told in ("local", "fairly sure 64%", "context 85%"):
        assert told in line


def test_confidence_is_said_ever_shorter_and_never_without_its_number() -> None:
    forms = confidence_forms(Confidence(0.64), 0.3)
    assert forms == (
        "fairly sure (64%, uncalibrated), asks remote below 30%",
        "fairly sure 64%, asks remote below 30%",
        "fairly sure 64%",
    )
    assert confidence_forms(Confidence(0.64, calibrated=True), None) == ("fairly sure (64%)", "fairly sure 64%")
