from __future__ import annotations

import pytest

from hybridchat.messages import Place
from hybridchat.routing.gain import GainPolicy
from hybridchat.routing.policy import Action, Question


@pytest.mark.parametrize(
    ("question", "action"),
    [
        (Question("q"), Action.LOCAL),
        (Question("q", choice=Place.REMOTE, fits_local=True), Action.REMOTE),
        (Question("q", choice=Place.REMOTE, can_escalate=False), Action.REMOTE),
        (Question("q", choice=Place.LOCAL, fits_local=False), Action.LOCAL),
        (Question("q", fits_local=False), Action.REMOTE),
        (Question("q", fits_local=False, can_escalate=False), Action.LOCAL),
    ],
)
def test_choice_goes_before_capability_and_capability_before_local(question: Question, action: Action) -> None:
    assert GainPolicy().pre(question).action is action
