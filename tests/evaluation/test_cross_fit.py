from __future__ import annotations

import msgspec
import pytest

from hybridchat.errors import InputError
from hybridchat.evaluation.cross_fit import FAMILIES, TENTHS, cross_fitted
from hybridchat.evaluation.evaluating import Subject, evaluate
from hybridchat.evaluation.replay import replayed
from hybridchat.evaluation.traces import Trace
from tests.evaluation.made_traces import trace, traces


def with_family(one: Trace, family: str) -> Trace:
    return msgspec.structs.replace(one, family=family)


def turned(one: Trace) -> Trace:
    return msgspec.structs.replace(one, local=msgspec.structs.replace(one.local, right=not one.local.right))


def test_an_answer_has_no_say_in_its_own_confidence() -> None:
    made = [with_family(one, f"f{i % 4}") for i, one in enumerate(traces(80))]
    changed = [turned(one) if i == 9 else one for i, one in enumerate(made)]
    before, after = (cross_fitted(some, FAMILIES) for some in (made, changed))
    confidences = [replayed(made[9], fitted.policy_for(made[9], 0.1)).confidence for fitted in (before, after)]
    assert confidences[0] == confidences[1]
    others = [replayed(made[10], fitted.policy_for(made[10], 0.1)).confidence for fitted in (before, after)]
    assert others[0] != others[1]


def test_a_cross_fitted_calibration_is_evaluated_like_any_other() -> None:
    made = traces(80)
    told: list[tuple[int, int]] = []
    fitted = cross_fitted(made, TENTHS, lambda done, of: told.append((done, of)))
    assert told == [(number, 10) for number in range(1, 11)]
    report = evaluate(made, Subject(fitted.policy_for, str(fitted)), resamples=2)
    assert report.setting.confidence.startswith("calibrated on these answers, each without the tenth")
    auroc = report.confidence["all"]["auroc"].value
    assert auroc is not None
    assert auroc > 0.6
    assert replayed(made[0], fitted.policy_for(made[0], 0.1)).end.confidence is not None


def test_what_cannot_be_fitted_is_said() -> None:
    with pytest.raises(InputError, match="one family"):
        cross_fitted(traces(40), FAMILIES)
    with pytest.raises(InputError, match="all 9 graded answers are right"):
        cross_fitted([trace(i, right=True) for i in range(10)])
