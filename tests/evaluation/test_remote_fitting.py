from __future__ import annotations

import random

import pytest

from hybridchat.evaluation.calibrating import fit_calibration
from hybridchat.evaluation.ranking import auroc
from hybridchat.evaluation.remote_fitting import APART_FROM, fit_remote, where_wrong
from hybridchat.evaluation.replay import replayed
from hybridchat.evaluation.traces import Trace
from hybridchat.routing.estimator import remote_given
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.prior import FittedModel, Remote
from hybridchat.routing.question_features import question_features
from tests.evaluation.made_traces import trace

KNOWN = Remote(0.9, 0.5)


def asked(number: int, *, right: bool, remote: bool | None, text: str) -> Trace:
    made = trace(number, right=right, remote=remote, doubt=0.05 if right else 1.5)
    return Trace(made.id, text, made.local, remote=made.remote)


def hopeless_and_hopeful(n: int = 240) -> list[Trace]:
    generator = random.Random(7)
    made: list[Trace] = []
    for number in range(n):
        right = generator.random() < 0.3
        sums = number % 2 == 0
        remote = generator.random() < (0.95 if right else 0.8 if sums else 0.1)
        text = f"What is {number} * 31 + 7?" if sums else f"Who wrote the {number}th book of that name?"
        made.append(asked(number, right=right, remote=remote, text=text))
    return made


def test_shares_are_drawn_to_what_is_known() -> None:
    judged = [(asked(i, right=i < 20, remote=i % 2 == 0, text="Why?"), 0.5) for i in range(40)]
    found, pairs = fit_remote(judged, KNOWN)
    assert pairs == 40
    assert found == Remote(0.7, 0.5)
    assert fit_remote([(asked(1, right=True, remote=None, text="Why?"), 0.5)], KNOWN) == (KNOWN, 0)


def test_questions_that_are_too_hard_for_both_are_told_apart() -> None:
    made = hopeless_and_hopeful()
    found, _ = fit_remote([(one, 0.3) for one in made], KNOWN)
    wrong = [one for one in made if not one.local.right]
    chances = [remote_given(found, question_features(one.question), 0.3).if_local_wrong for one in wrong]
    area = auroc(chances, [bool(one.remote and one.remote.right) for one in wrong])
    assert area is not None
    assert area > 0.75
    assert remote_given(KNOWN, {}, 0.3) is KNOWN


@pytest.mark.parametrize("kept", [APART_FROM - 1, 5])
def test_few_wrong_answers_or_one_class_tell_nothing_apart(kept: int) -> None:
    wrong = [one for one in hopeless_and_hopeful() if not one.local.right]
    few = wrong[:kept] if kept > 5 else [one for one in wrong if one.remote and one.remote.right]
    assert where_wrong([(one, 0.3) for one in few]) is None


def test_a_calibrated_policy_asks_where_it_helps_and_not_where_both_fail() -> None:
    made = hopeless_and_hopeful()
    prior = fit_calibration(made, FittedModel("small")).prior
    assert prior.remote.where_wrong is not None
    decided = [replayed(one, GainPolicy(prior, price=0.3)) for one in made]
    wrong = [one for one in decided if not one.trace.local.right]
    asks = {
        sums: [one.escalation is not None for one in wrong if ("*" in one.trace.question) is sums]
        for sums in (False, True)
    }
    assert sum(asks[True]) > 0.8 * len(asks[True])
    assert sum(asks[False]) < 0.2 * len(asks[False])


def test_a_refusal_says_nothing_of_the_remote_models_chances() -> None:
    prior = fit_calibration(hopeless_and_hopeful(), FittedModel("small")).prior
    refusal = asked(999, right=False, remote=None, text="Who wrote the 5th book of that name?")
    words = "I'm sorry, but I do not know who wrote it."
    local = type(refusal.local)(
        "small", words, refusal.local.finish, 1.0, tokens=tuple((w + " ", -0.1, ()) for w in words.split())
    )
    found = replayed(Trace("r", refusal.question, local), GainPolicy(prior, price=0.1))
    assert found.escalation is not None
    assert found.end.signals["refusal"] == 1
